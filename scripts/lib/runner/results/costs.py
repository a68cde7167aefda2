"""The numbers of scripts/bench: reads them, judges the bounds, and makes the tables and plots of the page of costs."""

import math
import operator
import re
import subprocess
from pathlib import Path

from .. import matrix, tree

COMPARE = {"<=": operator.le, "<": operator.lt, "==": operator.eq}
NAME = re.compile(r"[a-z]+/[a-z0-9-]+/[a-z0-9_:-]+")
# Two tables of columns in each section, because one with all columns is wider than a page.
MODULE = ("stock", "off", "on")
OTHERS = ("stock", "freebind", "nonlocal", "shim", "ipv4")
SMP = {"stock": "configured, stock", "off": "configured, 0", "on": "configured, 1", "anyip": "Any-IP, 1"}


def table() -> dict:
    return matrix.data()["bench"]


class Numbers:
    """The numbers, by KERNEL/COLUMN/ROW, and by KERNEL/COLUMN/ROW:min. Of several numbers the smallest counts."""

    def __init__(self, text: str) -> None:
        """Reads lines of KERNEL, COLUMN, ROW, errno, smallest number and median, separated by tabs."""
        self.known: dict[str, int] = {}
        self.refused: set[str] = set()
        for fields in (line.split("\t") for line in text.splitlines()):
            if len(fields) == 6 and fields[5].isdecimal():  # else it is the message of a program that failed
                self.add("/".join(fields[:3]), fields[3], int(fields[4]), int(fields[5]))

    def add(self, name: str, errno: str, least: int, median: int) -> None:
        for key, number in ((name, median), (f"{name}:min", least)):
            self.known[key] = min(self.known.get(key, number), number)
        if errno != "0":
            self.refused.add(name)

    def cell(self, name: str) -> str:
        return ("no " if name in self.refused else "") + str(self.known.get(name, ""))

    def points(self, series: str) -> list[tuple[int, int]]:
        """The costs of a series KERNEL/SERIES-WAY, by how many there are."""
        found = [(name.removeprefix(series + "/"), cost) for name, cost in self.known.items() if name.startswith(series + "/")]
        return sorted((int(many), cost) for many, cost in found if many.isdecimal())


# --- Judging ---

def value(side: str) -> int:
    """The value of sums and products of numbers."""
    return sum(math.prod(map(int, term.split(" * "))) for term in side.split(" + "))


def judge(bound: str, numbers: Numbers) -> tuple[bool, str]:
    """Whether the bound holds, and the bound with its numbers. It does not hold if a number was not measured."""
    if missing := [name for name in NAME.findall(bound) if name not in numbers.known]:
        return False, f"{missing[0]} was not measured"
    bound = NAME.sub(lambda name: str(numbers.known[name[0]]), bound)
    left, compare, right = re.split(" (<=|<|==) ", bound)
    return COMPARE[compare](value(left), value(right)), bound


# --- Showing ---

def bar(columns: int) -> str:
    return "|---|" + "---:|" * columns


def sockets(kernels: list[str], wanted: tuple[str, ...], numbers: Numbers) -> list[str]:
    """A table of what sockets pay on these kernels. It has those of the wanted columns that were measured."""
    shown = {}
    for name, label in table()["columns"].items():
        key = name if "/" in name else f"{kernels[0]}/{name}"
        kernel, column = key.split("/")
        if kernel in kernels and column in wanted and f"{key}/send" in numbers.known:
            shown[key] = label
    lines = ["| |" + "".join(f" {label} |" for label in shown.values()), bar(len(shown))]
    for row, label in table()["rows"].items():
        lines.append(f"| {label} |" + "".join(f" {numbers.cell(f'{key}/{row}')} |" for key in shown))
    return lines


def largest(series: str) -> str:
    """The largest number of a series KERNEL/SERIES-WAY in the runs."""
    for run in table()["runs"]:
        for step in run["steps"]:
            name, _, most = step.rpartition(",")
            if name == "scale," + series.removeprefix(run["numbers"] + "/").replace("-", ","):
                return most
    raise ValueError(f"no run measures {series}")


def scales(numbers: Numbers) -> list[str]:
    """A table of the series of bench/scale.c at their smallest and largest."""
    head = "| many of what | how many | bind with 1 of them | bind with all | to make each | bytes each |"
    lines = [head, bar(5)]
    for series, label in table()["series"].items():
        most = largest(series)
        if f"{series}/{most}" in numbers.known:  # a run that only runs when it is named may never have run
            names = (f"{series}/1", f"{series}/{most}", f"{series}-setup/{most}", f"{series}-bytes/{most}")
            lines.append(f"| {label} | {most} | " + " | ".join(map(numbers.cell, names)) + " |")
    return lines


def processors(numbers: Numbers) -> list[str]:
    """A table of what bench/smp.c counted."""
    lines = ["| processors | " + " | ".join(SMP.values()) + " |", "|" + "---:|" * (1 + len(SMP))]
    for many in (1, 2, 4):
        lines.append(f"| {many} | " + " | ".join(numbers.cell(f"trixie/smp-{column}/{many}") for column in SMP) + " |")
    return lines


def kernel_of(name: str) -> str:
    """The kernel that the numbers of this name are measured on."""
    return next(run["kernel"] for run in table()["runs"] if run["numbers"] == name)


def section(names: list[str], release: str, numbers: Numbers) -> list[str]:
    small = ", small configuration" if kernel_of(names[0]).startswith("row ") else ""
    patch = " and the patch" if any(kernel_of(name).startswith("row patched") for name in names) else ""
    return [f"## Linux {release}{small}", "", f"The module{patch}:", "", *sockets(names, MODULE, numbers), "",
            "The other ways:", "", *sockets(names, OTHERS, numbers), ""]


def page(releases: list[str], bounds: list[str], numbers: Numbers) -> str:
    """What scripts/docs puts into the page. There is a release for each section."""
    lines = []
    for names, release in zip(table()["sections"], releases):
        lines += section(names, release, numbers)
    lines += ["## With many routes, addresses, namespaces or sockets", "", *scales(numbers), ""]
    lines += [f"![{plot['title']}](plots/{name}.svg)" for name, plot in table()["plots"].items()]
    lines += ["", "## On several processors", "", *processors(numbers), "", "## Bounds", "", "```text", *bounds, "```"]
    return "\n".join(lines) + "\n"


PLOT = """\
set terminal svg noenhanced size 640,400 background rgb 'white'
set output '{file}'
set title '{title}'
set xlabel '{axis}'
set ylabel 'instructions for one bind()'
set logscale x
set yrange [0:*]
set key left top
set grid
"""


def plot_script(file: Path, plot: dict, numbers: Numbers) -> str:
    """A program for gnuplot. It draws the costs against how many there are."""
    blocks, lines = [], []
    for number, (series, label) in enumerate(plot["lines"].items()):
        blocks += [f"$line{number} << END", *(f"{many} {cost}" for many, cost in numbers.points(series)), "END"]
        lines.append(f"$line{number} with linespoints linewidth 2 title '{label}'")
    return "\n".join(blocks) + "\n" + PLOT.format(file=file, **plot) + "plot " + ",".join(lines) + "\n"


def draw(folder: Path, numbers: Numbers) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, plot in table()["plots"].items():
        subprocess.run(["gnuplot"], input=plot_script(folder / f"{name}.svg", plot, numbers), text=True, cwd=tree.TOP, check=True)
