"""Checks the expressions of the dashboard for Grafana: --rules prints them as a file of rules, which promtool can read."""

import json
import re

from .. import tree

DASHBOARD = "examples/prometheus/anyip6.dashboard.json"
RULES = "examples/prometheus/anyip6.rules.yml"
EXPORTER = "examples/anyip6-node-exporter.sh"
OURS = re.compile(r"\banyip6_\w+")


def read(name: str) -> str:
    return (tree.TOP / name).read_text(encoding="utf-8")


def expressions(dashboard: str) -> dict[str, list[str]]:
    """By the title of the panel."""
    return {panel["title"]: [target["expr"] for target in panel["targets"]] for panel in json.loads(dashboard)["panels"]}


def exported(exporter: str) -> set[str]:
    """The metrics that the exporter prints: each has a line `metric NAME TYPE HELP`."""
    return set(re.findall(r"^\s*metric (anyip6_\w+) (?:gauge|counter) ", exporter, re.M))


def selected(expression: str) -> set[str]:
    """The names in front of a selector. Every metric of the dashboard has one."""
    return set(re.findall(r"([a-zA-Z_:][\w:]*)\{", expression))


def in_panel(title: str, expression: str, known: set[str]) -> list[str]:
    wrong = [f"{title}: the exporter prints no {name}" for name in sorted(selected(expression) - known)]
    if not selected(expression):
        wrong.append(f"{title}: no metric with a selector")
    if 'instance=~"$instance"' not in expression:
        wrong.append(f"{title}: does not choose the host")
    return [f"{DASHBOARD}: {line}" for line in wrong]


def complaints(dashboard: str, rules: str, exporter: str) -> list[str]:
    known = exported(exporter)
    panels = expressions(dashboard)
    wrong = [line for title, exprs in panels.items() for expr in exprs for line in in_panel(title, expr, known)]
    shown = set(OURS.findall("".join(expr for exprs in panels.values() for expr in exprs)))
    wrong += [f"{DASHBOARD}: shows no {name}" for name in sorted(known - shown)]
    return wrong + [f"{RULES}: the exporter prints no {name}" for name in sorted(set(OURS.findall(rules)) - known)]


def as_rules(dashboard: str) -> str:
    """YAML takes JSON."""
    every = [expr for exprs in expressions(dashboard).values() for expr in exprs]
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
