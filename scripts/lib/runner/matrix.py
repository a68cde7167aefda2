"""Reads scripts/matrix.toml, and knows what its names mean."""

import os
import sys
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
    """A kernel by its name for scripts/kernels: SUITE[@SERIES][-FLAVOUR][/ARCH]."""

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
    busy: bool = False  # it needs as many processors as the storm

    def has(self, part: str) -> bool:
        """True if it has this part, or a program of that name."""
        return any(own.rpartition("/")[2].removesuffix(".sh") == part for own in self.parts)

    @property
    def processors(self) -> int:
        # When processors take turns, there can be more of them than this machine has.
        return 4 if (self.has("storm") or self.busy) and not self.parallel else 2


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
    return [{**plain, **kernels.get(row.get("on"), {}), **row} for row in data()[table]["rows"]]


# --- For the shell ---

def suite_lines() -> list[str]:
    return [f"{name} {','.join(suite['series'])} {suite['root']}" + (" retired" if suite.get("retired") else "")
            for name, suite in data()["suites"].items()]


def root_lines() -> list[str]:
    return [" ".join([name, root["base"], *root["pockets"]]) for name, root in data()["roots"].items()]


def row_lines(table: str) -> list[str]:
    lines = []
    for row in rows(table):
        parts = ["--parallel"] * row.get("parallel", False) + row.get("parts", [])
        fields = [row["name"], row["suite"], row["compiler"], row.get("config"), row.get("make"), row.get("may_skip"), parts]
        words = [" ".join(field) if isinstance(field, list) else field or "" for field in fields]
        lines.append("; ".join([word or "-" for word in words] + [row["says"]]))
    return lines


def bench_lines() -> list[str]:
    return ["; ".join([run["name"], run["kernel"], run["numbers"], " ".join(run["steps"])]) for run in data()["bench"]["runs"]]


LINES = {
    "suites": suite_lines,
    "roots": root_lines,
    "configs": lambda: row_lines("configs"),
    "debug": lambda: row_lines("debug"),
    "bench-runs": bench_lines,
    "bench-bounds": lambda: [f"{name}: {bound}" for name, bound in data()["bench"]["bounds"].items()],
}


def main(arguments: list[str]) -> int:
    """matrix TABLE: prints its rows, one in each line, as the functions of the shell want them."""
    if len(arguments) != 1 or arguments[0] not in LINES:
        tree.die(f"matrix: one of {' '.join(LINES)}")
    # In one write, because a reader may stop at the line that it looks for.
    os.write(sys.stdout.fileno(), "".join(line + "\n" for line in LINES[arguments[0]]()).encode())
    return 0
