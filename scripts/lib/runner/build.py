"""Builds the modules and the selftests. scripts/kernels and common.sh do the work, and keep the results."""

import subprocess
from pathlib import Path

from . import tree
from .matrix import Kernel, Run
from .pool import Children, run_all

SOURCES = (".", "selftests/modules")


def fetch(kernels: list[Kernel]) -> None:
    """Fetches missing kernels. If that fails, the build for the kernel fails later."""
    names = [kernel.name for kernel in kernels]
    run_all(2, [
        lambda children: children.run([tree.KERNELS, "kselftest"], stdout=subprocess.DEVNULL),
        lambda children: children.run([tree.KERNELS, "get", *names], stdout=subprocess.DEVNULL),
    ])


def modules(kernel: Kernel, folder: Path, children: Children) -> None:
    """Builds our module, and the modules that the tests load."""
    for source in SOURCES:
        if children.run([tree.KERNELS, "build", kernel.name, source, str(folder)]):
            return


def selftests(arch: str, work: Path, children: Children) -> None:
    if children.run(tree.shell("stage_selftests", arch, str(work))):
        raise SystemExit(1)


def everything(kernels: list[Kernel], work: Path, jobs: int) -> None:
    fetch(kernels)
    work_list = [lambda children, arch=arch: selftests(arch, work, children)
                 for arch in dict.fromkeys(kernel.arch for kernel in kernels)]
    work_list += [lambda children, kernel=kernel: modules(kernel, work / kernel.folder, children) for kernel in kernels]
    run_all(jobs, work_list)


def is_built(kernel: Kernel, work: Path) -> bool:
    return all((work / kernel.folder / name).exists() for name in ("anyip6.ko", "holder.ko"))


def need(*packages: str) -> None:
    subprocess.run(tree.shell("need_packages", *packages), check=True)


def need_perf(runs: list[Run]) -> None:
    """Installs perf for the runs that test neighbours."""
    if any(run.has("coexist") for run in runs):
        need("linux-perf")
