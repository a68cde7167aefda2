"""Makes tables of results in markdown, and reads the tables that pages have between marks."""

import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from . import matrix, tree
from .ktap import Counts

SOURCE_HEAD = "| kernel | source | configuration | built with | passed | failed | skipped | seconds |"
KERNEL_HEAD = "| kernel | suite, arch, flavour | built with | passed | failed | skipped | seconds |"


def bar(head: str) -> str:
    return "|" + "---|" * (head.count("|") - 1)


def compiler(module: Path) -> str:
    """The compiler that built the module, such as "gcc 12.2.0"."""
    found = re.search(r"(GCC|clang)(?:: \(.*\)| version) ([0-9.]+)", tree.output("readelf", "-p", ".comment", str(module)))
    return f"{found[1].lower()} {found[2]}" if found else ""


def kernel_row(jobs: list) -> str:
    """The row for all runs of one kernel."""
    kernel, folder = jobs[0].kernel, jobs[0].folder.parent
    release = (jobs[0].verdict().report.diagnostic("kernel ") or [""])[0]
    counts = sum((job.verdict().counts for job in jobs), Counts())
    cells = [release, ", ".join([kernel.suite, kernel.arch, kernel.flavour]), compiler(folder / "anyip6.ko"),
             counts.passed, counts.failed, counts.skipped, sum(job.seconds() for job in jobs)]
    return "| " + " | ".join(map(str, cells)) + " |"


def by_release(head: str, rows: Iterable[str]) -> str:
    """The table, sorted by the releases in its first column."""
    text = subprocess.run(["sort", "-V"], input="\n".join(rows), stdout=subprocess.PIPE, text=True, check=True).stdout
    return "\n".join([head, bar(head), text.strip()]).strip() + "\n"


def kernels(jobs_of: list[list]) -> str:
    """A row for each list of jobs."""
    return by_release(KERNEL_HEAD, (kernel_row(jobs) for jobs in jobs_of))


def keep(name: str, head: str, rows: list[str], key: Callable[[str], tuple | None]) -> None:
    """Keeps rows for a page's table. A row replaces the one with its key. The other rows are those of earlier runs here, and of
    the page. If both have a row, the newer kernel wins."""
    file = tree.CACHE / f"{name}.md"
    before = in_page(name) + (file.read_text(encoding="utf-8").splitlines() if file.exists() else [])
    kept: dict[tuple, str] = {}
    for line in by_release(head, before).splitlines() + rows:
        if re.match(r"\| \d", line) and (found := key(line)):
            kept[found] = line
    file.write_text(by_release(head, kept.values()), encoding="utf-8")


def kernel_key(line: str) -> tuple | None:
    """A suite has one row of each flavour, or one of each flavour and series. A kernel that check-all does not test has none."""
    row, = tested([line])
    if row.describe() not in all_tested():
        return None
    each = matrix.data()["suites"][row.suite].get("wanted") == "each series"
    return row.suite, row.arch, row.flavour, each and re.match(r"\d+\.\d+", row.release)[0]


def keep_kernels(jobs_of: list[list]) -> None:
    """Keeps rows for the page's table of the archive's kernels."""
    keep("kernels", KERNEL_HEAD, [kernel_row(jobs) for jobs in jobs_of], kernel_key)


def source_key(line: str) -> tuple:
    return tuple(line.split(" | ")[1:3])


def keep_sources(rows: list[list]) -> None:
    """Keeps rows for the page's table of kernels that are not of the archive."""
    keep("sources", SOURCE_HEAD, ["| " + " | ".join(map(str, row)) + " |" for row in rows], source_key)


def brought_row(jobs: list) -> list:
    """The row of a kernel that the user brings, with its distribution's configuration."""
    release, names, *rest = kernel_row(jobs).strip("| ").split(" | ")
    return [release, names.split(",")[0], "the distribution's", *rest]


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


def marked(name: str) -> re.Pattern:
    """The two marks of a table, and what is between them."""
    return re.compile(rf"^(<!-- {name}: [^\n]* -->\n)(.*?)^(<!-- /{name} -->)$", re.M | re.S)


def in_page(name: str) -> list[str]:
    """The lines between the marks, without the empty ones."""
    between = marked(name).search(page_with(name).read_text(encoding="utf-8"))
    return [line for line in between[2].splitlines() if line] if between else []


def with_lines(text: str, name: str, lines: list[str]) -> str:
    """The text of a page, with these lines between the marks."""
    between = "\n".join(["", *lines, "", ""])
    return marked(name).sub(lambda found: found[1] + between + found[3], text)


@dataclass(frozen=True)
class Tested:
    """A row of the table of kernels."""

    release: str
    suite: str
    arch: str
    flavour: str

    def describe(self) -> str:
        return f"{self.suite} {self.arch} {self.flavour}"


def tested(lines: list[str]) -> list[Tested]:
    """The rows of the table."""
    found = (re.match(r"\| ([0-9]\S*) \| (\S+), (\S+), (\S+) \|", line) for line in lines)
    return [Tested(*row.groups()) for row in found if row]


def all_tested() -> list[str]:
    return [matrix.Kernel(name).describe() for name in matrix.data()["check"]["all"]]


def kernel_names() -> list[str]:
    """How the page of the tested kernels differs from the kernels that are tested."""
    has = [row.describe() for row in tested(in_page("kernels"))]
    names = all_tested()
    page = page_with("kernels").relative_to(tree.TOP)
    wrong = [f"{page}: no row of {name}: make check-all, make docs" for name in Counter(names) - Counter(has)]
    return wrong + [f"{page}: {name} is not tested: make check-all, make docs" for name in Counter(has) - Counter(names)]


def source_names() -> list[str]:
    """The rows of the page that are built from a suite's source, and are in no table of configurations."""
    rows = [line.strip("| ").split(" | ") for line in in_page("sources")]
    have = [(f"Debian {row.get('suite')}", row["name"]) for row in matrix.rows("configs")]
    return [f"{page_with('sources').relative_to(tree.TOP)}: {source} has no configuration {name}"
            for _, source, name, *_ in rows[2:] if source.startswith("Debian ") and (source, name) not in have]


def main(_: list[str]) -> int:
    """Prints the complaints about the pages' tables, for lint."""
    wrong = kernel_names() + source_names()
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0
