"""scripts/breaks: checks that the tests find the faults of selftests/breaks."""

import argparse
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .. import build, matrix, tree
from ..ktap import FAILED, PASSED, SKIPPED, Printer
from ..matrix import Kernel
from ..pool import Children, run_all
from ..vm import Job, Settings

HELP = """\
scripts/breaks [BREAK...]   as KTAP; by default all of selftests/breaks

Puts each deliberate break into the module. The patch's line Found-by names the test that must find it:

  fuzz     a wrong answer within a minute, in a VM
  churn    a wrong answer within 20 seconds, in a VM whose processors run at the same time
  kunit    a failed case, on a kernel that runs as a program of this machine
  parity/callers, rule/source   a failed case, in a VM
  nobody   no test can see it. It is skipped. The patch says why

First each test runs on the module without a break, and must find nothing.

KERNEL=NAME     of scripts/kernels: trixie by default
"""
FOLDER = tree.TOP / "selftests/breaks"
WORK = tree.CACHE / "breaks"
MODULE = ("Makefile", "Kbuild", "dkms.conf", "src")
SECONDS = 60  # the time that fuzz has


# --- What the tests said ---

def said(text: str, pattern: str) -> list[str]:
    """The diagnostics that match, subtests included."""
    return re.findall(rf"^ *# ({pattern})$", text.replace("\r", ""), re.M)


def failures(text: str) -> list[str]:
    return re.findall(r"^ *not ok [0-9]+ (.*)$", text.replace("\r", ""), re.M)


@dataclass
class Finding:
    found: bool
    remark: str


def fuzz_finding(text: str) -> Finding:
    """Only the first "found after" is about the module. Later ones are about a fault that the tests plant in the model."""
    after = [int(re.sub("[^0-9]", "", line)) for line in said(text, "found after .*")][:1]
    wrong = (said(text, "wrong:.*") or [""])[0]
    failed = any(name.startswith("fuzz.loaded_and_on_and_off") for name in failures(text))
    return Finding(failed and after != [] and after[0] <= SECONDS, f"{wrong}, after {after[0] if after else '?'} s")


def churn_finding(text: str) -> Finding:
    failed = any(name.startswith("churn.no_answer_wrong") for name in failures(text))
    return Finding(failed, " ".join(said(text, "in all:.*")))


def case_finding(text: str) -> Finding:
    return Finding(failures(text) != [], ";".join(f"not ok: {name}" for name in failures(text)))


FINDINGS = {"fuzz": fuzz_finding, "churn": churn_finding}
FINDINGS |= dict.fromkeys(("kunit", "parity/callers", "rule/source"), case_finding)


def verdict(test: str, text: str, broken: bool) -> Finding:
    """`found` is true if the result is as it must be: the break was found, or nothing in a module without a break."""
    if broken:
        return FINDINGS[test](text)
    totals = re.search(r"^(\d+) passed, 0 failed, ", text, re.M)
    return Finding(bool(totals) and not failures(text), (said(text, "in all:.*") or [""])[-1])


# --- Running them ---

@dataclass
class Break:
    name: str
    test: str
    kernel: Kernel
    broken: bool = True

    @property
    def folder(self) -> Path:
        return WORK / self.name

    def prepare(self) -> None:
        """Copies the module's source, and puts the break into it."""
        source = self.folder / "source"
        source.mkdir(parents=True)
        for part in MODULE:
            copy = shutil.copytree if (tree.TOP / part).is_dir() else shutil.copy
            copy(tree.TOP / part, source / part)
        if self.broken:
            with open(FOLDER / f"{self.name}.patch", "rb") as patch:
                subprocess.run(["patch", "-s", "-d", source, "-p1"], stdin=patch, check=True)

    def run(self, children: Children) -> str:
        """Runs the test. Returns what it printed."""
        if self.test == "kunit":
            with open(self.folder / "ktap", "wb") as ktap:
                children.run([str(tree.TOP / "scripts/kunit"), "--src", str(self.folder / "source/src")], stdout=ktap)
            return (self.folder / "ktap").read_text(encoding="utf-8", errors="replace")
        run = matrix.Run(self.test, (self.test,), parallel=self.test == "churn")
        job = Job(self.kernel, run, self.folder, Settings(), stage=WORK / "stage")
        command = [tree.KERNELS, "build", self.kernel.name, str(self.folder / "source"), str(job.folder.parent)]
        if children.run(command):
            return ""
        job.execute(children)
        return job.ktap()


def found_by(name: str) -> str:
    match = re.search(r"^Found-by: (.*)$", (FOLDER / f"{name}.patch").read_text(encoding="utf-8"), re.M)
    return match[1] if match else ""


def wanted(names: list[str], kernel: Kernel) -> list[Break]:
    """The breaks, and before them each of their tests with the module without a break."""
    breaks = [Break(name, found_by(name), kernel) for name in names]
    tests = sorted({each.test for each in breaks} - {"nobody"})
    return [Break(f"none-{test}", test, kernel, broken=False) for test in tests] + breaks


def examine(breaks: list[Break], children: Children) -> bool:
    printer = Printer()
    for each in breaks:
        if each.test == "nobody":
            printer.point(f"breaks.{each.name}", SKIPPED, "SKIP no test here can see it")
            continue
        tree.say(f"{each.name}: testing")
        each.prepare()
        finding = verdict(each.test, each.run(children), each.broken)
        print(f"# {each.name}: {finding.remark}")
        if not finding.found:
            print(f"# {each.name}: see {each.folder}")
        printer.point(f"breaks.{each.name}", PASSED if finding.found else FAILED)
    return printer.end()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/breaks", add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args(arguments)
    if asked.help:
        print(HELP, end="")
        return 0
    build.need("patch")
    names = asked.names or sorted(path.stem for path in FOLDER.glob("*.patch"))
    for name in names:
        if not (FOLDER / f"{name}.patch").exists():
            tree.die(f"{name}: no such break; they are in {FOLDER.relative_to(tree.TOP)}")
    breaks = wanted(names, Kernel(os.environ.get("KERNEL") or "trixie"))
    good: list[bool] = []
    with tree.lock("breaks"):
        shutil.rmtree(WORK, ignore_errors=True)
        WORK.mkdir(parents=True)
        Printer.begin(len(breaks))
        run_all(1, [lambda children: build.selftests(breaks[0].kernel.arch, WORK, children)])
        run_all(1, [lambda children: good.append(examine(breaks, children))])
    return 0 if good == [True] else 1
