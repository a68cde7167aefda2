"""Tests when a break counts as found."""

import subprocess
import unittest

from runner import tree
from runner.commands import breaks
from runner.matrix import Kernel

FUZZ = """\
# wrong: 2001:db8::1 on lo: refused, expected yes
# found after {} s
not ok 3 fuzz.loaded_and_on_and_off
# found after 1 s
ok 4 fuzz.planted
1..4
3 passed, 1 failed, 0 skipped
"""


class Fuzz(unittest.TestCase):
    def test_found(self) -> None:
        finding = breaks.verdict("fuzz", FUZZ.format(12), True)
        self.assertTrue(finding.found)
        self.assertEqual(finding.remark, "wrong: 2001:db8::1 on lo: refused, expected yes, after 12 s")

    def test_too_late(self) -> None:
        self.assertFalse(breaks.verdict("fuzz", FUZZ.format(61), True).found)

    def test_another_test_failed(self) -> None:
        self.assertFalse(breaks.verdict("fuzz", FUZZ.format(1).replace("loaded_and_on", "planted_in"), True).found)

    def test_died(self) -> None:
        self.assertFalse(breaks.verdict("fuzz", "", True).found)


class Others(unittest.TestCase):
    def test_churn(self) -> None:
        text = "# in all: 5 of 100 wrong\nnot ok 1 churn.no_answer_wrong\n"
        self.assertEqual(breaks.verdict("churn", text, True), breaks.Finding(True, "in all: 5 of 100 wrong"))
        self.assertFalse(breaks.verdict("churn", text.replace("not ok", "ok"), True).found)

    def test_kunit_in_a_subtest(self) -> None:
        finding = breaks.verdict("kunit", "    not ok 2 many_routes\r\nnot ok 1 anyip6_race\r\n", True)
        self.assertEqual(finding, breaks.Finding(True, "not ok: many_routes;not ok: anyip6_race"))


class AsItIs(unittest.TestCase):
    def test_nothing_found(self) -> None:
        self.assertTrue(breaks.verdict("churn", "# in all: 0 wrong\nok 1 a\n1..1\n1 passed, 0 failed, 0 skipped\n", False).found)

    def test_something_found(self) -> None:
        self.assertFalse(breaks.verdict("churn", "not ok 1 a\n0 passed, 1 failed, 0 skipped\n", False).found)

    def test_died(self) -> None:
        self.assertFalse(breaks.verdict("churn", "ok 1 a\n", False).found)


class Wanted(unittest.TestCase):
    def test_each_patch_names_a_test(self) -> None:
        for patch in breaks.FOLDER.glob("*.patch"):
            self.assertIn(breaks.found_by(patch.stem), [*breaks.FINDINGS, "nobody"], patch.name)

    def test_each_patch_applies(self) -> None:
        for patch in breaks.FOLDER.glob("*.patch"):
            done = subprocess.run(["git", "apply", "--check", patch], cwd=tree.TOP, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_first_the_module_as_it_is(self) -> None:
        names = sorted(patch.stem for patch in breaks.FOLDER.glob("*.patch"))
        listed = breaks.wanted(names, Kernel("trixie"))
        tests = [each.name for each in listed if not each.broken]
        self.assertEqual([each.name for each in listed], tests + names)
        self.assertNotIn("none-nobody", tests)


if __name__ == "__main__":
    unittest.main()
