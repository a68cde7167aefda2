"""Reads scripts/matrix.toml, and knows what its names mean."""

import os
import sys
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from . import tree

FILE = tree.TOP / "scripts/matrix.toml"


@cache
def data() -> dict:
    with open(FILE, "rb") as file:
        return tomllib.load(file)


def architecture(name: str) -> dict:
    if name not in data()["architectures"]:
        tree.die(f"architecture {name} is not known; these are: {' '.join(data()['architectures'])}")
    return data()["architectures"][name]


def tested() -> dict[str, dict]:
    """The architectures on which the module loads."""
    return {name: entry for name, entry in data()["architectures"].items() if "refuses" not in entry}


def in_suite(arch: str, suite: str) -> bool:
    """Whether the suite or pocket has the architecture."""
    return suite not in architecture(arch).get("not_in", [])


def guest_suite(arch: str) -> str:
    """The suite of a guest's programs: that of this machine, or the first one that has the architecture."""
    return next(suite for suite in [own_kernel(), *data()["suites"]] if in_suite(arch, suite))


@dataclass(frozen=True)
class Kernel:
    """A kernel by its name for scripts/kernels: SUITE[@SERIES][-FLAVOUR][/ARCH], or the folder of a kernel of the user's."""

    name: str

    @property
    def is_folder(self) -> bool:
        return self.name.startswith("/")

    @property
    def arch(self) -> str:
        return tree.host_arch() if self.is_folder else self.name.partition("/")[2] or tree.host_arch()

    @property
    def flavour(self) -> str:
        return self.named_flavour or architecture(self.arch)["flavour"]

    @property
    def named_flavour(self) -> str:
        if self.is_folder:
            return "brought"
        last = self.name.partition("/")[0].rpartition("-")[2]
        return last if last in ("cloud", "generic", "rt", "16k") else ""

    @property
    def suite(self) -> str:
        return os.path.basename(self.name) if self.is_folder else self.suite_and_series[0]

    @property
    def suite_and_series(self) -> tuple[str, str]:
        """The series is that of the suite if the name has none. Some suites have none either: there it is the newest."""
        name, _, series = self.name.partition("/")[0].removesuffix("-" + self.named_flavour).partition("@")
        return name, series or data()["suites"].get(name, {}).get("series", "newest")

    @property
    def full_name(self) -> str:
        return f"{'@'.join(self.suite_and_series)}-{self.flavour}/{self.arch}"

    @property
    def folder(self) -> str:
        return self.name.replace("/", "_")

    @property
    def cpu(self) -> str:
        """The processor of QEMU."""
        fitting = [row["cpu"] for row in data()["processors"] if any(fnmatchcase(self.full_name, one) for one in row["kernels"])]
        return [*fitting, architecture(self.arch)["qemu"]["cpu"]][0]

    def describe(self) -> str:
        return f"{self.suite} {self.arch} {self.flavour}"


@dataclass(frozen=True)
class Run:
    """What one VM does. A run without parts has all of them."""

    name: str
    parts: tuple[str, ...]
    append: str = ""
    parallel: bool = False

    def has(self, part: str) -> bool:
        """True if it has this part, or a program of that name."""
        return not self.parts or any(own.rpartition("/")[2].removesuffix(".sh") == part for own in self.parts)

    @property
    def processors(self) -> int:
        # When processors take turns, there can be more of them than this machine has.
        return 4 if self.has("storm") and not self.parallel else 2


def run(name: str) -> Run:
    """A run of the table, or a run with a single part of selftests/run.sh."""
    entry = data()["runs"].get(name, {"parts": [name]})
    return Run(name, tuple(entry["parts"]), entry.get("append", ""), entry.get("parallel", False))


def own_kernel() -> str:
    """The kernel of this machine's suite, or own_otherwise if the table does not have it."""
    return tree.own_suite() if tree.own_suite() in data()["suites"] else data()["check"]["own_otherwise"]


def default_kernels(own: str) -> list[str]:
    return list(dict.fromkeys(own if name == "OWN" else name for name in data()["check"]["default"]))


def rows(table: str) -> list[dict]:
    """The rows of scripts/configs: "configs" or "debug". A row inherits the keys of its kernel, unless it has its own."""
    kernels = data()[table].get("kernels", {})
    plain = {"compiler": "gcc", "says": "loads"}
    return [{**plain, **kernels.get(row.get("on"), {}), **row, "parts": parts(row)} for row in data()[table]["rows"]]


def parts(row: dict) -> list[str]:
    """The parts of a row, or of its run. None are all."""
    return row.get("parts", list(run(row["run"]).parts) if "run" in row else [])


# --- For the shell ---

def suite_lines() -> list[str]:
    return [f"{name} {suite.get('series', 'newest')} {suite['root']}" + (" retired" if suite.get("retired") else "")
            for name, suite in data()["suites"].items()]


def root_lines() -> list[str]:
    """Each root with the pockets of its suites."""
    roots: dict[str, list[str]] = {}
    for suite in data()["suites"].values():
        roots.setdefault(suite["root"], []).extend(suite["pockets"])
    return [" ".join([name, *dict.fromkeys(pockets)]) for name, pockets in roots.items()]


def architectures_of(suite: str) -> list[str]:
    return [arch for arch in tested() if in_suite(arch, suite)]


def pockets_of(suite: str, arch: str) -> list[str]:
    """The pockets of a suite that have the architecture."""
    return [pocket for pocket in data()["suites"][suite]["pockets"] if in_suite(arch, pocket)]


def pocket_lines() -> list[str]:
    """The pockets of all suites, with their architectures. A retired suite may be gone."""
    return list(dict.fromkeys(f"{pocket} {','.join(architectures_of(pocket))}" for suite in data()["suites"].values()
                              if not suite.get("retired") for pocket in suite["pockets"]))


def architecture_lines() -> list[str]:
    """Each architecture with the words that the function `about` of common.sh wants."""
    return [" ".join([name, *(entry[key] for key in ("option", "make", "triplet", "flavour"))]) + " " + guest_suite(name)
            for name, entry in data()["architectures"].items()]


def machine_lines() -> list[str]:
    """Each architecture with its machine of QEMU, and whose QEMU that is."""
    keys = "program", "package", "machine", "console"
    return [" ".join([name, *(entry["qemu"][key] for key in keys), entry.get("qemu_of", "own"), entry.get("append", "")])
            for name, entry in data()["architectures"].items()]


def row_lines(table: str) -> list[str]:
    lines = []
    for row in rows(table):
        parts = ["--parallel"] * row.get("parallel", False) + row["parts"]
        fields = [row["name"], row.get("suite"), row["compiler"], row.get("config"), row.get("make"), parts]
        words = [" ".join(field) if isinstance(field, list) else field or "" for field in fields]
        lines.append("; ".join([word or "-" for word in words] + [row["says"]]))
    return lines


LINES = {
    "suites": suite_lines,
    "roots": root_lines,
    "pockets": pocket_lines,
    "architectures": architecture_lines,
    "machines": machine_lines,
    "own-kernel": lambda: [own_kernel()],
    "configs": lambda: row_lines("configs"),
    "debug": lambda: row_lines("debug"),
    "upstream": lambda: data()["upstream"]["tests"],
    "upstream_binaries": lambda: data()["upstream"]["binaries"],
    "upstream_of_the_series": lambda: data()["upstream"]["of_the_series"],
}


def main(arguments: list[str]) -> int:
    """matrix TABLE: prints its rows, one in each line, as the functions of the shell want them.
    matrix cpu KERNEL: prints the processor of QEMU for the kernel. any/ARCH stands for another kernel of the architecture."""
    if len(arguments) == 2 and arguments[0] == "cpu":
        print(Kernel(arguments[1]).cpu)
        return 0
    if len(arguments) != 1 or arguments[0] not in LINES:
        tree.die(f"matrix: one of {' '.join(LINES)}")
    # In one write, because a reader may stop at the line that it looks for.
    os.write(sys.stdout.fileno(), "".join(line + "\n" for line in LINES[arguments[0]]()).encode())
    return 0
