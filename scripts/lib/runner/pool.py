"""A queue that runs several commands at once, the longest first."""

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from . import tree

MEASURED = "seconds.json"


class Children:
    """Processes that end when we end, with all processes that they started."""

    def __init__(self) -> None:
        self.running: set[subprocess.Popen] = set()
        self.lock = threading.Lock()
        self.closed = False

    def run(self, command: list[str], **options) -> int:
        with self.lock:
            if self.closed:
                return 130
            # Python marks files that children do not get. That leaves them the locks.
            child = subprocess.Popen(command, process_group=0, stdin=subprocess.DEVNULL, cwd=tree.TOP, close_fds=False, **options)
            self.running.add(child)
        try:
            return child.wait()
        except BaseException:  # a signal, in the main thread
            self.end()
            child.wait()
            raise
        finally:
            with self.lock:
                self.running.discard(child)

    def output(self, command: list[str]) -> str | None:
        """What a command prints, or None if it fails."""
        with tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
            if self.run(command, stdout=printed):
                return None
            printed.seek(0)
            return printed.read().strip()

    def end(self) -> None:
        """Ends all of them, and starts no more."""
        with self.lock:
            self.closed = True
            for child in self.running:
                try:
                    os.killpg(child.pid, signal.SIGTERM)
                except ProcessLookupError:
                    pass


class Pool:
    """Runs JOBS jobs at once. A job is a function that gets the pool's Children. An exception ends the jobs that have begun."""

    def __init__(self, jobs: int) -> None:
        self.children = Children()
        self.executor = ThreadPoolExecutor(max(jobs, 1))
        self.futures: list[Future] = []

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind:
            self.executor.shutdown(wait=False, cancel_futures=True)
            self.children.end()
        self.executor.shutdown()

    def submit(self, job: Callable[[Children], None]) -> None:
        self.futures.append(self.executor.submit(job, self.children))

    def wait(self) -> None:
        """Waits until all jobs are done, then raises the first exception."""
        while wait(self.futures, timeout=1).not_done:  # the timeout lets signals through
            pass
        for future in self.futures:
            future.result()


def run_all(jobs: int, work: list[Callable[[Children], None]]) -> None:
    with Pool(jobs) as pool:
        for job in work:
            pool.submit(job)
        pool.wait()


def measured() -> dict[str, float]:
    try:
        return json.loads((tree.CACHE / MEASURED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def remember(name: str, seconds: float) -> None:
    with tree.lock(MEASURED, quiet=True):
        new = (tree.CACHE / MEASURED).with_suffix(".new")
        new.write_text(json.dumps({**measured(), name: round(seconds)}, indent=0, sort_keys=True), encoding="utf-8")
        new.replace(tree.CACHE / MEASURED)


def longest_first(names: list[str], seconds: dict[str, float]) -> list[str]:
    """Names that were never measured come first, in their order."""
    return sorted(names, key=lambda name: -seconds.get(name, float("inf")))


class Timer:
    def __init__(self) -> None:
        self.begin = time.monotonic()

    @property
    def seconds(self) -> int:
        return int(time.monotonic() - self.begin)
