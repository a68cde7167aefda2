"""Parses and prints KTAP (https://docs.kernel.org/dev-tools/ktap.html), and a last line "N passed, N failed, N skipped"."""

import re
from dataclasses import dataclass, field

RESULT = re.compile(r"^(ok|not ok) (\d+)(?: -)?(?: (.*))?$")
PLAN = re.compile(r"^1\.\.(\d+)")
TOTALS = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")


@dataclass
class Test:
    passed: bool
    number: int
    name: str
    remark: str = ""  # behind the name's "#"
    said: list[str] = field(default_factory=list)  # the diagnostics before it

    @property
    def skipped(self) -> bool:
        return self.passed and self.remark.upper().startswith("SKIP")


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


PASSED, FAILED, SKIPPED = Counts(passed=1), Counts(failed=1), Counts(skipped=1)


@dataclass
class Report:
    tests: list[Test] = field(default_factory=list)
    plan: int | None = None
    totals: Counts | None = None  # only if they are the last line
    diagnostics: list[str] = field(default_factory=list)

    @property
    def counts(self) -> Counts:
        skipped = sum(test.skipped for test in self.tests)
        passed = sum(test.passed for test in self.tests) - skipped
        return Counts(passed, len(self.tests) - passed - skipped, skipped)

    @property
    def failures(self) -> list[Test]:
        return [test for test in self.tests if not test.passed]

    def diagnostic(self, prefix: str) -> list[str]:
        """What follows the prefix in the diagnostics that begin with it."""
        return [line[len(prefix):] for line in self.diagnostics if line.startswith(prefix)]


def parse(text: str) -> Report:
    """The results of the top level. The results of subtests are indented and do not count again."""
    report = Report()
    said: list[str] = []
    for line in text.replace("\r", "").splitlines():
        if not line:
            continue
        report.totals = None
        if match := RESULT.match(line):
            name, _, remark = (match[3] or "").partition("#")
            report.tests.append(Test(match[1] == "ok", int(match[2]), name.strip(), remark.strip(), said))
            said = []
        elif match := PLAN.match(line):
            report.plan = int(match[1])
        elif match := TOTALS.match(line):
            report.totals = Counts(*map(int, match.groups()))
        elif line.startswith("#"):
            said.append(line[1:].strip())
            report.diagnostics.append(line[1:].strip())
    return report


class Printer:
    """Prints results and numbers them. A result can stand for several tests. It is good if none of them failed."""

    def __init__(self) -> None:
        self.number = 0
        self.counts = Counts()

    @staticmethod
    def begin(planned: int) -> None:
        print(f"KTAP version 1\n1..{planned}", flush=True)

    def point(self, name: str, counts: Counts, remark: str = "") -> None:
        self.number += 1
        self.counts += counts
        print("not ok" if counts.failed else "ok", self.number, name + (f" # {remark}" if remark else ""), flush=True)

    def end(self) -> bool:
        """Prints the totals. Nothing passed is a failure too."""
        print(self.counts)
        return self.counts.passed > 0 and not self.counts.failed
