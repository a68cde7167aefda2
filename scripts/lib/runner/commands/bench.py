"""scripts/bench: measures what the module costs, in instructions, and judges it."""

import argparse
import glob
import hashlib
import re
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .. import build, tree
from ..ktap import FAILED, PASSED, Printer
from ..pool import Children, Timer, run_all
from ..results import costs
from ..vm import at_once
from . import configs

HELP = """\
scripts/bench            measure everything but old-way, judge it, draw docs/reference/plots, and keep the tables for `make docs`
scripts/bench --quick    measure and judge Debian 13's cloud kernel only: what sockets pay, also beside many routes. Writes no
                         docs
scripts/bench RUN...     measure only these of the runs below again. The other numbers stay as this machine measured them before

The numbers count instructions. The clock of the VMs counts them too, so the numbers repeat. The first run builds four kernels of
scripts/configs. old-way has 100,000 configured addresses and takes some 20 minutes. It runs only when it is named, and its last
numbers are kept.

JOBS=N                   N VMs at once: by default one for each processor

A run: its name; the kernel; what its numbers are filed under; the steps of bench/run.sh.
"""
# The numbers depend on these files and on the kernel. The docs never mix numbers of different states of the files.
SOURCES = ("Kbuild", "src/*", "bench/*", "patches/*.patch")
PAGE = tree.CACHE / "performance.md"
PLOTS = "docs/reference/plots"
# An instruction that takes a cache line from other processors.
LOCKED = re.compile(r"\block\b|\bxchg .*\(")


@dataclass(frozen=True)
class Run:
    """What one VM measures."""

    name: str
    kernel: str
    numbers: str
    steps: list[str]
    processors: int = 1
    count_locked: bool = False
    only_if_named: bool = False

    def __str__(self) -> str:
        return "; ".join([self.name, self.kernel, self.numbers, " ".join(self.steps)])

    def measures(self, number: str) -> bool:
        """True if it measures the number KERNEL/COLUMN/ROW or KERNEL/SERIES-WAY/HOW MANY."""
        kernel, column, _ = number.split("/")
        series = ["-".join(step.split(",")[1:3]) for step in self.steps if "," in step]
        measured = column.removesuffix("-bytes") in series if "-" in column else "rule" in self.steps
        return kernel == self.numbers and measured


def all_runs() -> list[Run]:
    return [Run(**entry) for entry in costs.table()["runs"]]


def state() -> str:
    """A hash of the files that the numbers depend on."""
    files = [name for pattern in SOURCES for name in sorted(glob.glob(pattern, root_dir=tree.TOP))]
    return hashlib.md5(b"".join((tree.TOP / name).read_bytes() for name in files), usedforsecurity=False).hexdigest()


def locked(disassembly: str) -> str:
    """The line with the number of locked instructions."""
    number = sum(bool(LOCKED.search(line)) for line in disassembly.splitlines())
    return f"locked\t-\t0\t{number}\t{number}\n"


class Bench:
    """The runs that are asked for, and their numbers. A run that was measured has the files NAME.tsv and NAME.stamp."""

    def __init__(self, runs: list[Run], quick: bool) -> None:
        self.work = tree.CACHE / ("bench-quick" if quick else "bench")
        self.runs, self.quick = runs, quick
        self.children = Children()
        self.folders: dict[str, Path] = {}
        self.state = state()

    def file(self, run: Run, kind: str) -> Path:
        return self.work / f"{run.name}.{kind}"

    def module(self, run: Run) -> Path:
        return self.work / run.numbers / "anyip6.ko"

    # --- Measuring ---

    def forget(self) -> None:
        """Removes what was measured before, except runs that only run when they are named."""
        kept = {run.name for run in all_runs() if run.only_if_named}
        for path in self.work.rglob("*"):
            if path.is_file() and path.stem not in kept:
                path.unlink()

    def row(self, kernel: str) -> configs.Row | None:
        """The row of scripts/configs, or None for a kernel of scripts/kernels."""
        name = kernel.removeprefix("row ")
        return None if name == kernel else configs.rows_of(configs.TABLES["configs"], [name])[0]

    def kernel_folder(self, kernel: str) -> Path:
        """The folder for scripts/vm. A missing kernel is fetched or built."""
        if kernel not in self.folders:
            if row := self.row(kernel):
                configs.check_machine()
                self.folders[kernel] = row.build_kernel(self.children)
            elif printed := self.children.output([tree.KERNELS, "get", kernel]):
                self.folders[kernel] = Path(printed)
            else:
                tree.die(f"{kernel}: no kernel to measure")
        return self.folders[kernel]

    def build_module(self, run: Run) -> None:
        """Builds the module, unless the kernel has the rule itself."""
        row, arguments = self.row(run.kernel), []
        if row and not row.needs_modules:
            return
        if row:
            folder = self.kernel_folder(run.kernel)
            arguments = [f"KDIR=/usr/src/{str(folder).rpartition('/usr/src/')[2]}/build"]
        command = [tree.KERNELS, "build", row.suite if row else run.kernel, ".", str(self.module(run).parent), *arguments]
        if self.children.run(command):
            tree.die(f"{run.kernel}: no module to measure")

    def build_programs(self) -> None:
        build.need("make", "gcc", "libc6-dev", "binutils")
        out = self.work / "bin"
        shutil.rmtree(out, ignore_errors=True)  # another clone may have left files that are newer than the source here
        out.mkdir()
        kselftest = tree.output(tree.KERNELS, "kselftest")
        make = ["make", "-C", "bench", f"OUTPUT={out}", f"KSFT={kselftest}"]
        log = str(tree.CACHE / "logs/bench-programs.log")
        if self.children.run(tree.shell("quietly", "building the measuring programs", log, *make)):
            raise SystemExit(1)
        shutil.copy(tree.TOP / "bench/run.sh", out)

    def command(self, run: Run) -> list[str]:
        command = [str(tree.TOP / "scripts/vm"), "--kernel-dir", str(self.kernel_folder(run.kernel)), "--icount",
                   "--smp", str(run.processors), "--mem", "2048", "--timeout", "3600", "--log", str(self.file(run, "log")),
                   "--file", str(self.work / "bin")]
        command += ["--file", f"{self.module(run)}:/root/bin/anyip6.ko"] if self.module(run).exists() else []
        return [*command, "--", "/root/bin/run.sh", *run.steps]

    def measure(self, run: Run, children: Children) -> None:
        """Runs the VM. The numbers go to NAME.tsv, with what they are filed under before each."""
        timer = Timer()
        with open(self.file(run, "out"), "wb") as out:
            if children.run(self.command(run), stdout=out):
                return
        lines = self.file(run, "out").read_text(encoding="utf-8", errors="replace")
        if run.count_locked:
            code = children.output(["objdump", "-d", "--no-show-raw-insn", "-j", ".text", str(self.module(run))])
            if code is None:
                return
            lines += locked(code)
        numbers = "".join(f"{run.numbers}\t{line}\n" for line in lines.splitlines())
        self.file(run, "tsv").write_text(numbers, encoding="utf-8")
        self.file(run, "stamp").write_text(self.state + "\n", encoding="utf-8")
        tree.say(f"{run.name}: measured in {timer.seconds} s")

    def is_measured(self, run: Run) -> bool:
        """True if it was measured with the files as they are."""
        stamp = self.file(run, "stamp")
        return stamp.exists() and stamp.read_text(encoding="utf-8").strip() == self.state

    def execute(self) -> None:
        self.work.mkdir(parents=True, exist_ok=True)
        for run in self.runs:
            for kind in ("tsv", "stamp"):
                self.file(run, kind).unlink(missing_ok=True)
        modules: dict[str, Run] = {}
        for run in self.runs:
            modules.setdefault(run.numbers, run)
        for run in modules.values():
            self.build_module(run)
        self.build_programs()
        for run in self.runs:
            self.kernel_folder(run.kernel)
        run_all(at_once(), [partial(self.measure, run) for run in self.runs])

    # --- Telling ---

    def results(self) -> str:
        files = [self.file(run, "tsv") for run in all_runs()]
        return "".join(file.read_text(encoding="utf-8") for file in files if file.exists())

    def bounds(self) -> dict[str, str]:
        """The bounds to judge. With --quick only those whose numbers all come from its runs."""
        bounds = costs.table()["bounds"]
        if not self.quick:
            return bounds
        return {name: bound for name, bound in bounds.items()
                if all(any(run.measures(number) for run in self.runs) for number in costs.NAME.findall(bound))}

    def tell(self) -> bool:
        results, bounds, printer = self.results(), self.bounds(), Printer()
        numbers = costs.Numbers(results)
        printer.begin(len(bounds) + len(self.runs))
        for line in results.splitlines():
            print(f"# {line}")
        for run in self.runs:
            if self.is_measured(run):
                printer.point(run.name, PASSED)
            else:
                printer.point(f"{run.name}: see {self.file(run, 'log')}", FAILED)
        judged = []
        for name, bound in bounds.items():
            good, text = costs.judge(bound, numbers)
            printer.point(f"{name}: {text}", PASSED if good else FAILED)
            judged.append(f"{'ok' if good else 'not ok'}  {name}: {text}")
        for line in self.tables(numbers, judged):
            print(f"# {line}")
        print(f"# took {tree.elapsed()} s")
        return printer.end()

    def tables(self, numbers: costs.Numbers, judged: list[str]) -> list[str]:
        """The tables to show. Without --quick also writes the plots, and keeps the page."""
        if self.quick:
            return costs.sockets(costs.table()["sections"][0], (*costs.MODULE, *costs.OTHERS), numbers)
        for run in all_runs():
            if not run.only_if_named and not self.is_measured(run):
                tree.die(f"{run.name} was not measured as the source is now: scripts/bench without a name does all of it")
        build.need("gnuplot-nox")
        costs.draw(tree.TOP / PLOTS, numbers)
        kernels = [costs.kernel_of(names[0]) for names in costs.table()["sections"]]
        releases = [(self.kernel_folder(kernel) / "release").read_text(encoding="utf-8").strip() for kernel in kernels]
        page = costs.page(releases, judged, numbers)
        PAGE.write_text(page, encoding="utf-8")
        lines = page.splitlines()
        return lines[:next(number for number, line in enumerate(lines) if line.startswith("!")) + 1]


def runs_of(names: list[str]) -> list[Run]:
    runs = {run.name: run for run in all_runs()}
    for name in names:
        if name not in runs:
            tree.die(f"{name}: no such run; the runs are: {' '.join(runs)}")
    return [run for run in runs.values() if (run.name in names if names else not run.only_if_named)]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("names", nargs="*", metavar="RUN")
    asked = parser.parse_args(arguments)
    if asked.help:
        print(HELP + "\n".join(map(str, all_runs())))
        return 0
    runs = runs_of(costs.table()["quick"] if asked.quick else asked.names)
    with tree.lock("bench"):
        bench = Bench(runs, asked.quick)
        if not asked.quick and not asked.names:
            bench.forget()
        bench.execute()
        return 0 if bench.tell() else 1
