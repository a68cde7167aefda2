""".ci/run: which steps the changed paths need, by the rules of matrix.toml, and what has passed."""

import os
import time
from dataclasses import dataclass

from .. import matrix, tree

RECORD = tree.CACHE / "ci-passed"  # the commit that passed here last
ALWAYS = "lint"


# --- Which steps ---

@dataclass(frozen=True)
class Decision:
    paths: tuple[str, ...]
    rule: str
    steps: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join(self.paths[:5]) + (f" and {len(self.paths) - 5} more" if len(self.paths) > 5 else "")
        return f"{shown}: {self.rule}: {' '.join(self.steps)}"


def names(pattern: str, path: str) -> bool:
    """True if the pattern names the path. A pattern is a path, or a folder with a slash at its end."""
    return path == pattern or (pattern.endswith("/") and path.startswith(pattern))


def rule_of(path: str, table: dict) -> tuple[str, tuple[str, ...]]:
    for rule in table["rules"]:
        if any(names(pattern, path) for pattern in rule["paths"]):
            steps = table["everything"] if rule["steps"] == "everything" else rule["steps"]
            return f"the rule for {rule['name']}", tuple(steps)
    return "no rule names it", tuple(table["everything"])


def decide(paths: list[str] | None, table: dict) -> list[Decision]:
    """The steps for the changed paths. None means that nobody knows what changed."""
    if paths is None:
        return [Decision(("no commit is known to have passed",), "everything runs", tuple(table["everything"]))]
    if not paths:
        return [Decision(("nothing changed",), "only this", (ALWAYS,))]
    groups: dict[tuple, list[str]] = {}
    for path in paths:
        groups.setdefault(rule_of(path, table), []).append(path)
    return [Decision(tuple(group), *key) for key, group in groups.items()]


def steps_of(decisions: list[Decision], table: dict) -> list[str]:
    wanted = {step for decision in decisions for step in decision.steps}
    # The step check includes the steps for one kernel. It includes the table only if it tests the table's kernel.
    if "check" in wanted:
        wanted -= {"one_kernel", "tool"}
        if matrix.data()["parity_table"]["kernel"] in matrix.default_kernels(matrix.own_kernel()):
            wanted.discard("table")
    if "one_kernel" in wanted:
        wanted -= {"tool", "table"}
    return [step for step in table["steps"] if step in wanted]


# --- Since when ---

def recorded(days: int) -> str:
    """The commit that CI says has passed, or that passed here not long ago, or "" if nobody knows."""
    if given := os.environ.get("ANYIP6_CI_BASE", ""):
        return given
    try:
        fresh = time.time() - RECORD.stat().st_mtime < days * 86400
        return RECORD.read_text(encoding="utf-8").strip() if fresh else ""
    except OSError:
        return ""


def changed(base: str) -> list[str] | None:
    """The paths whose files differ from a commit, or None if that is unknown."""
    if not base or tree.git("rev-parse", "--verify", "--quiet", base + "^{commit}") is None:
        return None
    tracked = tree.git("-c", "core.quotePath=off", "diff", "--name-only", "--no-renames", base, "--")
    others = tree.git("-c", "core.quotePath=off", "ls-files", "--others", "--exclude-standard")
    return None if tracked is None or others is None else sorted({*tracked, *others})


def head() -> str:
    """The commit that is here, or "" if there are other changes. Only a commit can be found again."""
    commit = tree.git("rev-parse", "HEAD")
    return commit[0] if commit and tree.git("status", "--porcelain") == [] else ""


def record(commit: str, whole: bool) -> None:
    """Records that a commit passed. The record's time is the last time that everything ran."""
    if not commit or head() != commit or not (whole or RECORD.exists()):
        return
    since = time.time() if whole else RECORD.stat().st_mtime
    RECORD.write_text(commit + "\n", encoding="utf-8")
    os.utime(RECORD, (since, since))


# --- For .ci/run ---

def tell(table: dict) -> None:
    """Prints the commit and the steps for .ci/run, and the reasons for people."""
    base = recorded(table["days"])
    paths = changed(base)
    if paths is not None:
        tree.say(f"ci: {len(paths)} paths differ from {base[:12]}, which passed")
    decisions = decide(paths, table)
    for decision in decisions:
        tree.say(f"ci: {decision}")
    steps = steps_of(decisions, table)
    tree.say(f"ci: steps: {' '.join(steps)}")
    print(head() or "-", *steps)


def main(arguments: list[str]) -> int:
    """ci decide, or ci record COMMIT STEP..., after all of these steps passed."""
    table = matrix.data()["ci"]
    if arguments == ["decide"]:
        tell(table)
    elif len(arguments) > 1 and arguments[0] == "record":
        record(arguments[1], arguments[2:] == steps_of(decide(None, table), table))
    else:
        tree.die("ci: decide, or record COMMIT STEP...")
    return 0
