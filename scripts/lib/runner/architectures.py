"""Compares the list of architectures in matrix.toml with the files that repeat it."""

import re
from collections.abc import Iterable

from . import matrix, tree

# The key of matrix.toml that each file repeats, and how.
COPIES = {
    "Kbuild": ("option", r"^anyip6-tested := (.*)$"),
    "dkms.conf": ("uname", r'^ *BUILD_EXCLUSIVE_ARCH="\^\((.*)\)\$"$'),
    "packaging/anyip6.spec": ("uname", r"^ExclusiveArch: (.*)$"),
}
# These pages must name them, as in "x86-64, arm64 and riscv64". Other pages may.
PAGES = ["CHANGELOG.md", "README.md", "SECURITY.md", "docs/install.md", "docs/reference/kernels.md", "docs/troubleshooting.md"]
LIST = re.compile(r"x86-64(?:,\s+[a-z]+[0-9]+[a-z]*)*\s+(?:and|or)\s+[a-z]+[0-9]+[a-z]*")


def names(key: str) -> list[str]:
    return [entry[key] for entry in matrix.tested().values()]


def in_copy(file: str, text: str) -> list[str]:
    key, pattern = COPIES[file]
    found = re.search(pattern, text, re.M)
    has = re.findall(r"\w+", found[1]) if found else []
    return [] if has == names(key) else [f"{file}: has {' '.join(has) or 'nothing'}, matrix.toml has {' '.join(names(key))}"]


def in_page(page: str, text: str) -> list[str]:
    lists = [" ".join(one.split()) for one in LIST.findall(text)]
    if page in PAGES and not lists:
        return [f"{page}: does not name the architectures"]
    return [f"{page}: {one}: matrix.toml has {', '.join(names('title'))}" for one in lists
            if re.findall(r"[a-z]+[0-9]+[0-9a-z-]*", one) != names("title")]


def complaints(pages: Iterable[str]) -> list[str]:
    def text(name: str) -> str:
        return (tree.TOP / name).read_text(encoding="utf-8")
    wrong = [line for file in COPIES for line in in_copy(file, text(file))]
    return wrong + [line for page in pages for line in in_page(page, text(page))]


def main(_: list[str]) -> int:
    """Prints the complaints, for lint."""
    wrong = complaints(tree.output("git", "ls-files", "*.md").split())
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0
