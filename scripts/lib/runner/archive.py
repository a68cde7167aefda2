"""What Debian's archive has: the kernels in the lists that apt has read."""

import gzip
import lzma
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from . import matrix, tree

POOL = tree.TOP / "scripts/lib/kernels.sha256"
# apt keeps a list as it is, or compressed.
OPEN = {"": open, ".gz": gzip.open, ".xz": lzma.open}
PACKAGE = re.compile(rb"^Package: linux-(image|headers)-([0-9].*)\n((?:.+\n)*)", re.M)
IN_POOL = re.compile(r"linux-(image|headers)-([0-9].*)_.*_(.*)[.]deb")


@dataclass(frozen=True)
class Found:
    """A kernel of a suite. Its release is what `uname -r` says, such as "6.12.117+deb13-cloud-amd64"."""

    suite: str
    arch: str
    release: str

    @property
    def parts(self) -> tuple[str, str]:
        """The version and the flavour. The flavour stands before or behind the architecture."""
        arch = matrix.architecture(self.arch).get("release", self.arch)
        found = re.fullmatch(rf"(.*?)-((?:[a-z]\w*-)*){arch}((?:-\w+)*)", self.release)
        if not found:
            return self.release, "unknown"
        return found[1], (found[2] + found[3]).strip("-") or "generic"

    @property
    def version(self) -> str:
        return self.parts[0]

    @property
    def flavour(self) -> str:
        return self.parts[1]

    @property
    def series(self) -> str:
        return ".".join(re.findall(r"\d+", self.release)[:2])

    @property
    def name(self) -> str:
        """The name for scripts/kernels in full."""
        return f"{self.suite}@{self.series}-{self.flavour}/{self.arch}"

    def order(self) -> list:
        """Sorts versions as `sort -V` does: numbers as numbers."""
        return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", self.version)]


def packages(text: bytes) -> set[tuple[str, str]]:
    """The images and headers in a list. A metapackage is neither. It can name a release that is gone."""
    return {(kind.decode(), release.decode()) for kind, release, rest in PACKAGE.findall(text) if b"(meta-package)" not in rest}


def pooled(arch: str) -> set[tuple[str, str]]:
    """The images and headers that only kernels.sha256 names."""
    files = (line.split()[-1] for line in POOL.read_text(encoding="utf-8").splitlines())
    return {(found[1], found[2]) for found in map(IN_POOL.fullmatch, files) if found and found[3] == arch}


@cache
def listed(lists: Path, pocket: str, arch: str) -> set[tuple[str, str]]:
    """The images and headers in the list of a pocket. apt gives its file the name."""
    start = f"_dists_{pocket}_main_binary-{arch}_Packages"
    for file in lists.glob(f"*{start}*"):
        if opened := OPEN.get(file.name.partition(start)[2]):
            with opened(file, "rb") as content:
                return packages(content.read())
    tree.die(f"{lists}: no list of {pocket} for {arch}")
    raise AssertionError


def holds(lists: Path, suite: str, arch: str) -> list[Found]:
    """The suite's kernels that can be fetched, the newest first. The module needs the image and its headers."""
    there = pooled(arch).union(*(listed(lists, pocket, arch) for pocket in matrix.pockets_of(suite, arch)))
    found = [Found(suite, arch, release) for kind, release in there if kind == "image" and ("headers", release) in there]
    return sorted(found, key=lambda one: (one.order(), one.release), reverse=True)


def everything(lists: Path) -> list[Found]:
    """What all suites hold, for all architectures."""
    data = matrix.data()
    return [found for name, suite in data["suites"].items() if not suite.get("retired")
            for arch in matrix.architectures_of(name) for found in holds(lists, name, arch)]


def main(arguments: list[str]) -> int:
    """archive LISTS SUITE SERIES FLAVOUR ARCH: prints such releases, the newest first. The series can be "newest".
    archive LISTS: prints the newest kernel of each name."""
    if len(arguments) == 1:
        for name, found in {found.name: found for found in reversed(everything(Path(arguments[0])))}.items():
            print(f"{name:40s} {found.version}")
        return 0
    lists, suite, series, flavour, arch = arguments
    for found in holds(Path(lists), suite, arch):
        if found.flavour == flavour and series in (found.series, "newest"):
            print(found.release)
    return 0
