"""Tests the comparison of what the kernel's own tests say."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from runner import matrix, tree
from runner.commands import upstream
from runner.commands.upstream import differences, parse

BEFORE = """\
BEGIN fib_tests.sh
Single path route test
    TEST: IPv6 fibmatch                                                 [ OK ]
    TEST: IPv6 - no route                                               [FAIL]
END 1
BEGIN bind_wildcard
TAP version 13
1..2
#  RUN           bind_wildcard.v4.plain ...
ok 1 bind_wildcard.v4.plain
ok 2 bind_wildcard.v4.other # SKIP no other
END 0
BEGIN cmsg_ip.sh
OK
END 0
NAMESPACES 0
"""
AFTER = BEFORE.replace("NAMESPACES 0", "BEGIN anyip_bind\nok 1 anyip_bind.off\nEND 0\nNAMESPACES 5")


class Parse(unittest.TestCase):
    def setUp(self) -> None:
        self.outcomes, self.namespaces = parse(BEFORE)

    def test_counts(self) -> None:
        self.assertEqual(str(self.outcomes["fib_tests.sh"].counts), "1 passed, 1 failed, 0 skipped")
        self.assertEqual(str(self.outcomes["bind_wildcard"].counts), "1 passed, 0 failed, 1 skipped")
        self.assertEqual(str(self.outcomes["cmsg_ip.sh"].counts), "1 passed, 0 failed, 0 skipped")
        self.assertEqual(self.namespaces, 0)

    def test_that_did_not_end(self) -> None:
        for text in ("", "END 124\n", "END 2\n"):
            outcome = parse("BEGIN fib_tests.sh\nTEST: a [ OK ]\nTEST: b [ OK ]\n" + text)[0]["fib_tests.sh"]
            self.assertFalse(outcome.ended)
            self.assertIn("passed, did not end", outcome.cell())

    def test_differences(self) -> None:
        other = parse(BEFORE.replace("no route                                               [FAIL]", "no route [ OK ]"))[0]
        self.assertEqual(differences(self.outcomes["fib_tests.sh"], other["fib_tests.sh"]),
                         ["- failed: IPv6 - no route", "+ passed: IPv6 - no route"])
        self.assertEqual(differences(self.outcomes["cmsg_ip.sh"], parse(BEFORE)[0]["cmsg_ip.sh"]), [])

    def test_exit_code_differs(self) -> None:
        other = parse(BEFORE.replace("OK\nEND 0", "OK\nEND 1"))[0]
        self.assertTrue(differences(self.outcomes["cmsg_ip.sh"], other["cmsg_ip.sh"]))


class Compare(unittest.TestCase):
    TESTS = ["fib_tests.sh", "bind_wildcard", "cmsg_ip.sh", "anyip_bind"]

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = Path(folder.name)
        data = {"upstream": {"tests": self.TESTS, "of_the_series": ["anyip_bind"]}}
        for patched in (mock.patch.object(tree, "CACHE", self.work), mock.patch.object(matrix, "data", return_value=data)):
            patched.start()
            self.addCleanup(patched.stop)

    def tell(self, off: str = AFTER, on: str = AFTER, code: int = 0, console: str = "") -> tuple[int, str]:
        for name, text in (("before", BEFORE), ("off", off), ("on", on)):
            (self.work / name).write_text(text, encoding="utf-8")
            (self.work / f"{name}.code").write_text(f"{code}\n", encoding="utf-8")
            (self.work / f"{name}.console").write_text(console, encoding="utf-8")
        with contextlib.redirect_stdout(io.StringIO()) as said:
            failed = upstream.main([str(self.work), *self.TESTS])
        return failed, said.getvalue()

    def test_same(self) -> None:
        failed, said = self.tell()
        self.assertEqual(failed, 0)
        self.assertTrue(said.endswith("\n11 passed, 0 failed, 0 skipped\n"))
        table = (self.work / "upstream.md").read_text(encoding="utf-8")
        self.assertIn("| anyip_bind | - | 1 passed | 1 passed |", table)

    def test_time_limit_in_all(self) -> None:
        text = AFTER.replace("END 1\n", "END 124\n")
        with mock.patch(f"{__name__}.BEFORE", BEFORE.replace("END 1\n", "END 124\n")):
            self.assertEqual(self.tell(off=text, on=text)[0], 1)

    def test_faults(self) -> None:
        splat = "[    1.234567] BUG: sleeping function\n"
        for name, given in {
            "other result": {"on": AFTER.replace("[ OK ]", "[FAIL]")},
            "did not end": {"off": AFTER.replace("END 1\n", "")},
            "not reached": {"on": AFTER.replace("BEGIN cmsg_ip.sh\nOK\nEND 0\n", "")},
            "own test not reached": {"on": AFTER.replace("BEGIN anyip_bind\nok 1 anyip_bind.off\nEND 0\n", "")},
            "no sysctl": {"on": AFTER.replace("NAMESPACES 5", "NAMESPACES 0")},
            "own test": {"on": AFTER.replace("ok 1 anyip_bind", "not ok 1 anyip_bind")},
            "code": {"code": 125},
            "splat": {"console": splat},
        }.items():
            with self.subTest(name):
                self.assertEqual(self.tell(**given)[0], 1)
