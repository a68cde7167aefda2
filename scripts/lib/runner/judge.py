"""Judges whether a VM's run has passed, by its exit code, its console and its KTAP."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from . import ktap
from .ktap import Counts, Report

FAULTS_FILE = Path(__file__).resolve().parents[1] / "console-faults"
# A line by the kernel, wherever it begins on the console. Lines by a command are not by the kernel, whatever they say.
FROM_KERNEL = r"\[ *[0-9]+\.[0-9]{6}\](?:\[[^]]*\])? .*"
# kselftest's harness prints these for each failure.
NOISE = re.compile(r"^FAIL |: Test failed$|^ *RUN ")
SAID = 3  # the number of a failed test's lines that are shown
# The exit codes of scripts/vm itself.
CODES = {124: "ended at its time limit", 125: "no clean end of the machine"}


def fault_pattern() -> re.Pattern:
    lines = FAULTS_FILE.read_text(encoding="utf-8").splitlines()
    return re.compile(FROM_KERNEL + "(?:" + "|".join(line for line in lines if line and line[0] != "#") + ")")


def console_fault(console: str) -> str:
    """The first line in which the kernel complains, or "" if there is none."""
    pattern = fault_pattern()
    for line in console.replace("\r", "").splitlines():
        if match := pattern.search(line):
            return line[match.start():]
    return ""


def plan_problems(report: Report) -> list[str]:
    """The problems of the KTAP as a whole."""
    if report.plan is None:
        return [f"no plan: the tests ended early, after {len(report.tests)} results"]
    problems = []
    if len(report.tests) != report.plan:
        problems.append(f"{len(report.tests)} results where {report.plan} were planned")
    if report.totals is None:
        problems.append("no totals at the end")
    elif report.totals != report.counts:
        problems.append(f"the totals say {report.totals}, the results are {report.counts}")
    return problems


@dataclass
class Verdict:
    counts: Counts
    problems: list[str] = field(default_factory=list)  # of the run as a whole
    report: Report = field(default_factory=Report)

    @property
    def good(self) -> bool:
        return not self.counts.failed

    def lines(self) -> list[str]:
        """The reasons why it failed, one in each line."""
        found = list(self.problems)
        for test in self.report.failures:
            found.append(f"not ok {test.number} {test.name}" + (f" # {test.remark}" if test.remark else ""))
            found += ["    " + line for line in test.said if not NOISE.search(line)][-SAID:]
        return found


def judge(output: str, code: int, console: str = "") -> Verdict:
    """A run that died or warned counts at least one failure, whatever its tests said. So does a run without a pass."""
    report = ktap.parse(output)
    counts = report.totals or report.counts
    problems = []
    if fault := console_fault(console):
        problems.append(f"the kernel complained: {fault}")
    elif code in CODES:
        problems.append(CODES[code])
    problems += plan_problems(report)
    if code and code not in CODES and not problems and not counts.failed:
        problems.append(f"exit code {code}, and no test failed")
    if not counts.passed:
        problems.append("nothing passed")
    extra = not counts.passed or (problems and not counts.failed)
    return Verdict(counts + Counts(failed=1 if extra else 0), problems, report)
