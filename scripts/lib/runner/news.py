"""Compares the table of kernels, or a repository of prebuilt modules, with Debian's archive."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from . import archive, matrix, tables, tree
from .archive import Found
from .matrix import Kernel


def suite(found: Found) -> dict:
    return matrix.data()["suites"].get(found.suite, {})


def each_series(found: Found) -> bool:
    """True if the table wants each series of the suite. Otherwise it wants only the newest kernel."""
    return suite(found).get("wanted") == "each series"


def is_wanted(found: Found) -> bool:
    patterns = [pattern for rule in matrix.data()["archive"]["unwanted"] for pattern in rule["kernels"]]
    return "wanted" in suite(found) and not any(fnmatchcase(found.name, pattern) for pattern in patterns)


def newest(kernels: Iterable[Found]) -> dict[tuple, Found]:
    """The newest kernel of each row that the table can have."""
    rows: dict[tuple, Found] = {}
    for found in kernels:
        row = found.suite, found.arch, found.flavour, each_series(found) and found.series
        if row not in rows or rows[row].order() < found.order():
            rows[row] = found
    return rows


def short_name(found: Found) -> str:
    """The shortest name for scripts/kernels."""
    name = found.suite
    if each_series(found) and found.series != suite(found).get("series"):
        name += f"@{found.series}"
    if found.flavour != matrix.architecture(found.arch)["flavour"]:
        name += f"-{found.flavour}"
    return name if found.arch == tree.host_arch() else f"{name}/{found.arch}"


def line(found: Found, row: Found | None) -> str:
    """What there is to say about a kernel that is newer than its row, or has none."""
    text = f"{found.suite}, {found.arch}, {found.flavour}: the archive has {found.version}, the table "
    if row:
        return text + row.version
    text += f"nothing of {found.series}" if each_series(found) else "nothing"
    tested = [Kernel(name).full_name for name in matrix.data()["check"]["all"]]
    return text if Kernel(short_name(found)).full_name in tested else f"{text}; `all` lacks {short_name(found)}"


def news(there: Iterable[Found], rows: Iterable[Found]) -> list[str]:
    """What the archive has, and the table lacks or has in an older version."""
    table = newest(rows)
    found = newest(filter(is_wanted, there))
    return [line(found[row], table.get(row)) for row in found if row not in table or table[row].order() < found[row].order()]


def in_repository(repository: Path) -> list[Found]:
    """The kernels that a repository of scripts/packaging/repo has modules for."""
    return [Found(file.parts[-4], arch, release)
            for file in repository.glob("dists/*/main/binary-*/Packages")
            for arch in [file.parent.name.removeprefix("binary-")]
            for release in re.findall(r"^Package: anyip6-modules-(\d.*)$", file.read_text(encoding="utf-8"), re.M)]


def lacking(there: Iterable[Found], built: list[Found]) -> list[str]:
    """The kernels that are newer than the newest one of the same suite, series and flavour that has a module."""
    def newest_of(kernels: Iterable[Found]) -> dict[tuple, Found]:
        order = sorted(kernels, key=Found.order)
        return {(found.suite, found.arch, found.flavour, found.series): found for found in order}
    rows, found = newest_of(built), newest_of(there)
    return [f"{one.suite}, {one.arch}, {one.flavour}: the archive has {found[row].version}, the repository a module for "
            f"{one.version}" for row, one in rows.items() if row in found and one.order() < found[row].order()]


def told(there: list[Found], files: list[Path]) -> list[str]:
    """What to say of the table in a file, of a repository's folder, or of the page."""
    if files and files[0].is_dir():
        built = in_repository(files[0])
        if not built:
            tree.die(f"{files[0]}: no repository with modules; `make repo` makes one")
        return lacking(there, built)
    lines = files[0].read_text(encoding="utf-8").splitlines() if files else tables.in_page("kernels")
    return news(there, [Found(row.suite, row.arch, row.release) for row in tables.tested(lines)])


def main(arguments: list[str]) -> int:
    """news LISTS [TABLE]: prints the news. TABLE is a file with the table, instead of the page, or the folder of a repository."""
    lists, *files = map(Path, arguments)
    for text in told(archive.everything(lists), files):
        print(text)
    return 0
