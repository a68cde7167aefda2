"""Tests the rows of scripts/configs, and the page with the reports of kernels that watch themselves."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from runner import brought, matrix, tree
from runner.commands import configs
from runner.commands.configs import Configs, Row, Table

PAGE = """\
| row | kernel | parts |
|---|---|---|
| a | 6.12 | all |
| ab | 6.13 | bind |

| row | what the storms and the fuzz counted |
|---|---|
| a | 5 binds |
| a | 6 sends |
"""
KTAP = "KTAP version 1\n# kernel 6.12\nok 1 bind.a\n# gcda /x/y.gcda AAAA\n1..1\n1 passed, 0 failed, 0 skipped\n"


class InFolder(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)
        for patch in (mock.patch.object(tree, "CACHE", self.top), mock.patch.object(tree, "host_arch", return_value="amd64"),
                      mock.patch.dict("os.environ", {name: "" for name in (*configs.SETTINGS, "PARTS", "LIMIT")})):
            patch.start()
            self.addCleanup(patch.stop)

    def row(self, table: str = "debug", **entry: object) -> Row:
        row = Row(configs.TABLES[table], {"name": "a", "suite": "trixie", "compiler": "gcc", "says": "loads", **entry})
        row.folder.mkdir(parents=True, exist_ok=True)
        row.kernel = self.top / "kernel"
        row.kernel.mkdir(exist_ok=True)
        (row.kernel / "config").write_text("".join(f"CONFIG_{option}=m\n" for option in matrix.data()["skips"]), encoding="utf-8")
        return row


class Rows(InFolder):
    def test_skips(self) -> None:
        row = self.row()
        self.assertEqual(row.may_skip, "")
        config = row.kernel / "config"
        text = config.read_text(encoding="utf-8").replace("CONFIG_NET_VRF=m", "# CONFIG_NET_VRF is not set")
        config.write_text(text, encoding="utf-8")
        self.assertEqual(row.may_skip, "no VRF in this kernel")
        row.kernel = None
        self.assertEqual(row.may_skip, "")

    def test_parts_of_the_environment_only_with_debug(self) -> None:
        with mock.patch.dict("os.environ", {"PARTS": "bind fuzz"}):
            self.assertEqual(self.row("debug", parts=["load"]).run.parts, ("bind", "fuzz"))
            self.assertEqual(self.row("configs", parts=["load"]).run.parts, ("load",))

    def test_no_parts_are_all(self) -> None:
        row = self.row()
        self.assertTrue(row.wants_perf)
        command = Configs(Table("debug", 7200, 600, 2048, ("no5lvl",)), [], False)
        machine = row.machine(command.settings, command.limit)
        self.assertEqual(machine.run.processors, 4)
        self.assertTrue(machine.command()[-1].endswith("run.sh"))

    def test_limits(self) -> None:
        self.assertEqual(Configs(configs.TABLES["debug"], [], False).limit, 7200 + 50 + 600)
        self.assertEqual(Configs(configs.TABLES["configs"], [], False).limit, 3650)

    def test_machine(self) -> None:
        row = self.row(parts=["load"], says="not loaded: no IPv6", found=["ping_bind", "send6"])
        (row.folder / "anyip6.ko").touch()
        command = row.machine(Configs(row.table, [], False).settings, 5).command()
        self.assertEqual(command[1:3], ["--kernel-dir", str(self.top / "kernel")])
        self.assertIn("ANYIP6_REFUSES=not loaded: no IPv6", command)
        self.assertIn("ANYIP6_FOUND=ping_bind send6", command)
        self.assertIn(configs.WATCHED, command)
        self.assertEqual(command[command.index("--mem") + 1], "2048")
        self.assertIn(f"{row.folder}/anyip6.ko:/ksft/net/anyip6/anyip6.ko", command)

    def test_watchers(self) -> None:
        row = self.row(config=["DEBUG_KMEMLEAK=y"])
        machine = row.machine(Configs(row.table, [], False).settings, 5)
        machine.keep("code", 0)
        machine.keep("ktap", KTAP)
        with contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertFalse(row.watchers_asked(machine))
        self.assertIn("kmemleak was not asked", said.getvalue())
        machine.keep("ktap", KTAP.replace("bind.a", "kmemleak.nothing"))
        self.assertTrue(row.watchers_asked(machine))

    def test_what_the_module_said(self) -> None:
        row = self.row()
        row.keep("console.log", "[  1.0] x\r\n[  3.0][  T1] anyip6: version 1.0, hooks ipv6_chk_addr\r\n[  4.0] anyip6: no\r")
        self.assertEqual(row.module_said(), "anyip6: version 1.0; ")


class Trees(InFolder):
    def tree(self, version: str = "VERSION = 5\nPATCHLEVEL = 15\n") -> str:
        (self.top / "linux-5.15").mkdir(exist_ok=True)
        (self.top / "linux-5.15/Makefile").write_text(version, encoding="utf-8")
        return str(self.top / "linux-5.15")

    def test_row(self) -> None:
        source = brought.checked(brought.Source, self.tree())
        row, = configs.rows_of(configs.TABLES["configs"], [], source)
        self.assertEqual((row.title, row.suite, row.folder.name), ("linux-5.15, tree", "bullseye", "linux-5.15-tree"))
        self.assertEqual(row.run.parts, tuple(matrix.data()["runs"]["all"]["parts"]))
        children = mock.Mock()
        row.make("kernel", children)
        children.output.assert_called_with(
            [configs.BUILDER, "configs", "tree", "kernel", str(row.folder), "bullseye", self.tree()])

    def test_a_row_of_the_suites_from_a_tree(self) -> None:
        source = brought.checked(brought.Source, self.tree())
        row, = configs.rows_of(configs.TABLES["configs"], ["called-once"], source)
        self.assertEqual((row.name, row.suite), ("called-once", "bullseye"))

    def test_a_row_without_a_tree(self) -> None:
        self.assertNotIn("tree", [row.name for row in configs.rows_of(configs.TABLES["configs"], [])])
        with self.assertRaisesRegex(SystemExit, "tree: this row needs --tree"):
            configs.rows_of(configs.TABLES["configs"], ["tree"])

    def test_options_that_exclude_each_other(self) -> None:
        with self.assertRaisesRegex(SystemExit, "--tree goes without"):
            configs.main(["--tree", self.tree(), "--debug"])


class Report(InFolder):
    def told(self, row: Row, compile_only: bool = False) -> tuple[Configs, str]:
        command = Configs(row.table, [row], compile_only)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            command.report(row)
        return command, out.getvalue()

    def test_good(self) -> None:
        row = self.row("configs")
        row.keep("ktap", KTAP)
        row.keep("code", "0")
        command, out = self.told(row)
        self.assertTrue(out.endswith("\nok 1 a\n"))
        self.assertIn("    ok 1 bind.a\n", out)
        self.assertNotIn("gcda", out)
        self.assertEqual(command.lines[-1], "a | trixie gcc | built | booted | 1 passed, 0 failed, 0 skipped")

    def test_died(self) -> None:
        row = self.row("configs")
        row.keep("ktap", "KTAP version 1")
        row.keep("code", "124")
        command, out = self.told(row)
        self.assertIn("not ok 1 a", out)
        self.assertIn("a: ended at its time limit", command.failed)

    def test_not_built(self) -> None:
        row = self.row("configs")
        row.keep("failed", "kernel")
        command, out = self.told(row)
        self.assertIn("not ok 1 a", out)
        self.assertEqual(command.lines[-1], f"a | trixie gcc | - | - | see {row.folder}/kernel.log")
        row.keep("failed", "module")
        self.assertIn("not built", self.told(row)[0].lines[-1])

    def test_compile_only(self) -> None:
        command, out = self.told(self.row("configs"), compile_only=True)
        self.assertIn("\nok 1 a", out)
        self.assertEqual(command.lines[-1], "a | trixie gcc | built | - | not booted")


class Page(InFolder):
    def test_new(self) -> None:
        row = self.row()
        row.keep("facts", "7.3 | bind | 1 | 0 | 0 | 5 | KVM | abc")
        row.keep("ktap", "# in all: 7 binds\r\n# in all: 8 sends")
        self.assertEqual(configs.fact_lines(row, PAGE), ["| a | 7.3 | bind | 1 | 0 | 0 | 5 | KVM | abc |"])
        self.assertEqual(configs.count_lines(row, PAGE), ["| a | 7 binds |", "| a | 8 sends |"])

    def test_kept(self) -> None:
        self.assertEqual(configs.fact_lines(self.row(), PAGE), ["| a | 6.12 | all |"])
        self.assertEqual(configs.count_lines(self.row(), PAGE), ["| a | 5 binds |", "| a | 6 sends |"])

    def test_never_run(self) -> None:
        self.assertEqual(configs.fact_lines(self.row(name="b"), PAGE), ["| b | not run | | | | | | | |"])

    def test_not_built(self) -> None:
        row = self.row()
        row.keep("failed", "module")
        self.assertEqual(configs.fact_lines(row, PAGE), ["| a | not built | | | | | | | |"])
        self.assertEqual(configs.count_lines(row, PAGE), [])


if __name__ == "__main__":
    unittest.main()
