"""Checks the expressions of the dashboard for Grafana: --rules prints them as a file of rules, which promtool can read."""

import json
import re

from .. import tree

DASHBOARD = "examples/prometheus/anyip6.dashboard.json"
RULES = "examples/prometheus/anyip6.rules.yml"
EXPORTER = "examples/anyip6-node-exporter.sh"
OURS = re.compile(r"\banyip6_\w+")
SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\{([^}]*)\}")
# What node_exporter says of the file that the exporter writes.
OF_THE_FILE = {"node_textfile_mtime_seconds"}
# What Grafana puts in. The chosen hosts are inside a string, which promtool reads as it is.
GRAFANA = {"$__range": "1h", "$__rate_interval": "5m"}


def read(name: str) -> str:
    return (tree.TOP / name).read_text(encoding="utf-8")


def expressions(dashboard: str) -> dict[str, list[str]]:
    """By the title of the panel."""
    return {panel["title"]: [target["expr"] for target in panel["targets"]] for panel in json.loads(dashboard)["panels"]}


def exported(exporter: str) -> set[str]:
    """The metrics that the exporter prints: each has a line `metric NAME TYPE HELP`."""
    return set(re.findall(r"^\s*metric (anyip6_\w+) (?:gauge|counter) ", exporter, re.M))


def selected(expression: str) -> dict[str, bool]:
    """The names in front of a selector, and whether each selector of a name chooses the host."""
    chosen: dict[str, bool] = {}
    for name, labels in SELECTOR.findall(expression):
        chosen[name] = chosen.get(name, True) and 'instance=~"$instance"' in labels
    return chosen


def in_panel(title: str, expression: str, known: set[str]) -> list[str]:
    chosen = selected(expression)
    wrong = [f"{title}: the exporter prints no {name}" for name in sorted(set(chosen) - known - OF_THE_FILE)]
    names = OURS.findall(expression)
    with_selector = [name for name, _ in SELECTOR.findall(expression)]
    wrong += [f"{title}: {name} has no selector" for name in sorted(set(names)) if names.count(name) > with_selector.count(name)]
    if not chosen:
        wrong.append(f"{title}: no metric with a selector")
    wrong += [f"{title}: {name} does not choose the host" for name, host in sorted(chosen.items()) if not host]
    return [f"{DASHBOARD}: {line}" for line in wrong]


def complaints(dashboard: str, rules: str, exporter: str) -> list[str]:
    known = exported(exporter)
    panels = expressions(dashboard)
    wrong = [line for title, exprs in panels.items() for expr in exprs for line in in_panel(title, expr, known)]
    shown = set(OURS.findall("".join(expr for exprs in panels.values() for expr in exprs)))
    wrong += [f"{DASHBOARD}: shows no {name}" for name in sorted(known - shown)]
    return wrong + [f"{RULES}: the exporter prints no {name}" for name in sorted(set(OURS.findall(rules)) - known)]


def for_prometheus(expression: str) -> str:
    for variable, value in GRAFANA.items():
        expression = expression.replace(variable, value)
    return expression


def as_rules(dashboard: str) -> str:
    """YAML takes JSON."""
    every = [for_prometheus(expr) for exprs in expressions(dashboard).values() for expr in exprs]
    rules = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(every)]
    return json.dumps({"groups": [{"name": "dashboard", "rules": rules}]})


def main(arguments: list[str]) -> int:
    """Prints the complaints, for lint."""
    if arguments == ["--rules"]:
        print(as_rules(read(DASHBOARD)))
        return 0
    wrong = complaints(read(DASHBOARD), read(RULES), read(EXPORTER))
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0
