"""scripts/lib/coverage: prints which lines and branches of src/ the selftests reach."""

import base64
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .. import tree

HELP = """\
scripts/lib/coverage SUITE DIR

Prints the tables of docs/reference/coverage.md, for a module built with GCOV_PROFILE=y in SUITE's root. DIR has the notes of
its build, *.gcno. DIR/ktap is what the selftests printed on a kernel with gcov.

scripts/lib/coverage.toml has reasons for lines that are not reached, and the shares to reach. The command fails if a line is not
reached and has no reason, if a reason's line does not exist, or if the shares are not reached.

TRACE_EVENT makes several functions of one line. The line counts once. Its branches do not count, because they are the kernel's.
"""
REASONS = tree.TOP / "scripts/lib/coverage.toml"
HOME = "/usr/src/anyip6/source"  # the kernel's source in a suite's root
ALL = ""  # the sum of the files


def share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.1f} %)" if whole else "-"


@dataclass
class Coverage:
    """Reads gcov's text. With -t it has the count of each line, followed by the counts of the line's branches."""

    sources: str  # the folder of the files that count, with a slash at its end
    reasons: list[list[str]]
    files: list[str] = field(default_factory=list)
    lines: Counter = field(default_factory=Counter)
    reached: Counter = field(default_factory=Counter)
    branches: Counter = field(default_factory=Counter)
    taken: Counter = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    function: str = ""
    file: str = ""
    last: int = 0
    again: bool = False  # the line was there before: gcov repeats it for each of its functions

    def reason(self, file: str, function: str, text: str) -> str:
        for number, (in_file, in_function, begin, why) in enumerate(self.reasons):
            if (in_file, in_function) == (file, function) and text.startswith(begin):
                self.used.add(number)
                return why
        return ""

    def miss(self, file: str, function: str, text: str, why: str) -> None:
        if not why:
            self.wrong.append(f"{file}: {function}(): not reached, and no reason why: {text}")
        self.missed.append(f"| {file} | {function} | `{text}` | {why} |")

    def add(self, counter: Counter, count: int = 1) -> None:
        counter[self.file] += count
        counter[ALL] += count

    def read(self, text: str) -> None:
        for line in text.splitlines():
            if match := re.match(r" *-: *0:Source:(.*)", line):
                self.begin(match[1])
            elif self.file and line.startswith("branch"):
                self.read_branch(line.split())
            elif self.file and (match := re.match(r" *([^ :]+): *([0-9]+):(.*)", line)):
                self.read_line(match[1], int(match[2]), match[3])

    def begin(self, path: str) -> None:
        self.file = path.removeprefix(self.sources) if path.startswith(self.sources) else ""
        self.last = 0
        if self.file:
            self.files.append(self.file)

    def read_branch(self, words: list[str]) -> None:
        if not self.again:
            self.add(self.branches)
            self.add(self.taken, words[2] == "taken" and int(words[3]) > 0)

    def read_line(self, count: str, number: int, text: str) -> None:
        self.again = number <= self.last
        if self.again:
            return
        self.last = number
        if re.match("[a-z]", text) and (match := re.search(r"([a-z0-9_]+)\(", text)):
            self.function = match[1]
        text = text.strip()
        why = self.reason(self.file, self.function, text)
        if count == "-":  # the line has no code, or the compiler merged it with another line
            return
        self.add(self.lines)
        if count[0] in "#=":
            self.miss(self.file, self.function, text, why)
        else:
            self.add(self.reached)

    def end(self, names: list[str], shares: dict[str, float]) -> None:
        """Checks that all files and all reasons were found, and that the shares are reached."""
        for name in reversed(names):
            if name not in self.files:
                self.miss(name, "all", "...", self.reason(name, "all", "..."))
        for number, (file, function, begin, _) in enumerate(self.reasons):
            if number not in self.used:
                self.wrong.append(f"{file}: {function}(): no such line: {begin}")
        for name, part, whole in (("lines", self.reached, self.lines), ("branches", self.taken, self.branches)):
            if part[ALL] < shares[name] * whole[ALL] or not whole[ALL]:
                self.wrong.append(f"less than {shares[name]:.0%} of the {name}".replace("%", " %"))

    def row(self, name: str, file: str) -> str:
        return f"| {name} | {share(self.reached[file], self.lines[file])} | {share(self.taken[file], self.branches[file])} |"

    def tables(self) -> str:
        return "\n".join([
            "| file | lines reached | branches taken |", "|---|---|---|",
            *(self.row(file, file) for file in self.files), self.row("all", ALL), "",
            "| file | function | line not reached | why |", "|---|---|---|---|", *self.missed])


def unpack(ktap: str, notes: Path, root: Path) -> Path:
    """Makes the folder that the module was built in again, because gcov looks there. Returns its path in the root."""
    built = None
    for line in ktap.replace("\r", "").splitlines():
        if not line.startswith("# gcda "):
            continue
        file, data = line.split()[2:4]
        inside = root / file.lstrip("/")
        if not built:
            built = Path(file.partition("/src/")[0])
            shutil.rmtree(inside.parent, ignore_errors=True)
            inside.parent.mkdir(parents=True)
            for source in (tree.TOP / "src").glob("*.[ch]"):
                shutil.copy(source, inside.parent)
        inside.write_bytes(base64.b64decode(data))
        shutil.copy(notes / f"{inside.stem}.gcno", inside.parent)
    if not built:
        tree.die(f"{notes}/ktap: no data of gcov")
    return built


def gcov(suite: str, built: Path, log: Path) -> str:
    command = [tree.KERNELS, "run", suite, "sh", "-c", 'cd "$0/src" && gcov -b -c -t ./*.gcda', str(built)]
    with open(log, "wb") as file:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=file, text=True, check=True).stdout


def main(arguments: list[str]) -> int:
    if arguments[:1] in (["-h"], ["--help"]):
        print(HELP, end="")
        return 0
    if len(arguments) != 2:
        print(HELP, end="", file=sys.stderr)
        return 2
    suite, folder = arguments[0], Path(arguments[1]).resolve()
    with open(REASONS, "rb") as file:
        known = tomllib.load(file)
    root = Path(tree.output(tree.KERNELS, "source", suite).removesuffix(HOME))
    built = unpack((folder / "ktap").read_text(encoding="utf-8", errors="replace"), folder, root)
    try:
        text = gcov(suite, built, folder / "gcov.log")
    finally:
        shutil.rmtree(root / str(built).lstrip("/"), ignore_errors=True)
    coverage = Coverage(f"{built}/src/", known["reasons"])
    coverage.read(text)
    coverage.end(sorted(path.name for path in (tree.TOP / "src").glob("*.c")), known)
    print(coverage.tables())
    for line in coverage.wrong:
        print(f"coverage: {line}", file=sys.stderr)
    return 1 if coverage.wrong else 0
