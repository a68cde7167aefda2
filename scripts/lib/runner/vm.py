"""A run of selftests/run.sh in a VM: its command, its limits, and what it leaves."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from . import judge, matrix, pool, tree
from .matrix import Kernel, Run

GUEST = "/ksft/net/anyip6"
MEMORY = "1024"


def number(name: str, default: int = 0) -> int:
    return int(os.environ.get(name) or default)


@dataclass
class Settings:
    """How long the long tests last: the environment of scripts/check."""

    cycles: int = 3
    storm: int = field(default_factory=lambda: number("STORM"))
    churn: int = field(default_factory=lambda: number("CHURN"))
    fuzz: int = field(default_factory=lambda: number("FUZZ"))
    fuzz_ops: int = field(default_factory=lambda: number("FUZZ_OPS", 5000))

    def limit(self, kernel: Kernel, run: Run) -> int:
        """Seconds that the VM gets."""
        if own := number("LIMIT"):
            return own
        seconds = 900 if kernel.arch == tree.host_arch() else 1800
        seconds += 2 * self.cycles + self.storm + self.churn + self.fuzz * (2 + self.fuzz_ops // 1000)
        # A live patch waits for each task.
        return seconds + (900 if "coexist" in run.parts else 0)

    def environment(self) -> list[str]:
        """Of run.sh, as arguments of env. What is empty leaves the test's own default."""
        given = {
            "ANYIP6_KO": f"{GUEST}/anyip6.ko",
            "HOLDER_KO": f"{GUEST}/holder.ko",
            "ANYIP6_CYCLES": self.cycles,
            "ANYIP6_RELOADS": self.cycles,
            "ANYIP6_SECONDS": self.storm,
            "ANYIP6_REST": number("REST"),
            "ANYIP6_FUZZ_SEEDS": os.environ.get("FUZZ", ""),
            "ANYIP6_FUZZ_OPS": os.environ.get("FUZZ_OPS", ""),
            "ANYIP6_FUZZ_SEED": os.environ.get("FUZZ_SEED", ""),
            "ANYIP6_CHURN_SECONDS": os.environ.get("CHURN", ""),
        }
        return [f"{name}={value}" for name, value in given.items()]


@dataclass
class Job:
    """A kernel and a run. The folder has ktap, code and seconds once it is over, and console.log."""

    kernel: Kernel
    run: Run
    work: Path
    settings: Settings
    case: str = ""  # only the tests whose names have it

    @property
    def name(self) -> str:
        return f"{self.kernel.name}, {self.run.name}"

    @property
    def folder(self) -> Path:
        return self.work / self.kernel.folder / self.run.name.replace("/", "_")

    @property
    def prints_table(self) -> bool:
        table = matrix.data()["parity_table"]
        return self.kernel.name == table["kernel"] and table["part"] in self.run.parts and not self.case

    def command(self) -> list[str]:
        files = [f"{self.work}/stage/{self.kernel.arch}:/ksft"]
        files += [f"{module}:{GUEST}/{module.name}" for module in sorted(self.folder.parent.glob("*.ko"))]
        if "coexist" in self.run.parts and self.kernel.arch == tree.host_arch():
            files.append(f"{shutil.which('perf')}:/usr/bin/perf")
        inside = ["env", *self.settings.environment(), f"ANYIP6_CASE={self.case}"]
        if self.prints_table:
            files.append(str(tree.TOP / "scripts/guest/with-table"))
            inside.append("./with-table")
        command = [str(tree.TOP / "scripts/vm"), "--kernel", self.kernel.name, "--mem", MEMORY]
        command += ["--smp", str(self.run.processors), "--timeout", str(self.settings.limit(self.kernel, self.run))]
        command += ["--log", str(self.folder / "console.log")]
        command += ["--parallel"] if self.run.parallel else []
        command += ["--append", self.run.append] if self.run.append else []
        for file in files:
            command += ["--file", file]
        return [*command, "--", *inside, f"{GUEST}/run.sh", *self.run.parts]

    def execute(self, children: pool.Children) -> None:
        self.folder.mkdir(parents=True)
        tree.say(f"{self.name}: testing")
        timer = pool.Timer()
        with open(self.folder / "ktap", "wb") as ktap:
            code = children.run(self.command(), stdout=ktap)
        (self.folder / "code").write_text(f"{code}\n", encoding="utf-8")
        (self.folder / "seconds").write_text(f"{timer.seconds}\n", encoding="utf-8")
        verdict = self.verdict()
        tree.say(f"{self.name}: {verdict.counts} in {timer.seconds} s")
        if verdict.good:
            pool.remember(self.name, timer.seconds)

    def ktap(self) -> str:
        return (self.folder / "ktap").read_text(encoding="utf-8", errors="replace")

    def seconds(self) -> int:
        return int((self.folder / "seconds").read_text(encoding="utf-8"))

    def verdict(self) -> judge.Verdict:
        console = self.folder / "console.log"
        return judge.judge(
            self.ktap(),
            int((self.folder / "code").read_text(encoding="utf-8")),
            console.read_text(encoding="utf-8", errors="replace") if console.exists() else "",
        )
