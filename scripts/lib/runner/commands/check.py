"""scripts/check: runs every test in VMs, and prints KTAP."""

import argparse
import os
import shutil
import subprocess

from .. import brought, build, matrix, tables, tree
from ..ktap import FAILED, PASSED, SKIPPED, Printer
from ..matrix import Kernel
from ..pool import longest_first, measured, run_all
from ..results import parity
from ..vm import Job, Settings, at_once, number

HELP = """\
scripts/check [--all] [NAME...]   test on the kernels NAME (see scripts/kernels). A NAME can be a folder with a kernel of yours

KERNELS="NAME..."  the same as arguments; by default the oldest kernel, the one of this machine's own suite, and the newest
--all              test all kernels below, each with the run `all`, and keep the table for `make docs`
RUNS="RUN..."      only these of the runs below, or single parts or programs of selftests/run.sh
CYCLES=N           number of loads and unloads in the storm, and of wireguard, sctp and l2tp_ip6: 3 by default, 2 with --all
STORM=SEC          the storm lasts at least SEC seconds, and at least CYCLES loads and unloads: 0 by default
REST=MS            in the storm each process that asks for addresses rests MS milliseconds between two: 0 by default
CHURN=SEC          the churn lasts SEC seconds: 20 by default
FUZZ=N             number of sequences in the run `fuzz`: 20 by default
FUZZ_OPS=N         number of operations in each sequence: 5000 by default
FUZZ_SEED=N        the seed of the first sequence: 1 by default
JOBS=N             N VMs at once, of 1 GB each: by default one for each processor
LIMIT=SEC          time limit of a VM: by default 1800, or 3600 if another architecture is emulated, and more for CYCLES, STORM,
                   FUZZ and neighbours

The VMs that took longest at their last pass here begin first. The last lines name what failed. With --all, lines "# NEWS" before
them say what the archive has and the table lacks.
"""


def help_text() -> str:
    lines = [HELP, "The runs, each a VM, and the parts of selftests/run.sh that it has:", ""]
    for name in matrix.data()["runs"]:
        run = matrix.run(name)
        extra = [run.append] if run.append else []
        extra += ["processors at the same time"] if run.parallel else []
        lines.append(f"{name:16s}{' '.join(run.parts)}" + (f" ({', '.join(extra)})" if extra else ""))
    lines += ["", "The kernels of --all:", "", *matrix.data()["check"]["all"]]
    return "\n".join(lines)


class Check:
    """The tests that are asked for, and their results."""

    def __init__(self, kernels: list[str], runs: list[str], cycles: int, everything: bool) -> None:
        self.work = tree.CACHE / "check"
        self.everything = everything
        self.kernels = [Kernel(name) for name in kernels]
        self.runs = [matrix.run(name) for name in runs]
        settings = Settings(cycles=number("CYCLES", cycles))
        self.jobs = {(run.name, kernel.name): Job(kernel, run, self.work, settings)
                     for run in self.runs for kernel in self.kernels}
        self.printer = Printer()
        self.failed: list[str] = []

    # --- Doing ---

    def execute(self) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        build.need_perf(self.runs)
        build.everything(self.kernels, self.work, at_once())
        jobs = {job.name: job for job in self.jobs.values() if self.is_built(job.kernel)}
        order = longest_first(list(jobs), measured())
        run_all(at_once(), [jobs[name].execute for name in order])

    def is_built(self, kernel: Kernel) -> bool:
        return build.is_built(kernel, self.work)

    # --- Telling ---

    def report(self, job: Job) -> None:
        """Prints the run's KTAP as a subtest."""
        verdict = job.verdict()
        print(f"    # Subtest: {job.name}")
        for line in job.ktap().splitlines():
            print("    " + line)
        for problem in verdict.problems:
            print(f"    # {problem}")
        self.printer.point(job.name, verdict.counts)
        if not verdict.good:
            self.failed += [f"{job.name}: {line}" for line in verdict.lines()]
            self.failed.append(f"{job.name}: the console is in {job.folder}/console.log")

    def report_missing(self, job: Job) -> None:
        """Reports a kernel that was not fetched, or has no module. A retired suite may be gone."""
        if subprocess.run([tree.KERNELS, "retired", job.kernel.name], check=False).returncode == 0:
            self.printer.point(job.name, SKIPPED, "SKIP retired: gone from the archive")
            return
        remark = "not fetched, or the module not built: see above"
        self.printer.point(job.name, FAILED, remark)
        self.failed.append(f"{job.name}: {remark}")

    def report_table(self, job: Job) -> None:
        """Reports whether the page has the table that the run printed."""
        wrong = parity.complaints(job.verdict().report.diagnostic("table: "))
        name = f"{job.kernel.name}, the page has the table that parity prints"
        self.printer.point(name, FAILED if wrong else PASSED, "make docs writes it" if wrong else "")
        self.failed += [f"{name}: {line}" for line in wrong[:10]]

    def tell(self) -> bool:
        missing = [kernel for kernel in self.kernels if not self.is_built(kernel)]
        tested = [kernel for kernel in self.kernels if kernel not in missing]
        with_table = [job for job in self.jobs.values() if job.prints_table and job.kernel in tested]
        self.printer.begin(len(self.jobs) + len(with_table))
        for run in self.runs:
            for kernel in missing:
                self.report_missing(self.jobs[run.name, kernel.name])
            for kernel in tested:
                self.report(self.jobs[run.name, kernel.name])
        for job in with_table:
            self.report_table(job)
        self.tell_tables(tested)
        if self.everything:
            self.tell_news()
        for line in self.failed:
            print(f"# FAILED {line}")
        print(f"# took {tree.elapsed()} s")
        return self.printer.end()

    def tell_tables(self, tested: list[Kernel]) -> None:
        jobs_of = [[self.jobs[run.name, kernel.name] for run in self.runs] for kernel in tested]
        table = tables.kernels(jobs_of)
        (self.work / "table.md").write_text(table, encoding="utf-8")
        if [run.name for run in self.runs] == matrix.data()["check"]["all_runs"]:
            tables.keep_kernels([jobs for jobs in jobs_of if not jobs[0].kernel.is_folder])
            tables.keep_sources([tables.brought_row(jobs) for jobs in jobs_of if jobs[0].kernel.is_folder])
        if neighbours := [job for job in self.jobs.values() if job.run.name == "coexist" and job.kernel in tested]:
            (tree.CACHE / "coexist.md").write_text(tables.coexist(neighbours), encoding="utf-8")
        for line in table.splitlines():
            print(f"# {line}")

    def tell_news(self) -> None:
        """Tells what the archive has, and the table of this run lacks. It is no failure: the archive changes at any time."""
        done = subprocess.run([tree.KERNELS, "news", str(self.work / "table.md")], stdout=subprocess.PIPE, text=True, check=False)
        for line in done.stdout.splitlines():
            print(f"# NEWS {line}")
        if done.returncode:
            print("# NEWS unknown: scripts/kernels news failed, see above")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/check", add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("kernels", nargs="*")
    asked = parser.parse_args(arguments)
    table = matrix.data()["check"]
    if asked.help:
        print(help_text())
        return 0
    kernels = asked.kernels or os.environ.get("KERNELS", "").split()
    kernels = kernels or (table["all"] if asked.all else matrix.default_kernels(matrix.own_kernel()))
    runs = os.environ.get("RUNS", "").split() or table["all_runs" if asked.all else "default_runs"]
    kernels = brought.known(kernels)
    with tree.lock("check"):
        check = Check(kernels, runs, 2 if asked.all else 3, asked.all)
        check.execute()
        return 0 if check.tell() else 1
