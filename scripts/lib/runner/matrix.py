"""scripts/matrix.toml, and what the names in it mean."""

import tomllib
from dataclasses import dataclass
from functools import cache

from . import tree

FILE = tree.TOP / "scripts/matrix.toml"


@cache
def data() -> dict:
    with open(FILE, "rb") as file:
        return tomllib.load(file)


@dataclass(frozen=True)
class Kernel:
    """A name as scripts/kernels has it: SUITE[@SERIES][-FLAVOUR][/ARCH]."""

    name: str

    @property
    def arch(self) -> str:
        return self.name.partition("/")[2] or tree.host_arch()

    @property
    def flavour(self) -> str:
        last = self.name.partition("/")[0].rpartition("-")[2]
        return last if last in ("cloud", "generic", "rt") else "cloud"

    @property
    def suite(self) -> str:
        name = self.name.partition("/")[0]
        return name.removesuffix("-" + self.flavour).partition("@")[0]

    @property
    def folder(self) -> str:
        return self.name.replace("/", "_")

    def describe(self) -> str:
        return f"{self.suite} {self.arch} {self.flavour}"


@dataclass(frozen=True)
class Run:
    """What one VM does."""

    name: str
    parts: tuple[str, ...]
    append: str = ""
    parallel: bool = False

    @property
    def processors(self) -> int:
        # Processors that take turns can be more than this machine has.
        return 4 if "storm" in self.parts and not self.parallel else 2


def run(name: str) -> Run:
    """One of the table, or a single part of selftests/run.sh."""
    entry = data()["runs"].get(name, {"parts": [name]})
    return Run(name, tuple(entry["parts"]), entry.get("append", ""), entry.get("parallel", False))


def own_kernel() -> str:
    """That of this machine's suite, if it is known."""
    known = [line.split()[0] for line in tree.output(tree.KERNELS, "list").splitlines()]
    return tree.own_suite() if tree.own_suite() in known else data()["check"]["own_otherwise"]


def default_kernels(own: str) -> list[str]:
    return list(dict.fromkeys(own if name == "OWN" else name for name in data()["check"]["default"]))
