"""Tests the parser and the printer."""

import contextlib
import io
import unittest

from runner.ktap import FAILED, PASSED, SKIPPED, Counts, Printer, parse

GOOD = """\
KTAP version 1
# kernel 6.12.0
# bind.c:12: an address
ok 1 bind.any_ip
ok 2 - bind.outside
ok 3 bind.mptcp # SKIP no MPTCP
    not ok 1 a result of a subtest
1..3
2 passed, 0 failed, 1 skipped
"""


class Parse(unittest.TestCase):
    def test_good(self) -> None:
        report = parse(GOOD)
        self.assertEqual([test.name for test in report.tests], ["bind.any_ip", "bind.outside", "bind.mptcp"])
        self.assertEqual(report.plan, 3)
        self.assertEqual(report.counts, Counts(2, 0, 1))
        self.assertEqual(report.totals, report.counts)
        self.assertEqual(report.diagnostic("kernel "), ["6.12.0"])

    def test_carriage_returns(self) -> None:
        self.assertEqual(parse(GOOD.replace("\n", "\r\n")), parse(GOOD))

    def test_plan_first(self) -> None:
        self.assertEqual(parse("1..1\nok 1 a\n").plan, 1)

    def test_failure_keeps_what_was_said_before_it(self) -> None:
        test, = parse("ok 1 a\n# expected 1, got 2\nnot ok 2 b\n").failures
        self.assertEqual((test.name, test.said), ("b", ["expected 1, got 2"]))

    def test_nothing_said_twice(self) -> None:
        self.assertEqual(parse("# of a\nok 1 a\nnot ok 2 b\n").failures[0].said, [])

    def test_skip_is_a_pass_only_if_it_is_ok(self) -> None:
        report = parse("not ok 1 a # SKIP really\nok 2 b # skip lower case\n")
        self.assertEqual(report.counts, Counts(0, 1, 1))

    def test_totals_count_only_as_the_last_line(self) -> None:
        self.assertIsNone(parse("1 passed, 0 failed, 0 skipped\nok 1 a\n").totals)

    def test_names_without_text(self) -> None:
        self.assertEqual(parse("ok 1\n").tests[0].name, "")

    def test_what_is_no_result(self) -> None:
        self.assertEqual(parse("okay 1 a\nok one\n ok 1 indented\nBail out!\n").tests, [])

    def test_nothing(self) -> None:
        self.assertEqual((parse("").counts, parse("").plan), (Counts(), None))


class Print(unittest.TestCase):
    def printed(self, *counts: Counts) -> tuple[str, bool]:
        printer = Printer()
        with contextlib.redirect_stdout(io.StringIO()) as out:
            printer.begin(len(counts))
            for each in counts:
                printer.point("a", each, "why" if each.failed else "")
            return out.getvalue(), printer.end()

    def test_lines(self) -> None:
        text, good = self.printed(PASSED, FAILED, SKIPPED, Counts(2, 1, 0))
        self.assertEqual(text, "KTAP version 1\n1..4\nok 1 a\nnot ok 2 a # why\nok 3 a\nnot ok 4 a # why\n")
        self.assertFalse(good)

    def test_good(self) -> None:
        self.assertTrue(self.printed(PASSED, SKIPPED)[1])

    def test_nothing_passed(self) -> None:
        self.assertFalse(self.printed(SKIPPED)[1])


if __name__ == "__main__":
    unittest.main()
