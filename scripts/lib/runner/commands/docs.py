"""scripts/docs: writes the measured tables into the pages of docs/reference, or checks them."""

import argparse
import re
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

from .. import matrix, tables, tree
from ..results import parity
from .check import Check

HELP = """\
scripts/docs                  write the tables of docs/reference, each between its marks
scripts/docs --check [FILE]   only check that parity.md has the printed table, and that kernels.md has each tested kernel

parity.md        IPv4 beside IPv6. selftests/parity prints it on Debian 12's kernel, and the others print the same. FILE is that
                 output. Without FILE a VM prints it.
kernels.md       the kernels, from each run of `RUNS=all scripts/check` on this machine. Kernels from source, or that users bring:
                 from each run of `scripts/configs`, and of `RUNS=all scripts/check FOLDER`
coexistence.md   the neighbours, from the last `RUNS=coexist scripts/check`
performance.md   the costs, from the last `scripts/bench`
coverage.md      the lines that the tests reach, from the last `scripts/configs --debug gcov`
debug.md         the reports of kernels that watch themselves, from the last run of each row of `scripts/configs --debug`
apps-results.md  the programs, from the last `scripts/apps` of each suite
day.md           a load balancer's day, from the last `apps/day/run`
upstream.md      the kernel's own tests, from the last `scripts/upstream`
lab.md           what lets bind succeed, from the last `scripts/lab`
"""


# --- Narrower tables, because these are wider than a page ---

def cells(line: str) -> list[str]:
    return re.split(r" *\| *", line)[1:-1]


def table_line(line: str) -> bool:
    return line.startswith("|")


def by_family(lines: list[str]) -> list[str]:
    """Each of the lab's tables as two, one for IPv4 and one for IPv6."""
    out = []
    for is_table, group in groupby(lines, table_line):
        if not is_table:
            out += group
            continue
        rows = [cells(line) for line in group]
        out += [f"| {' | '.join(row[:4])} |" for row in rows] + [""]
        out += [f"| {' | '.join(row[:1] + row[4:])} |" for row in rows]
    return out


def order_of(line: str) -> str | None:
    """The neighbour, if the line is about one of the orders in which it comes and goes."""
    return cells(line)[0] if re.match(r"\|[^|]*\|[^|]*\| *(first|last) *\|", line) else None


def by_order(lines: list[str]) -> list[str]:
    """The table of neighbours. A neighbour that does the same in each order has one row."""
    out = []
    for name, group in groupby(lines, order_of):
        rows = list(group)
        results = {row.split("|", 4)[4] for row in rows} if name else set()
        if len(rows) > 1 and len(results) == 1:
            rows = [f"| {name} | first or last | first or last |{results.pop()}"]
        out += rows
    return out


NARROWER: dict[str, Callable[[list[str]], list[str]]] = {"coexist": by_order, "lab": by_family}


# --- The pages ---

def printed() -> list[str]:
    """The table that selftests/parity prints in a VM."""
    kernel = matrix.data()["parity_table"]["kernel"]
    with tree.lock("check"):
        check = Check([kernel], ["table"], 3, False)
        check.execute()
        machine = check.jobs["table", kernel].machine
        # This part is no test, so only the exit code counts.
        if machine.read("code").strip() != "0":
            tree.die("parity did not print its table")
        return machine.ktap().splitlines()


def write(name: str, lines: list[str]) -> None:
    page = tables.page_with(name)
    page.write_text(tables.with_lines(page.read_text(encoding="utf-8"), name, lines), encoding="utf-8")


def write_measured(name: str, files: list[Path], command: str) -> None:
    """Puts a table into its page. The files are what the command has left on this machine."""
    if not all(file.exists() for file in files):
        page = tables.page_with(name).relative_to(tree.TOP)
        tree.say(f"{page} keeps its table {name}: {command} makes a new one")
        return
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    write(name, NARROWER.get(name, list)(lines))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/docs", add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--check", nargs="?", const=True, metavar="FILE")
    asked = parser.parse_args(arguments)
    if asked.help:
        print(HELP, end="")
        return 0
    lines = printed() if asked.check in (None, True) else Path(asked.check).read_text(encoding="utf-8").splitlines()
    if asked.check:
        if wrong := parity.complaints(lines):
            tree.die("\n".join(wrong))
        return 0
    write("parity", parity.lists(lines))
    for name, table in matrix.data()["docs"].items():
        write_measured(name, [tree.CACHE / file for file in table["files"]], table["command"])
    return 0
