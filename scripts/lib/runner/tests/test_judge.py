"""Tests the verdicts, with logs that are broken on purpose."""

import unittest

from runner.judge import console_fault, judge
from runner.ktap import Counts

GOOD = "KTAP version 1\nok 1 a\nok 2 b # SKIP no DCCP\n1..2\n1 passed, 0 failed, 1 skipped\n"
CONSOLE = "[    0.100000] Linux version 6.12\r\n| ok 1 a\r\n[    9.000000] reboot: Power down\r\n"


class Judge(unittest.TestCase):
    def fails(self, verdict, reason: str, counts: Counts | None = None) -> None:
        self.assertFalse(verdict.good)
        self.assertIn(reason, "\n".join(verdict.lines()))
        if counts:
            self.assertEqual(verdict.counts, counts)

    def test_good(self) -> None:
        verdict = judge(GOOD, 0, CONSOLE)
        self.assertTrue(verdict.good)
        self.assertEqual(verdict.counts, Counts(1, 0, 1))
        self.assertEqual(verdict.lines(), [])

    def test_failed_test(self) -> None:
        text = "# want 1\n# on: Test failed\n#          FAIL  a\nnot ok 1 a\nok 2 b\n1..2\n1 passed, 1 failed, 0 skipped\n"
        verdict = judge(text, 1, CONSOLE)
        self.fails(verdict, "not ok 1 a", Counts(1, 1, 0))
        self.assertEqual(verdict.lines(), ["not ok 1 a", "    want 1"])

    def test_machine_died(self) -> None:
        self.fails(judge("KTAP version 1\nok 1 a\n", 125, CONSOLE), "no clean end of the machine", Counts(1, 1, 0))
        self.fails(judge("KTAP version 1\nok 1 a\n", 125, CONSOLE), "no plan: the tests ended early, after 1 results")

    def test_never_booted(self) -> None:
        self.fails(judge("", 1, ""), "nothing passed", Counts(0, 1, 0))

    def test_time_limit(self) -> None:
        self.fails(judge("KTAP version 1\nok 1 a\n", 124, CONSOLE), "ended at its time limit")

    def test_oops_although_all_passed(self) -> None:
        oops = CONSOLE + "[    7.123456] BUG: KASAN: slab-use-after-free in anyip6_is_local+0x1/0x2 [anyip6]\r\n"
        self.fails(judge(GOOD, 125, oops), "the kernel complained: [    7.123456] BUG: KASAN", Counts(1, 1, 1))
        self.assertFalse(judge(GOOD, 0, oops).good)

    def test_leak(self) -> None:
        leak = "[  90.000001] kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)\n"
        self.fails(judge(GOOD, 125, leak), "suspected memory leaks")

    def test_reference_leak(self) -> None:
        leak = "[  90.000001][  T12] unregister_netdevice: waiting for lo to become free. Usage count = 2\n"
        self.fails(judge(GOOD, 125, leak), "waiting for lo to become free")

    def test_no_plan(self) -> None:
        self.fails(judge("ok 1 a\n1 passed, 0 failed, 0 skipped\n", 0, CONSOLE), "no plan", Counts(1, 1, 0))

    def test_fewer_than_planned(self) -> None:
        self.fails(judge(GOOD.replace("1..2", "1..3"), 0, CONSOLE), "2 results where 3 were planned", Counts(1, 1, 1))

    def test_totals_that_lie(self) -> None:
        self.fails(judge(GOOD.replace("1 passed", "9 passed"), 0, CONSOLE), "the totals say 9 passed")

    def test_unexpected_skip(self) -> None:
        text = "ok 1 a\nnot ok 2 b # unexpected skip: no VRF\n1..2\n1 passed, 1 failed, 0 skipped\n"
        self.fails(judge(text, 1, CONSOLE), "not ok 2 b # unexpected skip: no VRF", Counts(1, 1, 0))

    def test_exit_code_alone(self) -> None:
        self.fails(judge(GOOD, 3, CONSOLE), "exit code 3, and no test failed", Counts(1, 1, 1))

    def test_all_skipped(self) -> None:
        self.fails(judge("ok 1 a # SKIP\n1..1\n0 passed, 0 failed, 1 skipped\n", 0, CONSOLE), "nothing passed")


class Console(unittest.TestCase):
    def test_only_the_kernel_is_heard(self) -> None:
        self.assertEqual(console_fault("| BUG: what a command says\n| WARNING: likewise\n"), "")

    def test_in_the_middle_of_a_line(self) -> None:
        self.assertEqual(console_fault("| ok 1 a[    1.000000] WARNING: CPU: 0\n"), "[    1.000000] WARNING: CPU: 0")

    def test_caller_ids(self) -> None:
        self.assertNotEqual(console_fault("[    1.000000][    T1] rcu: INFO: rcu_sched self-detected stall on CPU\n"), "")

    def test_first_of_several(self) -> None:
        self.assertIn("Oops", console_fault("[    1.000000] Oops: 0\n[    2.000000] Kernel panic\n"))


if __name__ == "__main__":
    unittest.main()
