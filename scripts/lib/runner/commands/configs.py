"""scripts/configs: tests the module in VMs on kernels of other configurations, and prints KTAP."""

import argparse
import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import brought, build, matrix, tables, tree
from ..ktap import FAILED, PASSED, Counts, Printer
from ..pool import Children, Pool, run_all
from ..vm import Kept, Machine, Settings, number

HELP = """\
scripts/configs [--compile-only] [ROW...]
scripts/configs --debug [ROW...]
scripts/configs [--debug] --kernels ROW...
scripts/configs --tree DIR [ROW...]

Builds the kernel of each row and the module for it, boots the kernel, and checks that the module loads or refuses as expected.

--compile-only   only compile the module; builds and boots no kernel, so it does not check which symbols a kernel exports
--debug          use the second table: kernels that watch themselves, and the tests that profit most
--kernels        only build the kernels; prints a folder for each, for scripts/vm. Modules can be built in `build` in that folder
--tree DIR       build from your source tree DIR instead of Debian's: the rows, or without ROW the row `tree`. The compiler is of
                 the tree's age. The tree must be clean. A copy of it stays in the cache, 1.5 GB. Options that the tree does not
                 have are left out
PARTS="PART..."  with --debug: these parts of selftests/run.sh instead of the row's
CYCLES=N         with --debug: number of loads and unloads in the storm, and of wireguard, sctp and l2tp_ip6, 5 by default
STORM=SEC        with --debug: the storm lasts at least SEC seconds, 600 by default
REST=MS          in the storm each process that asks for addresses rests MS milliseconds between two: 0 by default
CHURN=SEC        the churn lasts SEC seconds: 20 by default
FUZZ=N FUZZ_OPS=N   number of sequences of the fuzz, and of operations in each: see `scripts/check -h`
LIMIT=SEC        time limit of a VM: 3600 by default, 7200 with --debug, and more for CYCLES and STORM
JOBS=N           N VMs at once, of 1 GB each, or of 2 GB with --debug: by default one for each processor, if memory allows

The kernels are built from Debian's source packages, with scripts/kconfig/base.config and the row's options. A kernel takes 3
minutes on two processors, 10 with --debug. Kernels are kept, so only the first run is long. It needs root, x86-64 and 20 GB. The
results of a row stay until it runs again. The last results of all rows are kept for docs/reference/kernels.md, and with --debug
for docs/reference/debug.md.

The tests may skip what the kernel's configuration lacks. [skips] in scripts/matrix.toml says what that is.

scripts/matrix.toml has the rows. The list below shows the fields of each row, separated by semicolons:

name
suite         whose source the kernel is built from. A row without one is for --tree
compiler
config        options that are added to the configuration; @NAME stands for scripts/kconfig/NAME.config
make          make's arguments for the module. KERNEL:ARG is for the kernel. PATCHED builds a kernel with patches/, which has the
              rule without the module. PORTED does the same on a kernel older than the patches: without documents,
              tests and drivers that this kernel lacks
parts         the parts of selftests/run.sh, all by default; --parallel before them lets the VM's processors run at the same time
says          "loads", "built in", or the message of a module that refuses

"""
# identify_cpu() clears x86_capability, so for a moment the kernel does not know that it has five levels of page tables. If an
# interrupt comes then, KASAN reports its memory as invalid. 7.3-rc7 does so at one boot of two.
WATCHED = "page_poison=1 no5lvl"
BUILDER = str(tree.TOP / "scripts/lib/row")
# The row of --tree.
TREE = "tree"
PAGE = "docs/reference/debug.md"
MODULE = ("Kbuild", "src")
WATCHERS = {"CONFIG_DEBUG_KMEMLEAK=y": "kmemleak", "CONFIG_PROVE_LOCKING=y": "lockdep"}
SETTINGS = ("CYCLES", "STORM", "REST", "CHURN", "FUZZ", "FUZZ_OPS")


@dataclass(frozen=True)
class Table:
    name: str
    limit: int
    storm: int
    memory: int  # MB of a VM
    append: tuple[str, ...] = ()

    @property
    def work(self) -> Path:
        return tree.CACHE / self.name

    @property
    def debug(self) -> bool:
        return self.name == "debug"


TABLES = {"configs": Table("configs", 3600, 0, 1024), "debug": Table("debug", 7200, 600, 2048, (WATCHED,))}


# --- A row ---

class Row(Kept):
    """A row, what was built for it, and its results. The results are in the folder, which stays until the row runs again."""

    def __init__(self, table: Table, entry: dict, source: brought.Source | None = None) -> None:
        self.table, self.source = table, source
        self.name: str = entry["name"]
        self.suite: str = source.suite() if source else entry.get("suite", "")
        self.compiler: str = entry["compiler"]
        self.says: str = entry["says"]
        self.config: list[str] = entry.get("config", [])
        parts = (table.debug and os.environ.get("PARTS", "").split()) or entry.get("parts", [])
        self.run = matrix.Run(self.name, tuple(parts), parallel=entry.get("parallel", False))
        self.found = " ".join(entry.get("found", []))
        self.folder = table.work / (f"{source.top.name}-{self.name}" if source else self.name)
        self.kernel: Path | None = None

    @property
    def title(self) -> str:
        return f"{self.source.top.name}, {self.name}" if self.source else self.name

    @property
    def wants_perf(self) -> bool:
        return self.table.debug and self.run.has("coexist")

    @property
    def needs_modules(self) -> bool:
        return self.says != "built in"

    @property
    def release(self) -> str:
        """The kernel's release, or "" if there is no kernel."""
        file = self.kernel / "release" if self.kernel else None
        return file.read_text(encoding="utf-8").strip() if file and file.exists() else ""

    @property
    def may_skip(self) -> str:
        """What the tests may skip: what the kernel's configuration lacks."""
        return "|".join(brought.Config(self.kernel / "config").skips()) if self.kernel else ""

    @property
    def failed(self) -> str:
        """What was not built: "kernel", "module", or "" if everything was built."""
        return self.read("failed").strip()

    # --- Building ---

    def make(self, what: str, children: Children) -> str | None:
        """Runs a step of scripts/lib/row. Returns what it printed, or None if it failed."""
        of_source = [self.suite, str(self.source.top)] if self.source else []
        return children.output([BUILDER, self.table.name, self.name, what, str(self.folder), *of_source])

    def prepare(self, children: Children, compile_only: bool) -> None:
        """Builds everything for the VM. Stops at the first step that fails."""
        kernel = self.make("tree" if compile_only else "kernel", children)
        if kernel is None:
            self.keep("failed", "kernel")
            return
        self.kernel = Path(kernel)
        self.keep("state", module_state())
        if self.needs_modules and self.make("compiled" if compile_only else "modules", children) is None:
            self.keep("failed", "module")

    def build_kernel(self, children: Children) -> Path:
        """Builds only the kernel. Returns its folder, for scripts/vm."""
        self.folder.mkdir(parents=True, exist_ok=True)
        kernel = self.make("kernel", children)
        if kernel is None:
            raise SystemExit(1)
        return Path(kernel)

    # --- Testing ---

    def machine(self, settings: Settings, limit: int) -> Machine:
        refuses = "" if self.says in ("loads", "built in") else self.says
        return Machine(
            self.title, ["--kernel-dir", str(self.kernel)], self.run, self.folder,
            stage=self.table.work / "stage" / tree.host_arch(),
            modules=[*sorted(self.folder.glob("*.ko")), *sorted((self.folder / "holder").glob("*.ko"))],
            environment={**settings.environment(), "ANYIP6_MAY_SKIP": self.may_skip, "ANYIP6_REFUSES": refuses,
                         "ANYIP6_FOUND": self.found},
            limit=limit, memory=self.table.memory, append=list(self.table.append), with_perf=self.wants_perf)

    def test(self, children: Children, settings: Settings, limit: int) -> None:
        """Runs the VM and keeps the results."""
        machine = self.machine(settings, limit)
        code = machine.execute(children)
        # The watchers must have been asked, and coverage must be good.
        if not (self.watchers_asked(machine) and self.covered(children)) and not code:
            machine.keep("code", 1)
        counts = machine.verdict().counts
        parts = " ".join(self.run.parts) or "all"
        given = "".join(f" {name}={os.environ[name]}" for name in SETTINGS if os.environ.get(name))
        self.keep("facts", f"{self.release} | {parts}{given} | {counts.passed} | {counts.failed} | {counts.skipped} | "
                           f"{machine.seconds()} | {accelerator()} | {self.read('state').strip()}")
        machine.tell()

    def options(self) -> Iterator[str]:
        """The options that the row adds to the configuration."""
        for word in self.config:
            if word.startswith("@"):
                text = (tree.TOP / f"scripts/kconfig/{word[1:]}.config").read_text(encoding="utf-8")
                yield from (line for line in text.splitlines() if line.startswith("CONFIG_"))
            else:
                yield f"CONFIG_{word}"

    def watchers_asked(self, machine: Machine) -> bool:
        """True if a test asked each watcher that the configuration has."""
        names = [test.name for test in machine.verdict().report.tests if test.passed]
        for watcher in (WATCHERS[option] for option in self.options() if option in WATCHERS):
            if not any(name.startswith(watcher + ".") for name in names):
                tree.say(f"{self.name}: {watcher} was not asked")
                return False
        return True

    def covered(self, children: Children) -> bool:
        """Measures the coverage of a module that was built for gcov. True if it is good, and for other modules."""
        if not any(self.folder.glob("*.gcno")):
            return True
        with open(self.folder / "coverage.md", "wb") as table, open(self.folder / "coverage.log", "wb") as log:
            code = children.run([str(tree.TOP / "scripts/lib/coverage"), self.suite, str(self.folder)], stdout=table, stderr=log)
        if not code:
            shutil.copy(self.folder / "coverage.md", tree.CACHE)
        return not code

    # --- Telling ---

    def cells(self, machine: Machine) -> list:
        """The row's cells in the table of kernels that are not of the archive."""
        counts = machine.verdict().counts
        source = self.source.top.name if self.source else f"Debian {self.suite}"
        return [self.release, source, self.name, tables.compiler(self.folder / "anyip6.ko"), counts.passed, counts.failed,
                counts.skipped, machine.seconds()]

    def module_said(self) -> str:
        """The module's message when it was first loaded."""
        console = self.read("console.log").replace("\r", "")
        found = re.search(r"^\[[^]]*\](?:\[[^]]*\])? (anyip6: (?:not|version).*)", console, re.M)
        return re.sub(", hooks.*", "", found[1]) + "; " if found else ""


def module_state() -> str:
    """The last commit that changed the module. A "+" follows if there are uncommitted changes."""
    last = tree.git("log", "-1", "--format=%h", "--", *MODULE) or [""]
    return last[0] + ("" if tree.git("diff", "--quiet", "HEAD", "--", *MODULE) is not None else "+")


def accelerator() -> str:
    """What the VMs run on, as scripts/vm has found out."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    with contextlib.suppress(OSError):
        if (tree.CACHE / f"kvm-{boot}").read_text(encoding="utf-8").strip() == "yes":
            return "KVM"
    return "emulator"


# --- The page of kernels that watch themselves ---

def page_lines(page: str, head: str, name: str) -> list[str]:
    """A row's lines in the page's table that begins with this head."""
    table = page.partition(head)[2].partition("\n\n")[0]
    return [line for line in table.splitlines() if line.startswith(f"| {name} |")]


def fact_lines(row: Row, page: str) -> list[str]:
    """The row's line of the first table. A row that has not run here keeps its line in the page."""
    if facts := row.read("facts").strip():
        return [f"| {row.name} | {facts} |"]
    if row.failed:
        return [f"| {row.name} | not built | | | | | | | |"]
    return page_lines(page, "| row | kernel", row.name) or [f"| {row.name} | not run | | | | | | | |"]


def count_lines(row: Row, page: str) -> list[str]:
    """The row's lines of the second table: what the storms and the fuzz counted."""
    if row.read("facts"):
        return [f"| {row.name} | {said} |" for said in re.findall(r"^# in all: (.*)$", row.read("ktap").replace("\r", ""), re.M)]
    return [] if row.failed else page_lines(page, "| row | what", row.name)


def debug_tables() -> str:
    page = (tree.TOP / PAGE).read_text(encoding="utf-8")
    rows = [Row(TABLES["debug"], entry) for entry in matrix.rows("debug")]
    lines = ["| row | kernel | parts | passed | failed | skipped | seconds | on | module of |"]
    lines += ["|---|---|---|---|---|---|---|---|---|"]
    lines += [line for row in rows for line in fact_lines(row, page)]
    lines += ["", "| row | what the storms and the fuzz counted |", "|---|---|"]
    lines += [line for row in rows for line in count_lines(row, page)]
    return "\n".join(lines) + "\n"


# --- All that is asked for ---

class Configs:
    def __init__(self, table: Table, rows: list[Row], compile_only: bool) -> None:
        self.table, self.rows, self.compile_only = table, rows, compile_only
        self.settings = Settings(cycles=number("CYCLES", 5), storm=number("STORM", table.storm))
        self.limit = number("LIMIT", table.limit + 10 * self.settings.cycles + self.settings.storm)
        self.printer = Printer()
        self.lines = ["configuration | kernel | module | boot | message"]
        self.failed: list[str] = []

    def execute(self) -> None:
        for row in self.rows:
            shutil.rmtree(row.folder, ignore_errors=True)
            (row.folder / "holder").mkdir(parents=True)
        shutil.rmtree(self.table.work / "stage", ignore_errors=True)
        build.need("bsdextrautils", *["linux-perf"] * any(row.wants_perf for row in self.rows))
        if not self.compile_only:
            run_all(1, [lambda children: build.selftests(tree.host_arch(), self.table.work, children)])
        # The next row's kernel is built while a VM runs.
        with Pool(number("JOBS") or machines_at_once(self.table.memory)) as pool:
            for row in self.rows:
                row.prepare(pool.children, self.compile_only)
                if row.failed:
                    tree.say(f"{row.title}: the {row.failed} was not built")
                elif not self.compile_only:
                    pool.submit(lambda children, row=row: row.test(children, self.settings, self.limit))
            pool.wait()

    def tell(self) -> bool:
        self.printer.begin(len(self.rows))
        for row in self.rows:
            self.report(row)
        if self.table.debug:
            (tree.CACHE / "debug.md").write_text(debug_tables(), encoding="utf-8")
        elif not self.compile_only:
            tables.keep_sources([row.cells(row.machine(self.settings, self.limit)) for row in self.rows
                                 if row.says == "loads" and not row.failed])
        (self.table.work / "table").write_text("\n".join(self.lines) + "\n", encoding="utf-8")
        for line in tree.output("column", "-t", "-s", "|", "-o", "|", str(self.table.work / "table")).splitlines():
            print(f"# {line}")
        for line in self.failed:
            print(f"# FAILED {line}")
        return self.printer.end()

    def report(self, row: Row) -> None:
        """Prints the row as a subtest, and adds its line to the table."""
        counts, module, boot = FAILED, "built" if row.needs_modules else "-", "-"
        print(f"    # Subtest: {row.title}")
        if row.failed == "kernel":
            module, message = "-", f"see {row.folder}/kernel.log"
        elif row.failed:
            module, message = "not built", f"see {row.folder}/build.log"
        elif self.compile_only:
            counts, message = PASSED, "not booted"
        else:
            counts, boot = self.report_machine(row), "booted"
            message = f"{row.module_said()}{counts}"
        self.printer.point(row.title, counts)
        if row.failed:
            self.failed.append(f"{row.title}: {message}")
        self.lines.append(f"{row.title} | {row.release or row.suite} {row.compiler} | {module} | {boot} | {message}")

    def report_machine(self, row: Row) -> Counts:
        machine = row.machine(self.settings, self.limit)
        verdict = machine.verdict()
        lines = [line for line in machine.ktap().splitlines() if not line.startswith("# gcda ")]
        lines += [f"# {line}" for line in (row.read("coverage.md") + row.read("coverage.log")).splitlines()]
        lines += [f"# {problem}" for problem in verdict.problems]
        print("".join(f"    {line}\n" for line in lines), end="")
        if not verdict.good:
            self.failed += [f"{row.title}: {line}" for line in verdict.lines()]
            self.failed.append(f"{row.title}: the console is in {row.folder}/console.log")
        return verdict.counts


def machines_at_once(megabytes: int) -> int:
    available = int(re.search(r"^MemAvailable: *(\d+)", Path("/proc/meminfo").read_text(encoding="utf-8"), re.M)[1]) // 1024
    return max(1, min(os.cpu_count() or 1, available // megabytes))


def print_kernels(rows: list[Row]) -> None:
    with Pool(1) as pool:
        for row in rows:
            print(row.build_kernel(pool.children), flush=True)


def rows_of(table: Table, names: list[str], source: brought.Source | None = None) -> list[Row]:
    rows = {entry["name"]: Row(table, entry, source) for entry in matrix.rows(table.name)}
    for name in names:
        if name not in rows:
            tree.die(f"{name}: no such row; the rows are: {' '.join(rows)}")
        if not rows[name].suite:
            tree.die(f"{name}: this row needs --tree")
    names = names or ([TREE] if source else [name for name, row in rows.items() if row.suite])
    return [rows[name] for name in names]


def check_machine(compile_only: bool = False) -> None:
    if os.geteuid():
        tree.die("this needs root: it makes roots of other suites to build in")
    if tree.host_arch() != "amd64" and not compile_only:
        tree.die("these kernels are built for x86-64 only; make check tests this machine's own")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/configs", add_help=False)
    for option in ("--compile-only", "--debug", "--kernels"):
        parser.add_argument(option, action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--tree", metavar="DIR")
    parser.add_argument("rows", nargs="*")
    asked = parser.parse_args(arguments)
    if asked.help:
        print(HELP + "\n".join(matrix.row_lines("configs") + [""] + matrix.row_lines("debug")))
        return 0
    if asked.tree and (asked.debug or asked.kernels):
        tree.die("--tree goes without --debug and --kernels")
    check_machine(asked.compile_only)
    source = brought.checked(brought.Source, asked.tree) if asked.tree else None
    table = TABLES["debug" if asked.debug else "configs"]
    rows = rows_of(table, asked.rows, source)
    if asked.kernels:
        print_kernels(rows)
        return 0
    with tree.lock(table.name):
        configs = Configs(table, rows, asked.compile_only)
        configs.execute()
        return 0 if configs.tell() else 1
