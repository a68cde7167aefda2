#!/usr/bin/env python3
"""judge.py WORK ways|wait|day: judges the requests of traffic.py.

ways  Asks the router for the host of each flow, while it has both ways. A flow is a client, an address and a protocol. WORK/ways
      gets a line for each.
wait  Waits until each program has asked since the last event.
day   Prints results as KTAP, and the tables for the page, after "# table ". WORK/events has the events.

A request that failed is excused if the router took its way from it while it ran. That is so if the request overlaps the time from
the command that withdraws a host's routes to the moment when the router's routes have changed, and the router sends its flow to
that host. When the host comes back, the flows that it had go back to it, and the same holds for these.
"""
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import day

WORK = Path(sys.argv[1])
MOVES = ("withdrawn", "returned")
MOVING_HOST, STAYING_HOST = "host", "host2"
BY_ADDRESS = {"2001:db8:1::2": "host", "2001:db8:2::2": "host2"}
Flow = tuple[str, str, str]


# --- ways ---

def flows() -> list[Flow]:
    """The flows that have two ways all day."""
    asking = [program for program in day.programs() if program.way == "anycast" and not program.condition]
    return sorted({flow for program in asking for flow in program.flows()})


def ways() -> None:
    asked = flows()
    batch = "".join(f"route get {address} from {day.CLIENT_ADDRESS[source]} iif wan ipproto {protocol}\n"
                    for source, address, protocol in asked)
    done = subprocess.run(["nsenter", "--net=/run/netns/router", "ip", "-6", "-o", "-batch", "-"], input=batch, text=True,
                          stdout=subprocess.PIPE, check=False)
    answers = [line for line in done.stdout.splitlines() if " from " in line]
    if len(answers) != len(asked):
        sys.exit(f"{len(asked)} flows, and {len(answers)} answers of the router: {answers[:3]}")
    with open(WORK / "ways", "w", encoding="utf-8") as file:
        for flow, answer in zip(asked, answers):
            gateway = answer.partition(" via ")[2].partition(" ")[0]
            file.write("\t".join([*flow, BY_ADDRESS[gateway]]) + "\n")


# --- wait ---

def silent() -> list[str]:
    """The programs that have not asked since the last event."""
    last = day.events(WORK / "events")[-1].end
    asked = {request.program for request in day.requests(WORK / "requests") if request.begin >= last}
    return [program.name for program in day.programs() if not program.condition and program.name not in asked]


def wait() -> None:
    end = time.time() + 600
    last = []
    while missing := silent():
        if time.time() > end:
            sys.exit(f"not within 600 s: {', '.join(missing)}")
        last = missing
        time.sleep(1)
    (WORK / "note").write_text("all have asked" + (f", the last was {last[0]}" if last else "") + "\n", encoding="utf-8")


# --- day ---

class Day:
    """All that has happened."""

    def __init__(self):
        self.programs = day.programs()
        self.requests = day.requests(WORK / "requests")
        self.events = day.events(WORK / "events")
        self.ways = {(source, address, protocol): host for source, address, protocol, host in day.fields(WORK / "ways")}
        self.by_name = {program.name: program for program in self.programs}

    def event(self, name: str) -> day.Event:
        return next(event for event in self.events if event.name == name)

    def of(self, program: day.Program) -> list[day.Request]:
        return [request for request in self.requests if request.program == program.name]

    def way(self, request: day.Request) -> str:
        """The host to which the router sends the request while it has both ways. Empty if there is no choice."""
        program = self.by_name[request.program]
        return self.ways.get((request.source, request.address, program.protocol), "") if program.way == "anycast" else ""

    def excuse(self, request: day.Request) -> str:
        """The event that took the way from the request while it ran, or nothing."""
        moves = [event for before, event in zip(self.events, self.events[1:])
                 if event.name in MOVES and event.ways != before.ways]
        return next((event.name for event in moves if self.way(request) == MOVING_HOST and
                     request.begin <= event.end and event.begin <= request.end), "")


def result(good: bool, name: str, note: str = "") -> None:
    print(f"{'ok' if good else 'not ok'} {name}{' # ' + note if note else ''}")


def failures(the: Day, program: day.Program) -> dict[str, list[day.Request]]:
    """The requests that failed, by their excuse."""
    found: dict[str, list[day.Request]] = {"": [], **{name: [] for name in MOVES}}
    for request in the.of(program):
        if request.why:
            found[the.excuse(request)].append(request)
    return found


def say(request: day.Request, begin: float) -> None:
    seconds = f"{request.begin - begin:.1f} s to {request.end - begin:.1f} s"
    print(f"# at {seconds}, {request.source} to {request.address}: {request.why}")


def judge_program(the: Day, program: day.Program) -> str:
    """The program's result. Returns its row of the table."""
    failed = failures(the, program)
    begin = the.event("begin").begin
    for request in failed[""]:
        say(request, begin)
    total = sum(request.number for request in the.of(program))
    counts = [sum(request.failed for request in some) for some in failed.values()]
    result(total > 0 and not failed[""], f"program.{program.name}",
           f"{total} requests, {counts[0]} failed, {sum(counts[1:])} excused")
    whys = Counter(re.sub(r"\d{3,}", "…", request.why) for some in failed.values() for request in some)
    why = "; ".join(f"{n} × {text}" for text, n in whys.most_common(3)).replace("|", "/")
    return f"| {program.name} | {program.of} | {program.way} | {total} | {counts[0]} | {counts[1]} | {counts[2]} | {why} |"


def judge_ways(the: Day) -> None:
    """Answers that name their host must come from where the router sent the request, before, during and after the withdrawal."""
    away, back = the.event("withdrawn"), the.event("returned")
    seen, wrong = Counter(), []
    for request in the.requests:
        if not (request.host and the.way(request)):
            continue
        if request.end < away.begin or request.begin > back.end:
            expected = the.way(request)
        elif request.begin > away.end and request.end < back.begin:
            expected = STAYING_HOST
        else:
            continue
        seen[expected] += 1
        if request.host != expected:
            wrong.append(request)
    for request in wrong:
        print(f"# {request.source} to {request.address} was answered by {request.host}")
    result(not wrong and all(seen[host] for host in day.HOSTS), "ways",
           ", ".join(f"{n} answers of {host}" for host, n in seen.items()))


def judge_day() -> None:
    the = Day()
    if the.ways:
        judge_ways(the)
    rows = [judge_program(the, program) for program in the.programs]
    total = sum(request.number for request in the.requests)
    length = the.event("end").begin - the.event("begin").begin
    print("# table")
    print(f"# table {total} requests in {length / 60:.0f} minutes:")
    print("# table")
    print("# table | program | of | way | requests | failed | on the withdrawn host | moved when it came back | why |")
    print("# table |---|---|---|---|---|---|---|---|")
    for row in rows:
        print(f"# table {row}")


{"ways": ways, "wait": wait, "day": judge_day}[sys.argv[2]]()
