"""scripts/upstream: compares what the kernel's own tests say without patches/ and with them."""

import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path

from .. import judge, matrix, tables, tree
from ..ktap import FAILED, PASSED, RESULT, Counts, Printer

# What lib.sh and the older scripts print.
SCRIPT_RESULT = re.compile(r"^\s*TEST: (.*?)\s*\[\s*(OK|FAIL|SKIP|XFAIL|XPASS)\s*\]")
KINDS = {"OK": "passed", "XFAIL": "passed", "FAIL": "failed", "XPASS": "failed", "SKIP": "skipped"}
BEGIN, END, NAMESPACES = "BEGIN ", "END ", "NAMESPACES "
CODES = {0: "passed", 1: "failed", 4: "skipped"}  # kselftest's
RUNS = {"before": "without the patches", "off": "anyip_bind=0", "on": "anyip_bind=1"}


@dataclass
class Outcome:
    """What one test said: pairs of a kind and a name. The code is that of its end."""

    results: list[tuple[str, str]] = field(default_factory=list)
    code: int | None = None

    @property
    def ended(self) -> bool:
        """A time limit and a command that a script does not survive give other codes."""
        return self.code in CODES

    def add(self, line: str) -> None:
        if found := SCRIPT_RESULT.match(line):
            self.results.append((KINDS[found[2]], found[1]))
        elif found := RESULT.match(line):
            name, _, remark = (found[3] or "").partition("#")
            kind = "failed" if found[1] != "ok" else "skipped" if remark.strip().upper().startswith("SKIP") else "passed"
            self.results.append((kind, name.strip()))

    @property
    def counts(self) -> Counts:
        """Counts the results. A test that prints none counts as its exit code."""
        kinds = [kind for kind, _ in self.results] or [CODES.get(self.code, "failed")]
        return Counts(kinds.count("passed"), kinds.count("failed"), kinds.count("skipped"))

    def cell(self) -> str:
        """The counts that are not zero."""
        words = [f"{number} {kind}" for kind, number in vars(self.counts).items() if number]
        return ", ".join(words * bool(self.results or self.ended) + ["did not end"] * (not self.ended))

    def lines(self) -> list[str]:
        return [f"{kind}: {name}" for kind, name in self.results] + [f"exit code {self.code}"]


def parse(text: str) -> tuple[dict[str, Outcome], int]:
    """The outcome of each test, and the number of namespaces that were given the sysctl."""
    outcomes: dict[str, Outcome] = {}
    outcome, namespaces = Outcome(), 0
    for line in text.replace("\r", "").splitlines():
        if line.startswith(BEGIN):
            outcome = outcomes[line.removeprefix(BEGIN)] = Outcome()
        elif line.startswith(END):
            outcome.code = int(line.removeprefix(END))
        elif line.startswith(NAMESPACES):
            namespaces = int(line.removeprefix(NAMESPACES))
        else:
            outcome.add(line)
    return outcomes, namespaces


def differences(before: Outcome, after: Outcome) -> list[str]:
    """The lines that differ: "- " was before, "+ " is after."""
    return [line for line in difflib.ndiff(before.lines(), after.lines()) if line[:2] in ("- ", "+ ")]


class Comparison:
    def __init__(self, work: Path, tests: list[str]) -> None:
        self.work, self.tests = work, tests
        self.printer = Printer()
        self.outcomes: dict[str, dict[str, Outcome]] = {}
        self.of_the_series = matrix.data()["upstream"]["of_the_series"]

    def point(self, name: str, problems: list[str]) -> None:
        for problem in problems:
            print(f"# {problem}")
        self.printer.point(name, FAILED if problems else PASSED)

    def machine(self, run: str) -> None:
        """Judges a VM, and reads what its tests said."""
        code = int((self.work / f"{run}.code").read_text(encoding="utf-8"))
        console = (self.work / f"{run}.console").read_text(encoding="utf-8", errors="replace")
        self.outcomes[run], namespaces = parse((self.work / run).read_text(encoding="utf-8", errors="replace"))
        problems = [f"exit code {code}; the console is in {self.work}/{run}.console"] if code else []
        problems += [fault] if (fault := judge.console_fault(console)) else []
        problems += ["no namespace got the sysctl"] if run != "before" and not namespaces else []
        self.point(f"{RUNS[run]}: the machine", problems)

    def compare(self, test: str, run: str) -> None:
        before, after = (self.outcomes[name].get(test, Outcome()) for name in ("before", run))
        if test in self.of_the_series:
            problems = after.lines() if after.counts.failed else []
        else:
            problems = differences(before, after) + ["it did not end without the patches"] * (not before.ended)
        problems += ["it did not end"] * (not after.ended)
        self.point(f"{test}, {RUNS[run]}", problems)

    def table(self) -> str:
        head = "| test | " + " | ".join(RUNS.values()) + " |"
        rows = []
        for test in self.tests:
            cells = ["-" if run == "before" and test in self.of_the_series else self.outcomes[run].get(test, Outcome()).cell()
                     for run in RUNS]
            rows.append(f"| {test} | {' | '.join(cells)} |")
        return "\n".join([head, tables.bar(head), *rows]) + "\n"

    def tell(self) -> bool:
        compared = [(test, run) for test in self.tests for run in ("off", "on")]
        self.printer.begin(len(RUNS) + len(compared))
        for run in RUNS:
            self.machine(run)
        for test, run in compared:
            self.compare(test, run)
        table = self.table()
        print("".join(f"# {line}\n" for line in table.splitlines()), end="")
        if self.tests == matrix.data()["upstream"]["tests"]:
            (tree.CACHE / "upstream.md").write_text(table, encoding="utf-8")
        return self.printer.end()


def main(arguments: list[str]) -> int:
    """upstream FOLDER TEST...: FOLDER has the output, the exit code and the console of each run."""
    return 0 if Comparison(Path(arguments[0]), arguments[1:]).tell() else 1
