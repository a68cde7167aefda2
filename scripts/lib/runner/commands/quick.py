"""scripts/quick: runs one program, or one case, on one kernel."""

import argparse
import hashlib
import os
import resource
import shutil

from .. import brought, build, matrix, tree
from ..matrix import Kernel
from ..pool import run_all
from ..vm import Job, Settings, at_once, number

HELP = """\
make quick T=TEST [V=WORD] [KERNELS=NAME...]   builds what changed, boots a VM, and runs TEST in it

T=FOLDER/PROGRAM   a program of selftests/ such as rule/bind, without the module and with it
T=PART             a part of selftests/run.sh: bind by default, absent, loaded, load, storm, churn, fuzz, parity, tool, security,
                   faults, coexist, reload; or one of the runs of `scripts/check -h`
T=kunit            the suite of scripts/kunit, without a VM
T=runner           the tests of scripts/lib/runner
V=WORD             only the cases that have WORD in their names; prints their KTAP
KERNELS=NAME...    names of scripts/kernels, or a folder with a kernel of yours: by default the kernel of this machine's own suite

Prints what failed, and the totals. `scripts/check -h` has more variables that work here too.
"""


def folder() -> str:
    """A folder for each source tree, so that two trees do not wait for each other."""
    return "quick-" + hashlib.md5(str(tree.TOP).encode(), usedforsecurity=False).hexdigest()[:8]


def machines(test: str, word: str, kernels: list[Kernel]) -> list[Job]:
    """Builds, and runs the VMs. Returns their jobs."""
    work = tree.CACHE / folder()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    build.need_perf([matrix.run(test)])
    build.everything(kernels, work, at_once())
    for kernel in kernels:
        if not build.is_built(kernel, work):
            tree.die(f"{kernel.name}: not fetched, or the module not built: see above")
    settings = Settings(cycles=number("CYCLES", 3))
    jobs = [Job(kernel, matrix.run(test), work, settings, case=word) for kernel in kernels]
    run_all(at_once(), [job.execute for job in jobs])
    return jobs


def tell(job: Job, everything: bool) -> bool:
    verdict = job.verdict()
    if everything:
        print(job.ktap(), end="")
    for line in verdict.lines():
        print(f"# FAILED {job.name}: {line}")
    print(f"{job.name}: {verdict.counts}; all that was printed: {job.folder}/ktap, console.log")
    return verdict.good


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/quick", add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    if parser.parse_args(arguments).help:
        print(HELP, end="")
        return 0
    # Builds must not get make's variables: V= means something else to them.
    test, word = os.environ.pop("T", "") or "bind", os.environ.pop("V", "")
    os.environ.pop("MAKEFLAGS", None)
    if test == "runner":
        os.execv("/usr/bin/python3", ["python3", "-m", "runner", "tests", word])
    if test == "kunit":
        os.execv(tree.TOP / "scripts/kunit", ["kunit", *([f"*{word}*"] if word else [])])
    names = brought.known(os.environ.get("KERNELS", "").split() or [matrix.own_kernel()])
    with tree.lock(folder()):
        jobs = machines(test, word, [Kernel(name) for name in names])
        good = [tell(job, bool(word)) for job in jobs]
    print(f"took {tree.elapsed()} s, {processor_seconds():.0f} of a processor")
    return 0 if all(good) else 1
