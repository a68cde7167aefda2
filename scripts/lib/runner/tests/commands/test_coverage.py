"""Tests the reading of gcov's text."""

import tempfile
import unittest
from base64 import b64encode
from pathlib import Path

from runner.commands.coverage import Coverage, unpack

SHARES = {"lines": 0.5, "branches": 0.5}
TEXT = """\
        -:    0:Source:/build/src/a.c
        -:    1:#include <b.h>
        2:    2:int one(void)
        -:    3:{
        2:    4:\tif (x)
branch  0 taken 50%
branch  1 taken 0
    #####:    5:\t\treturn -ENOENT;
        2:    6:\treturn 0;
        2:    4:\tif (x)
branch  0 taken 50%
        -:    0:Source:/usr/include/linux/list.h
    #####:    9:\tnot ours();
"""
REASON = ["a.c", "one", "return -ENOENT", "there is always one"]


class Read(unittest.TestCase):
    def coverage(self, *reasons: list[str], names: tuple[str, ...] = ("a.c",)) -> Coverage:
        coverage = Coverage("/build/src/", list(reasons))
        coverage.read(TEXT.replace("taken 50%", "taken 50"))
        coverage.end(list(names), SHARES)
        return coverage

    def test_counts(self) -> None:
        tables = self.coverage(REASON).tables()
        self.assertIn("| a.c | 3 of 4 (75.0 %) | 1 of 2 (50.0 %) |", tables)
        self.assertIn("| all | 3 of 4 (75.0 %) | 1 of 2 (50.0 %) |", tables)
        self.assertIn("| a.c | one | `return -ENOENT;` | there is always one |", tables)
        self.assertNotIn("ours", tables)

    def test_all_well(self) -> None:
        self.assertEqual(self.coverage(REASON).wrong, [])

    def test_no_reason(self) -> None:
        self.assertEqual(self.coverage().wrong, ["a.c: one(): not reached, and no reason why: return -ENOENT;"])

    def test_reason_for_nothing(self) -> None:
        self.assertEqual(self.coverage(REASON, ["a.c", "two", "x", "y"]).wrong, ["a.c: two(): no such line: x"])

    def test_file_that_is_not_in_the_module(self) -> None:
        self.assertIn("b.c: all(): not reached, and no reason why: ...", self.coverage(REASON, names=("a.c", "b.c")).wrong)

    def test_shares(self) -> None:
        coverage = Coverage("/build/src/", [REASON])
        coverage.read(TEXT.replace("taken 50%", "taken 0"))
        coverage.end(["a.c"], {"lines": 0.95, "branches": 0.85})
        self.assertEqual(coverage.wrong, ["less than 95 % of the lines", "less than 85 % of the branches"])

    def test_nothing(self) -> None:
        coverage = Coverage("/build/src/", [])
        coverage.end([], SHARES)
        self.assertEqual(len(coverage.wrong), 2)


class Unpack(unittest.TestCase):
    def test_files(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            root, notes = Path(name, "root"), Path(name, "notes")
            notes.mkdir()
            (notes / "a.gcno").write_text("notes", encoding="utf-8")
            built = unpack(f"ok 1 x\n# gcda /tmp/b/src/a.gcda {b64encode(b'data').decode()}\n", notes, root)
            self.assertEqual(built, Path("/tmp/b"))
            self.assertEqual((root / "tmp/b/src/a.gcda").read_bytes(), b"data")
            self.assertEqual((root / "tmp/b/src/a.gcno").read_text(encoding="utf-8"), "notes")

    def test_no_data(self) -> None:
        with self.assertRaises(SystemExit):
            unpack("ok 1 x\n", Path("/nowhere"), Path("/nowhere"))


if __name__ == "__main__":
    unittest.main()
