"""Makes narrower tables of what selftests/parity prints, which has a column for each kind of address, and checks their page."""

import re
from dataclasses import dataclass, field

from .. import tables, tree

FIRST_CLASS = 4  # the columns before: operation, sockets, device, option
NOTHING = "–"
GROUPS = (
    ("^(serve|connect|bind and connect|MPTCP)", "Serve and connect"),
    ("^(ICMP|route|WireGuard)", "What the host says"),
    ("PKTINFO|RECV|source by", "Source of a datagram"),
    ("^bind", "Bind"),
    ("", "Devices of the kernel"),
)


def group_of(operation: str) -> str:
    return next(group for pattern, group in GROUPS if re.search(pattern, operation))


def sort_answers(cells: dict[str, str]) -> tuple[list[str], dict[str, list[str]], dict[str, list[str]]]:
    """The kinds of addresses that work, those that fail by their error, and those where IPv4 and IPv6 differ by both answers."""
    works: list[str] = []
    fails: dict[str, list[str]] = {}
    differ: dict[str, list[str]] = {}
    for kind, cell in cells.items():
        answers = [answer for answer in cell.strip().split("; ") if answer]
        name = kind + (" (some)" if len(answers) > 1 else "")
        for answer in answers:
            if answer.startswith("≠ v4 "):
                both = answer.replace("≠ v4 ", "IPv4 ", 1).replace(" / v6 ", ", IPv6 ", 1)
                differ.setdefault(both, []).append(name)
            elif answer == "ok":
                works.append(name)
            else:
                fails.setdefault(answer, []).append(name)
    return works, fails, differ


@dataclass
class Row:
    text: str
    differ: str


def row(cells: list[str], kinds: list[str]) -> Row:
    operation, sockets, device, option = cells[:FIRST_CLASS]
    works, fails, differ = sort_answers(dict(zip(kinds, cells[FIRST_CLASS:])))
    device = re.sub(f"^{NOTHING}, ", "no device, ", device)
    option = re.sub(f"^{NOTHING}, ", "no option, ", option)
    head = f"**{operation}**" + (f", {option}" if option != NOTHING else "")
    head += f"<br>{sockets}" + (f"<br>bound to {device}" if device != NOTHING else "")
    failing = "<br>".join(f"{error}: {'; '.join(names)}" for error, names in fails.items())
    differing = "<br>".join(f"*{'; '.join(names)}*: {both}" for both, names in differ.items())
    return Row(f"| {head} | {'; '.join(works)} | {failing} |", differing)


@dataclass
class Section:
    name: str = ""
    groups: dict[str, list[Row]] = field(default_factory=dict)

    def lines(self) -> list[str]:
        lines = []
        for group, rows in self.groups.items():
            differ = any(row.differ for row in rows)
            head = "| operation and sockets | works | fails |" + (" IPv4 and IPv6 differ |" if differ else "")
            lines += ["", f"## {self.name}: {group[0].lower()}{group[1:]}", "", head, tables.bar(head)]
            lines += [row.text + (f" {row.differ} |" if differ else "") for row in rows]
        return lines


def lists(printed: list[str]) -> list[str]:
    """The lines of the page: tables with a row for each operation, which lists addresses by answer, and the notes."""
    sections, notes, kinds = [Section()], [], []
    for line in printed:
        if line.startswith("**"):
            sections.append(Section(line.replace("*", "")))
        elif re.match("[0-9]+[.] ", line):
            notes.append(line)
        elif line.startswith("| "):
            cells = line[2:-2].split(" | ")
            if cells[0] == "operation":
                kinds = cells[FIRST_CLASS:]
            else:
                sections[-1].groups.setdefault(group_of(cells[0]), []).append(row(cells, kinds))
    lines = [line for section in sections for line in section.lines()]
    lines += ["", "## Notes", "", *notes] if notes else []
    return lines[1:]


def complaints(printed: list[str]) -> list[str]:
    """How the pages differ from the table that parity printed, and from the kernels that are tested."""
    if not printed:
        return ["the table was not printed"]
    page = tables.page_with("parity")
    text = page.read_text(encoding="utf-8")
    wrong = []
    if tables.with_lines(text, "parity", lists(printed)) != text:
        wrong.append(f"{page.relative_to(tree.TOP)}: the tables are not what parity prints: make docs")
    return wrong + tables.kernel_names()
