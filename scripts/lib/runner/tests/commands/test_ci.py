"""Tests the rules of CI."""

import os
import re
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from runner import matrix, tree
from runner.commands import ci

TABLE = matrix.data()["ci"]
# On Debian 12, where `check` compares the table of parity.
EVERYTHING = [step for step in TABLE["everything"] if step != "table"]


def steps(*paths: str) -> list[str]:
    return ci.steps_of(ci.decide(list(paths), TABLE), TABLE)


class Rules(unittest.TestCase):
    def setUp(self) -> None:
        patch = mock.patch.object(matrix, "own_kernel", return_value="bookworm")
        patch.start()
        self.addCleanup(patch.stop)

    def test_a_machine_that_does_not_compare_the_table(self) -> None:
        with mock.patch.object(matrix, "own_kernel", return_value="trixie"):
            self.assertEqual(steps("src/local.c"), TABLE["everything"])

    def test_each_kind_of_path(self) -> None:
        everything = EVERYTHING
        for path, wanted in {
            "docs/how-it-works.md": ["lint"],
            "README.md": ["lint"],
            "docs/reference/parity.md": ["lint", "table"],
            "scripts/vm": everything,
            "scripts/lib/runner/commands/check.py": everything,
            "scripts/kconfig/kasan.config": everything,
            "scripts/apps": ["lint", "one_kernel"],
            "scripts/kunit": ["lint", "kunit"],
            "scripts/bench": ["lint", "bench"],
            "scripts/lib/runner/commands/bench.py": ["lint", "bench"],
            "tools/main.c": ["lint", "tool"],
            "man/anyip6.8": ["lint", "tool"],
            "examples/ssh/sshd_config": ["lint", "tool"],
            "bench/bench.c": ["lint", "bench"],
            "debian/control": ["lint"],
            "src/local.c": everything,
            "patches/README.md": everything,
            "selftests/run.sh": everything,
            "selftests/compat/kernels": ["lint"],
            "Kbuild": everything,
        }.items():
            with self.subTest(path):
                self.assertEqual(steps(path), wanted)

    def test_what_decides_runs_everything(self) -> None:
        for path in (".ci/run", "scripts/matrix.toml", "scripts/lib/runner/commands/ci.py", "Makefile"):
            with self.subTest(path):
                self.assertEqual(steps(path), EVERYTHING)

    def test_no_rule_runs_everything(self) -> None:
        self.assertEqual(steps("new/file"), EVERYTHING)
        self.assertEqual(steps("README.md", "new/file"), EVERYTHING)

    def test_a_folder_is_not_the_beginning_of_a_name(self) -> None:
        self.assertEqual(steps("docs-of-another/x"), EVERYTHING)
        self.assertEqual(steps("sub/docs/x"), EVERYTHING)

    def test_several_paths_add_up(self) -> None:
        self.assertEqual(steps("README.md", "tools/main.c"), ["lint", "tool"])
        self.assertEqual(steps("tools/main.c", "scripts/apps"), ["lint", "one_kernel"])

    def test_nobody_knows(self) -> None:
        self.assertEqual(ci.steps_of(ci.decide(None, TABLE), TABLE), EVERYTHING)

    def test_nothing_changed(self) -> None:
        self.assertEqual(steps(), ["lint"])

    def test_the_rule_is_named(self) -> None:
        self.assertEqual(str(ci.decide(["README.md"], TABLE)[0]), "README.md: the rule for pages: lint")
        self.assertIn("no rule names it", str(ci.decide(["x"], TABLE)[0]))

    def test_steps_exist(self) -> None:
        named = set(TABLE["everything"])
        for rule in TABLE["rules"]:
            named.update([] if rule["steps"] == "everything" else rule["steps"])
        self.assertEqual(named - set(TABLE["steps"]), set())

    def test_steps_have_commands(self) -> None:
        script = (tree.TOP / ".ci/run").read_text(encoding="utf-8")
        self.assertEqual(set(re.findall(r"^        ([a-z_]+)\) .* ;;$", script, re.M)), set(TABLE["steps"]))

    def test_the_command_that_the_readme_names(self) -> None:
        """It is a block that can be pasted, and without a known base .ci/run calls it as it stands there."""
        block = re.search(r"^```sh\n(make check)\n```$", (tree.TOP / "README.md").read_text(encoding="utf-8"), re.M)
        self.assertIsNotNone(block)
        self.assertIn(f"        check) {block[1]} ;;\n", (tree.TOP / ".ci/run").read_text(encoding="utf-8"))
        self.assertIn("check", steps("new/file"))

    def test_everything_has_all_that_a_rule_has(self) -> None:
        for path in ("src/local.c", "docs/reference/parity.md", "scripts/vm", "tools/main.c"):
            both = steps(path, "src/local.c")
            self.assertEqual(both, EVERYTHING)

    def test_paths_that_rules_name_exist(self) -> None:
        for rule in TABLE["rules"]:
            for path in rule["paths"]:
                self.assertTrue((tree.TOP / path).exists(), path)


class Base(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name) / "tree"
        self.top.mkdir()
        for patch in (
            mock.patch.object(tree, "TOP", self.top),
            mock.patch.object(ci, "RECORD", Path(folder.name) / "passed"),
            mock.patch.dict("os.environ", {"ANYIP6_CI_BASE": "", "HOME": folder.name, "GIT_CONFIG_NOSYSTEM": "1"}),
        ):
            patch.start()
            self.addCleanup(patch.stop)
        self.git("init")
        self.commit("a")

    def git(self, *args: str) -> None:
        self.assertIsNotNone(tree.git("-c", "user.name=n", "-c", "user.email=e", *args), args)

    def commit(self, name: str) -> None:
        (self.top / name).write_text(name, encoding="utf-8")
        self.git("add", name)
        self.git("commit", "-m", name)

    def changed(self) -> list[str] | None:
        return ci.changed(ci.recorded(7))

    def test_unknown_at_first(self) -> None:
        self.assertIsNone(self.changed())

    def test_since_what_passed(self) -> None:
        ci.record(ci.head(), True)
        self.assertEqual(self.changed(), [])
        self.commit("b")
        self.assertEqual(self.changed(), ["b"])

    def test_files_outside_the_commit_count(self) -> None:
        ci.record(ci.head(), True)
        (self.top / "a").write_text("other", encoding="utf-8")
        (self.top / "new").write_text("new", encoding="utf-8")
        self.assertEqual(self.changed(), ["a", "new"])

    def test_a_move_is_two_paths(self) -> None:
        ci.record(ci.head(), True)
        self.git("mv", "a", "b")
        self.assertEqual(self.changed(), ["a", "b"])

    def test_what_is_in_no_commit_is_not_recorded(self) -> None:
        (self.top / "new").write_text("new", encoding="utf-8")
        ci.record(ci.head(), True)
        self.assertIsNone(self.changed())

    def test_a_commit_that_is_not_here(self) -> None:
        ci.RECORD.write_text("0123456789012345678901234567890123456789\n", encoding="utf-8")
        self.assertIsNone(self.changed())

    def test_long_ago(self) -> None:
        ci.record(ci.head(), True)
        old = time.time() - 8 * 86400
        os.utime(ci.RECORD, (old, old))
        self.assertIsNone(self.changed())

    def test_a_part_makes_no_record_younger(self) -> None:
        ci.record(ci.head(), False)
        self.assertIsNone(self.changed())
        ci.record(ci.head(), True)
        old = time.time() - 6 * 86400
        os.utime(ci.RECORD, (old, old))
        self.commit("b")
        ci.record(ci.head(), False)
        self.assertEqual(self.changed(), [])
        self.assertAlmostEqual(ci.RECORD.stat().st_mtime, old, delta=5)

    def test_a_commit_that_came_meanwhile(self) -> None:
        before = ci.head()
        self.commit("b")
        ci.record(before, True)
        self.assertIsNone(self.changed())

    def test_ci_can_say_it(self) -> None:
        with mock.patch.dict("os.environ", {"ANYIP6_CI_BASE": "HEAD"}):
            self.assertEqual(self.changed(), [])


if __name__ == "__main__":
    unittest.main()
