"""The source tree, the cache, and the functions of ../common.sh."""

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
CACHE = Path(os.environ.get("ANYIP6_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anyip6")
# A script and the scripts that it calls share one clock.
START = int(os.environ.setdefault("ANYIP6_START", str(int(time.time()))))
COMMON = TOP / "scripts/lib/common.sh"
KERNELS = str(TOP / "scripts/kernels")


def elapsed() -> int:
    return int(time.time()) - START


def say(text: str) -> None:
    print(f"[{elapsed():4d}s] {text}", file=sys.stderr, flush=True)


def die(text: str) -> None:
    sys.exit(f"{os.environ.get('ANYIP6_COMMAND', 'runner')}: {text}")


def output(*command: str) -> str:
    """What a command prints. If it fails, we fail."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd=TOP, check=False)
    if done.returncode:
        die(f"failed: {' '.join(command)}")
    return done.stdout.strip()


def git(*args: str) -> list[str] | None:
    """The lines that git prints, or None if it fails."""
    try:
        done = subprocess.run(["git", *args], cwd=TOP, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return None if done.returncode else done.stdout.splitlines()


def shell(function: str, *args: str) -> list[str]:
    """The command that calls a function of common.sh."""
    return ["bash", "-c", '. "$0"; "$@"', str(COMMON), function, *args]


@cache
def host_arch() -> str:
    return output("dpkg", "--print-architecture")


def own_suite() -> str:
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=", 1)[1].strip('"')
    return ""


@contextlib.contextmanager
def lock(name: str, quiet: bool = False):
    """Lets only one process in at a time. A lock that is not quiet is kept by what Children run too: a VM may outlive a runner
    that was killed."""
    (CACHE / "lock").mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock" / name, "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not quiet:
                say(f"{name}: waiting for another process that has it")
            fcntl.flock(file, fcntl.LOCK_EX)
        os.set_inheritable(file.fileno(), not quiet)
        yield
