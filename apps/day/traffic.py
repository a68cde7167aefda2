#!/usr/bin/env python3
"""traffic.py WORK first|day [SECONDS]: runs the programs of programs.toml. A request that takes longer has failed.

first  Each program asks until it has an answer from each place where it runs. Prints a result for each.
day    Each program asks until SIGTERM. WORK/requests gets a line for each run. A program with a condition asks while the file
       WORK/on/CONDITION is there, and WORK/busy/CONDITION is there while it asks.
"""
import contextlib
import random
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import day

WORK = Path(sys.argv[1])
TIME_LIMIT = int(sys.argv[3]) if len(sys.argv) > 3 else 120
# More commands at once would make each of them slow on emulated processors, until some run into time limits of their own. QUIC
# has short ones. What waits for the network most of the time does not count.
AT_ONCE = 2
stop = threading.Event()
lock = threading.Lock()
room = threading.BoundedSemaphore(AT_ONCE)


def place(program: day.Program):
    """What a command of the program holds while it runs."""
    return contextlib.nullcontext() if program.waits else room


def words(program: day.Program, source: str, address: str) -> dict[str, str]:
    return {"ADDRESS": address, "OWN": day.HOSTS.get(source, ""), "WORK": str(WORK)}


def put(text: str, values: dict[str, str]) -> str:
    return re.sub("ADDRESS|OWN|WORK", lambda found: values[found[0]], text)


def short(output: str) -> str:
    """The end of an output, on one line."""
    return " ".join(output.split())[-200:] or "no output"


def run(source: str, command: str) -> tuple[str, str]:
    """The output of a command in a namespace, and what is wrong."""
    try:
        done = subprocess.run(["nsenter", f"--net=/run/netns/{source}", *shlex.split(command)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIME_LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return "", f"no end within {TIME_LIMIT} s"
    output = done.stdout.decode(errors="replace")
    return output, f"exit code {done.returncode}: {short(output)}" if done.returncode else ""


def number(wanted: str | int | None, output: str, otherwise: int) -> int:
    """A number that a regular expression finds in the output, or the number itself."""
    if isinstance(wanted, int):
        return wanted
    found = wanted and re.search(wanted, output)
    return int(found[1]) if found else otherwise


def answering(output: str) -> str:
    """The host that an answer names: by its name, or by an address of its own prefix."""
    for host, own in day.HOSTS.items():
        if re.search(f"^{host} |{own}", output, re.M):
            return host
    return ""


def ask(program: day.Program, source: str, address: str) -> day.Request:
    values = words(program, source, address)
    with place(program):
        begin = time.time()
        output, why = run(source, put(program.command, values))
        end = time.time()
    if not why and not re.search(put(program.answer, values), output, re.M):
        why = f"another answer: {short(output)}"
    made = number(program.requests, output, 1)
    failed = max(1, number(program.lost, output, made)) if why else 0
    return day.Request(begin, end, program.name, source, address, made, failed, answering(output), why)


# --- first ---

def answered(program: day.Program, source: str) -> str:
    """What is wrong, after some minutes of asking for the first address."""
    end = time.time() + 300
    while (request := ask(program, source, program.addresses[0])).why and time.time() < end:
        time.sleep(1)
    return request.why


def first() -> None:
    asked = [program for program in day.programs() if not program.condition]
    with ThreadPoolExecutor(8) as pool:
        results = pool.map(lambda program: [answered(program, source) for source in program.sources], asked)
        for program, wrong in zip(asked, results):
            wrong = [why for why in wrong if why]
            print("".join(f"# {why}\n" for why in wrong) + ("not ok" if wrong else "ok"), f"first.{program.name}", flush=True)


# --- day ---

def allowed(program: day.Program) -> bool:
    """Whether the program's condition holds. If so, its file says that it asks. The file comes first, so that nobody takes the
    condition away between the two."""
    if not program.condition:
        return True
    busy = WORK / "busy" / program.condition
    busy.touch()
    if (WORK / "on" / program.condition).exists():
        return True
    busy.unlink()
    return False


def asks(program: day.Program, n: int, log) -> None:
    """The work of a thread."""
    chance = random.Random(f"{program.name} {n}")
    stop.wait(chance.uniform(0, 10))
    while not stop.is_set():
        if not allowed(program):
            stop.wait(0.5)
            continue
        request = ask(program, chance.choice(program.sources), chance.choice(program.addresses))
        with lock:
            log.write(request.line())
        if program.condition:
            (WORK / "busy" / program.condition).unlink()
        stop.wait(program.every * chance.uniform(0.5, 1.5))


def all_day() -> None:
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with open(WORK / "requests", "a", encoding="utf-8", buffering=1) as log:
        threads = [threading.Thread(target=asks, args=(program, n, log))
                   for program in day.programs() for n in range(program.loops)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


{"first": first, "day": all_day}[sys.argv[2]]()
