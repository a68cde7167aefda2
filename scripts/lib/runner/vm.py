"""A run of selftests/run.sh in a VM: its command, its limits, and the files that it leaves."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from . import brought, judge, matrix, pool, tree
from .matrix import Kernel, Run

GUEST = "/ksft/net/anyip6"


def number(name: str, default: int = 0) -> int:
    return int(os.environ.get(name) or default)


def at_once() -> int:
    """How many VMs run at once."""
    return number("JOBS", os.cpu_count() or 1)


@dataclass
class Settings:
    """How long the long tests last, from the environment of scripts/check."""

    cycles: int = 3
    storm: int = field(default_factory=lambda: number("STORM"))
    churn: int = field(default_factory=lambda: number("CHURN"))
    fuzz: int = field(default_factory=lambda: number("FUZZ"))
    fuzz_ops: int = field(default_factory=lambda: number("FUZZ_OPS", 5000))

    def limit(self, kernel: Kernel, run: Run) -> int:
        """The time limit of the VM, in seconds."""
        if own := number("LIMIT"):
            return own
        seconds = 1800 if kernel.arch == tree.host_arch() else 3600
        seconds += 2 * self.cycles + self.storm + self.churn + self.fuzz * (2 + self.fuzz_ops // 1000)
        # A live patch waits for each task.
        return seconds + (900 if run.has("coexist") else 0)

    def environment(self) -> dict[str, str]:
        """The environment of run.sh. An empty value keeps the test's own default."""
        return {
            "ANYIP6_KO": f"{GUEST}/anyip6.ko",
            "HOLDER_KO": f"{GUEST}/holder.ko",
            "ANYIP6_CYCLES": str(self.cycles),
            "ANYIP6_RELOADS": str(self.cycles),
            "ANYIP6_SECONDS": str(self.storm),
            "ANYIP6_REST": str(number("REST")),
            "ANYIP6_FUZZ_SEEDS": os.environ.get("FUZZ", ""),
            "ANYIP6_FUZZ_OPS": os.environ.get("FUZZ_OPS", ""),
            "ANYIP6_FUZZ_SEED": os.environ.get("FUZZ_SEED", ""),
            "ANYIP6_CHURN_SECONDS": os.environ.get("CHURN", ""),
        }


class Kept:
    """Keeps results as files in its folder."""

    folder: Path

    def keep(self, name: str, value: object) -> None:
        (self.folder / name).write_text(f"{value}\n", encoding="utf-8")

    def read(self, name: str) -> str:
        """The text of a file in the folder, or "" if it does not exist."""
        file = self.folder / name
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""


@dataclass
class Machine(Kept):
    """A VM that runs run.sh. When it has ended, the folder has ktap, code, seconds and console.log."""

    name: str
    kernel: list[str]  # options of scripts/vm
    run: Run
    folder: Path
    stage: Path  # the selftests
    modules: list[Path]
    environment: dict[str, str]
    limit: int
    memory: int = 1024
    append: list[str] = field(default_factory=list)  # arguments for the kernel
    with_perf: bool = False
    with_table: bool = False

    def files(self) -> list[str]:
        files = [f"{self.stage}:/ksft", *(f"{module}:{GUEST}/{module.name}" for module in self.modules)]
        files += [f"{shutil.which('perf')}:/usr/bin/perf"] if self.with_perf else []
        return files + ([str(tree.TOP / "scripts/guest/with-table")] if self.with_table else [])

    def command(self) -> list[str]:
        command = [str(tree.TOP / "scripts/vm"), *self.kernel, "--mem", str(self.memory), "--smp", str(self.run.processors)]
        command += ["--timeout", str(self.limit), "--log", str(self.folder / "console.log")]
        command += ["--parallel"] if self.run.parallel else []
        for option, values in (("--append", self.append), ("--file", self.files())):
            for value in values:
                command += [option, value]
        inside = ["env", *(f"{name}={value}" for name, value in self.environment.items())]
        inside += ["./with-table"] if self.with_table else []
        return [*command, "--", *inside, f"{GUEST}/run.sh", *self.run.parts]

    def execute(self, children: pool.Children) -> int:
        """Runs the VM. Returns the exit code of scripts/vm."""
        tree.say(f"{self.name}: testing")
        timer = pool.Timer()
        with open(self.folder / "ktap", "wb") as ktap:
            code = children.run(self.command(), stdout=ktap)
        self.keep("code", code)
        self.keep("seconds", timer.seconds)
        return code

    def tell(self) -> None:
        tree.say(f"{self.name}: {self.verdict().counts} in {self.seconds()} s")

    def ktap(self) -> str:
        return self.read("ktap")

    def seconds(self) -> int:
        return int(self.read("seconds"))

    def verdict(self) -> judge.Verdict:
        return judge.judge(self.ktap(), int(self.read("code")), self.read("console.log"))


@dataclass
class Job:
    """A run on a kernel of scripts/kernels."""

    kernel: Kernel
    run: Run
    work: Path
    settings: Settings
    case: str = ""  # only the tests that have it in their names
    stage: Path | None = None  # the selftests, a folder for each architecture: by default in work

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

    @property
    def machine(self) -> Machine:
        return Machine(
            self.name, ["--kernel", self.kernel.name], self.run, self.folder,
            stage=(self.stage or self.work / "stage") / self.kernel.arch,
            modules=sorted(self.folder.parent.glob("*.ko")),
            environment={**self.settings.environment(), "ANYIP6_CASE": self.case, "ANYIP6_MAY_SKIP": self.skips(),
                         "ANYIP6_REFUSES": matrix.architecture(self.kernel.arch).get("refuses", "")},
            limit=self.settings.limit(self.kernel, self.run),
            append=[self.run.append] if self.run.append else [],
            with_perf=self.run.has("coexist") and self.kernel.arch == tree.host_arch(),
            with_table=self.prints_table)

    def skips(self) -> str:
        """What the tests may skip: on a kernel that the user brings, what its configuration lacks."""
        return "|".join(brought.Folder(Path(self.kernel.name)).config.skips()) if self.kernel.is_folder else ""

    def execute(self, children: pool.Children) -> None:
        self.folder.mkdir(parents=True)
        self.machine.execute(children)
        self.machine.tell()
        if self.verdict().good and not self.case:
            pool.remember(self.name, self.seconds())

    def ktap(self) -> str:
        return self.machine.ktap()

    def seconds(self) -> int:
        return self.machine.seconds()

    def verdict(self) -> judge.Verdict:
        return self.machine.verdict()
