"""Makes tables of results in markdown, and reads the tables that pages have between marks."""

import re
import subprocess
from pathlib import Path

from . import matrix, tree
from .ktap import Counts

KERNEL_HEAD = "| kernel | suite | arch | flavour | built with | passed | failed | skipped | seconds |"


def bar(head: str) -> str:
    return "|" + "---|" * (head.count("|") - 1)


def compiler(module: Path) -> str:
    """The compiler that built the module, such as "gcc 12.2.0"."""
    found = re.search(r"GCC: \(.*\) ([0-9.]+)(?: [0-9]+)?$", tree.output("readelf", "-p", ".comment", str(module)), re.M)
    return f"gcc {found[1]}" if found else ""


def kernel_row(jobs: list) -> str:
    """The row for all runs of one kernel."""
    kernel, folder = jobs[0].kernel, jobs[0].folder.parent
    release = (jobs[0].verdict().report.diagnostic("kernel ") or [""])[0]
    counts = sum((job.verdict().counts for job in jobs), Counts())
    cells = [release, kernel.suite, kernel.arch, kernel.flavour, compiler(folder / "anyip6.ko"),
             counts.passed, counts.failed, counts.skipped, sum(job.seconds() for job in jobs)]
    return "| " + " | ".join(map(str, cells)) + " |"


def kernels(jobs_of: list[list]) -> str:
    """A row for each list of jobs, sorted by release."""
    rows = "\n".join(kernel_row(jobs) for jobs in jobs_of)
    rows = subprocess.run(["sort", "-V"], input=rows, stdout=subprocess.PIPE, text=True, check=True).stdout
    return "\n".join([KERNEL_HEAD, bar(KERNEL_HEAD), rows.strip()]).strip() + "\n"


def coexist_cells(jobs: list) -> dict[str, list[str]]:
    """What each kernel did, by neighbour and order. "?" marks a test that a VM did not reach."""
    rows: dict[str, list[str]] = {}
    for column, job in enumerate(jobs):
        for test in job.verdict().report.tests:
            if not (match := re.match(r"coexist\.([^. ]+)\.([^. ]+)\.([^. _]+)_([^. ]*)", test.name)):
                continue
            row = rows.setdefault(f"| {match[1]} | {match[3]} | {match[4].split('_')[0]} |", ["?"] * len(jobs))
            row[column] = "FAILED" if not test.passed else "" if test.skipped else match[2]
    return rows


def coexist(jobs: list) -> str:
    head = "| neighbour | comes | goes |"
    for job in jobs:
        head += " " + (job.verdict().report.diagnostic("kernel ") or ["?"])[0] + " |"
    rows = [f"{row} {' | '.join(cells)} |" for row, cells in coexist_cells(jobs).items()]
    return "\n".join([head, bar(head), *rows]) + "\n"


def page_with(name: str) -> Path:
    """The page that has the mark of the table."""
    for page in [tree.TOP / "README.md", *sorted((tree.TOP / "docs").rglob("*.md"))]:
        if f"<!-- {name}: " in page.read_text(encoding="utf-8"):
            return page
    tree.die(f"no page has a table named {name}")
    raise AssertionError


def in_page(name: str) -> list[str]:
    """The lines between the marks, without the empty ones."""
    text = page_with(name).read_text(encoding="utf-8")
    between = re.search(rf"^<!-- {name}: .*? -->\n(.*?)^<!-- /{name} -->$", text, re.M | re.S)
    return [line for line in between[1].splitlines() if line] if between else []


def parity_complaints(printed: list[str], folder: Path) -> list[str]:
    """How the page differs from the table that parity printed. The page has narrower tables, which scripts/docs makes."""
    if not printed:
        return ["the table was not printed"]
    (folder / "table").write_text("\n".join(printed) + "\n", encoding="utf-8")
    done = subprocess.run([tree.TOP / "scripts/docs", "--check", folder / "table"], capture_output=True, text=True, check=False)
    return done.stderr.splitlines() or [f"scripts/docs ended with {done.returncode}"] if done.returncode else []


def kernel_names() -> list[str]:
    """How the page of the tested kernels differs from the kernels that are tested."""
    has = []
    for line in in_page("kernels"):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0][:1].isdigit():
            has.append(cells[1].replace(",", ""))
    tested = [matrix.Kernel(name).describe() for name in matrix.data()["check"]["all"]]
    page = page_with("kernels").relative_to(tree.TOP)
    wrong = [f"{page}: no row of {name}: make check-all, make docs" for name in tested if name not in has]
    return wrong + [f"{page}: {name} is not tested: make check-all, make docs" for name in has if name not in tested]


def main(_: list[str]) -> int:
    """Prints the complaints about the pages' tables, for lint."""
    wrong = kernel_names()
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0
