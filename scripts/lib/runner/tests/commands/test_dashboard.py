"""Tests the check of the dashboard's expressions."""

import json
import unittest

from runner.commands import dashboard

EXPORTER = "\tmetric anyip6_loaded gauge 'Whether.'\n\tmetric anyip6_decisions_total counter 'How many.'\n"
LOADED = 'anyip6_loaded{instance=~"$instance"}'
RATE = 'sum by (step) (rate(anyip6_decisions_total{instance=~"$instance",step!="off"}[5m]))'


class Dashboard(unittest.TestCase):
    def complaints(self, *expressions: str, rules: str = "") -> list[str]:
        panels = [{"title": f"panel {n}", "targets": [{"expr": expr}]} for n, expr in enumerate(expressions)]
        return dashboard.complaints(json.dumps({"panels": panels}), rules, EXPORTER)

    def test_good(self) -> None:
        self.assertEqual(self.complaints(LOADED, RATE, rules="expr: anyip6_loaded == 0"), [])

    def test_no_such_metric(self) -> None:
        self.assertEqual(self.complaints(LOADED, RATE, 'anyip6_load{instance=~"$instance"}'),
                         [f"{dashboard.DASHBOARD}: panel 2: the exporter prints no anyip6_load"])

    def test_all_hosts(self) -> None:
        self.assertEqual(self.complaints(LOADED, RATE, "anyip6_loaded{}"),
                         [f"{dashboard.DASHBOARD}: panel 2: anyip6_loaded does not choose the host"])

    def test_one_of_two_selectors(self) -> None:
        self.assertEqual(self.complaints(RATE, f"{LOADED} or anyip6_loaded{{}}"),
                         [f"{dashboard.DASHBOARD}: panel 1: anyip6_loaded does not choose the host"])

    def test_without_a_selector(self) -> None:
        self.assertEqual(self.complaints(RATE, f"anyip6_loaded or {LOADED}"),
                         [f"{dashboard.DASHBOARD}: panel 1: anyip6_loaded has no selector"])

    def test_of_the_file(self) -> None:
        stale = 'time() - node_textfile_mtime_seconds{instance=~"$instance"} > 600'
        self.assertEqual(self.complaints(LOADED, RATE, stale), [])

    def test_not_shown(self) -> None:
        self.assertEqual(self.complaints(LOADED), [f"{dashboard.DASHBOARD}: shows no anyip6_decisions_total"])

    def test_alert_on_nothing(self) -> None:
        self.assertEqual(self.complaints(LOADED, RATE, rules="expr: anyip6_lost > 0"),
                         [f"{dashboard.RULES}: the exporter prints no anyip6_lost"])

    def test_rules(self) -> None:
        rules = json.loads(dashboard.as_rules(json.dumps({"panels": [{"title": "a", "targets": [{"expr": LOADED}]}]})))
        self.assertEqual(rules["groups"][0]["rules"], [{"record": "panel:0", "expr": LOADED}])

    def test_variables_of_grafana(self) -> None:
        self.assertEqual(dashboard.for_prometheus("rate(a[$__rate_interval]) > b[$__range] @ end()"),
                         "rate(a[5m]) > b[1h] @ end()")


if __name__ == "__main__":
    unittest.main()
