"""Finds the faults of the pages: a link that leads nowhere, a page that the index does not reach, a README that is too long."""

import re
from pathlib import Path

from .. import tree

README_LINES = 220
INDEX = "docs/README.md"


def without_code(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes for headings."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.*)", without_code(text), re.MULTILINE):
        anchor = base = re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")
        number = 0
        while anchor in found:
            number += 1
            anchor = f"{base}-{number}"
        found.add(anchor)
    return found


def links(text: str) -> list[str]:
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", without_code(text)) if "://" not in link]


def target(page: Path, link: str) -> tuple[Path, str]:
    path, _, anchor = link.partition("#")
    return ((page.parent / path).resolve() if path else page), anchor


def bad_links(page: Path) -> list[str]:
    wrong = []
    for link in links(page.read_text(encoding="utf-8")):
        path, anchor = target(page, link)
        if not path.exists():
            wrong.append(f"{link}: no such file")
        elif anchor and anchor not in anchors(path.read_text(encoding="utf-8")):
            wrong.append(f"{link}: no such heading")
    return wrong


def complaints(pages: list[str]) -> list[str]:
    top = tree.TOP.resolve()
    wrong = [f"{page}: {what}" for page in pages for what in bad_links(top / page)]
    reached = {target(top / INDEX, link)[0] for link in links((top / INDEX).read_text(encoding="utf-8"))}
    wrong += [f"{INDEX}: does not reach {page}" for page in pages
              if page.startswith("docs/") and page != INDEX and top / page not in reached]
    lines = len((top / "README.md").read_text(encoding="utf-8").splitlines())
    if lines > README_LINES:
        wrong.append(f"README.md: {lines} lines, more than {README_LINES}")
    return wrong


def main(_: list[str]) -> int:
    wrong = complaints(tree.output("git", "ls-files", "*.md").split())
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0
