"""What traffic.py and judge.py share: the programs, and the requests and events that the day has written down."""
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

HOSTS = {"host": "2001:db8:5::", "host2": "2001:db8:6::"}
NAMESPACES = {"clients": ["client1", "client2", "client3", "client4"], "hosts": list(HOSTS)}
CLIENT_ADDRESS = {name: f"2001:db8:c::{n}" for n, name in enumerate(NAMESPACES["clients"], 2)}


def expand(pattern: str) -> list[str]:
    """The addresses of a pattern such as 2001:db8::1..9."""
    found = re.fullmatch(r"(.*?)(\d+)\.\.(\d+)", pattern)
    return [found[1] + str(n) for n in range(int(found[2]), int(found[3]) + 1)] if found else [pattern]


class Program:
    """A row of programs.toml."""

    def __init__(self, row: dict):
        self.name = row["name"]
        self.of = row["of"]
        self.way = row["way"]
        self.sources = NAMESPACES.get(row["from"], [row["from"]])
        self.addresses = [address for pattern in row["addresses"] for address in expand(pattern)]
        self.command = row["command"]
        self.answer = row["answer"]
        self.requests = row.get("requests", 1)
        self.lost = row.get("lost")
        self.protocol = row.get("protocol", "tcp")
        self.every = row.get("every", 2)
        self.waits = row.get("waits", False)
        self.loops = row.get("loops", 1)
        self.condition = row.get("while")

    def flows(self) -> list[tuple[str, str, str]]:
        return [(source, address, self.protocol) for source in self.sources for address in self.addresses]


def programs() -> list[Program]:
    text = Path(__file__).with_name("programs.toml").read_text(encoding="utf-8")
    return [Program(row) for row in tomllib.loads(text)["programs"]]


@dataclass(frozen=True)
class Request:
    """What one run of a program has asked. It can be several requests."""

    begin: float
    end: float
    program: str
    source: str
    address: str
    number: int
    failed: int
    host: str   # that the answer names, or empty
    why: str    # that it failed, or empty

    def line(self) -> str:
        return "\t".join([f"{self.begin:.3f}", f"{self.end:.3f}", *map(str, list(vars(self).values())[2:])]) + "\n"


@dataclass(frozen=True)
class Event:
    name: str
    begin: float
    end: float
    ways: str   # of the router, when it ended


def fields(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


def requests(path: Path) -> list[Request]:
    return [Request(float(begin), float(end), program, source, address, int(number), int(failed), host, why)
            for begin, end, program, source, address, number, failed, host, why in fields(path)]


def events(path: Path) -> list[Event]:
    return [Event(name, float(begin), float(end), ways) for name, begin, end, ways in fields(path)]
