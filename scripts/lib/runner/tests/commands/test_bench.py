"""Tests what is measured, the bounds, and the tables of costs."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from runner import matrix, tree
from runner.commands import bench
from runner.commands.bench import Bench, Run
from runner.results import costs
from runner.results.costs import Numbers
from runner.pool import Children

TEXT = """\
trixie\tstock\tsend\t0\t90\t100
trixie\tstock\tsend\t0\t95\t98
trixie\tstock\tbind_refused\t99\t50\t60
trixie\ton\tsend\t0\t91\t99
trixie\tBail out! bind: Invalid argument
trixie\tbeside-on\t100\t0\t20\t30
trixie\tbeside-on\t1\t0\t20\t20
trixie\tbeside-on-bytes\t100\t0\t7\t7
"""


class Read(unittest.TestCase):
    def setUp(self) -> None:
        self.numbers = Numbers(TEXT)

    def test_smallest_counts(self) -> None:
        self.assertEqual(self.numbers.known["trixie/stock/send"], 98)
        self.assertEqual(self.numbers.known["trixie/stock/send:min"], 90)

    def test_cells(self) -> None:
        self.assertEqual(self.numbers.cell("trixie/stock/bind_refused"), "no 60")
        self.assertEqual(self.numbers.cell("trixie/on/send"), "99")
        self.assertEqual(self.numbers.cell("trixie/on/bind_refused"), "")

    def test_points_of_one_series_in_order(self) -> None:
        self.assertEqual(self.numbers.points("trixie/beside-on"), [(1, 20), (100, 30)])

    def test_a_failed_program_is_no_number(self) -> None:
        self.assertFalse([name for name in self.numbers.known if "Bail" in name])


class Judge(unittest.TestCase):
    def judge(self, bound: str) -> tuple[bool, str]:
        return costs.judge(bound, Numbers(TEXT))

    def test_bounds(self) -> None:
        for bound, result in {
            "trixie/on/send <= trixie/stock/send + 1": (True, "99 <= 98 + 1"),
            "trixie/on/send <= trixie/stock/send": (False, "99 <= 98"),
            "trixie/on/send:min <= trixie/stock/send:min + 0": (False, "91 <= 90 + 0"),
            "trixie/on/send < trixie/on/send": (False, "99 < 99"),
            "trixie/on/send == 99": (True, "99 == 99"),
            "10 * trixie/beside-on/100 <= 15 * trixie/beside-on/1": (True, "10 * 30 <= 15 * 20"),
            "10 * trixie/beside-on/100 <= 14 * trixie/beside-on/1": (False, "10 * 30 <= 14 * 20"),
        }.items():
            with self.subTest(bound):
                self.assertEqual(self.judge(bound), result)

    def test_not_measured(self) -> None:
        self.assertEqual(self.judge("trixie/off/send <= trixie/stock/send"), (False, "trixie/off/send was not measured"))


class Tables(unittest.TestCase):
    def test_only_measured_columns(self) -> None:
        lines = costs.sockets(["trixie"], costs.MODULE, Numbers(TEXT))
        self.assertEqual(lines[:3], ["| | stock | module, 1 |", "|---|---:|---:|", "| socket() |  |  |"])
        self.assertIn("| bind, neither | no 60 |  |", lines)

    def test_columns_of_another_kernel(self) -> None:
        numbers = Numbers(TEXT.replace("trixie\ton", "limit\ton"))
        self.assertEqual(costs.sockets(["trixie", "limit"], costs.MODULE, numbers)[0], "| | stock | patch, 1 |")
        self.assertEqual(costs.sockets(["trixie"], costs.MODULE, numbers)[0], "| | stock |")

    def test_series(self) -> None:
        self.assertEqual(costs.largest("trixie/configured-stock"), "10000")
        self.assertEqual(costs.largest("oldway/configured-stock"), "100000")
        numbers = Numbers(TEXT.replace("\t100\t", "\t10000\t"))
        self.assertEqual(costs.scales(numbers)[2:], ["| configured addresses, module: an Any-IP one | 10000 | 20 | 30 |  | 7 |"])

    def test_page(self) -> None:
        page = costs.page(["1", "2", "3", "4"], ["ok  a: 1 == 1"], Numbers(TEXT))
        self.assertTrue(page.startswith("## Linux 1\n\nThe module:\n\n| | stock | module, 1 |\n"))
        self.assertIn("\n## Linux 2, small configuration\n\nThe module and the patch:\n", page)
        self.assertTrue(page.endswith("\n```text\nok  a: 1 == 1\n```\n"))

    def test_plot(self) -> None:
        plot = {"title": "T", "axis": "A", "lines": {"trixie/beside-on": "B", "trixie/none-on": "N"}}
        script = costs.plot_script(Path("/x.svg"), plot, Numbers(TEXT))
        self.assertTrue(script.startswith("$line0 << END\n1 20\n100 30\nEND\n$line1 << END\nEND\nset terminal svg"))
        self.assertIn("plot $line0 with linespoints linewidth 2 title 'B',$line1 with", script)


class Data(unittest.TestCase):
    """The tables of matrix.toml name what exists."""

    def measured(self, number: str) -> bool:
        return any(run.measures(number) for run in bench.all_runs())

    def test_kernels_exist(self) -> None:
        names = {f"row {row['name']}" for row in matrix.rows("configs")}
        for run in bench.all_runs():
            self.assertTrue(run.kernel in names or run.kernel in matrix.data()["suites"], run.kernel)

    def test_bounds_are_measured(self) -> None:
        for bound in costs.table()["bounds"].values():
            for number in costs.NAME.findall(bound):
                self.assertTrue(self.measured(number), number)

    def test_series_are_measured(self) -> None:
        for series in [*costs.table()["series"], *(line for plot in costs.table()["plots"].values() for line in plot["lines"])]:
            self.assertTrue(self.measured(f"{series}/{costs.largest(series)}"), series)

    def test_columns_and_rows_are_those_of_the_program(self) -> None:
        source = (tree.TOP / "bench/bench.c").read_text(encoding="utf-8")
        for name in [*costs.table()["columns"], *costs.table()["rows"]]:
            self.assertIn(f'"{name.rpartition("/")[2]}"', source)

    def test_sections_have_kernels(self) -> None:
        self.assertEqual([costs.kernel_of(names[0]) for names in costs.table()["sections"]],
                         ["trixie", "row default", "experimental", "row newest"])


class Runs(unittest.TestCase):
    def test_by_default_all_but_those_that_must_be_named(self) -> None:
        self.assertEqual({run.name for run in bench.all_runs()} - {run.name for run in bench.runs_of([])}, {"old-way"})

    def test_in_the_order_of_the_table(self) -> None:
        self.assertEqual([run.name for run in bench.runs_of(["old-way", "routes"])], ["routes", "old-way"])

    def test_unknown(self) -> None:
        with self.assertRaises(SystemExit):
            bench.runs_of(["nonsense"])

    def test_what_a_run_measures(self) -> None:
        run = Run("a", "trixie", "trixie", ["load", "scale,routes,on,10", "rule"])
        for number, measured in {"trixie/on/send": True, "base/on/send": False, "trixie/routes-on/10": True,
                                 "trixie/routes-on-bytes/10": True, "trixie/routes-ipv4/10": False}.items():
            self.assertEqual(run.measures(number), measured, number)
        self.assertFalse(Run("b", "trixie", "trixie", ["smp"]).measures("trixie/on/send"))

    def test_quick_judges_what_it_measures(self) -> None:
        bounds = Bench(bench.runs_of(costs.table()["quick"]), True).bounds()
        self.assertIn("against netns", bounds)
        self.assertIn("locked instructions in the module", bounds)
        for name in ("Any-IP beside the patch, 6.12", "against addresses", "memory a socket"):
            self.assertNotIn(name, bounds)

    def test_quick_shows_what_it_measures(self) -> None:
        quick = Bench(bench.runs_of(costs.table()["quick"]), True)
        lines = [f"{run.numbers}\ton\tsend\t0\t1\t1\n" for run in quick.runs if "rule" in run.steps]
        self.assertEqual(quick.tables(Numbers("".join(lines)), [])[0], "| | module, 1 | module, 1, ndisc=1 |")

    def test_locked_instructions(self) -> None:
        code = "lock cmpxchg %rcx,(%rdx)\nxchg %ax,%ax\nxchg %rax,(%rdi)\ncall <clock_get>\n"
        self.assertEqual(bench.locked(code), "locked\t-\t0\t2\t2\n")


class Measure(unittest.TestCase):
    """A fake scripts/vm prints what a test needs."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)
        (self.top / "scripts").mkdir()
        for patch in (mock.patch.object(tree, "TOP", self.top), mock.patch.object(tree, "CACHE", self.top)):
            patch.start()
            self.addCleanup(patch.stop)
        self.run_ = Run("a", "trixie", "base", ["stock", "load"], processors=4)
        self.bench = Bench([self.run_], False)
        self.bench.work.mkdir()
        self.bench.folders["trixie"] = Path("/kernel")

    def measure(self, script: str) -> None:
        vm = self.top / "scripts/vm"
        vm.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        vm.chmod(0o755)
        with contextlib.redirect_stderr(io.StringIO()):
            self.bench.measure(self.run_, Children())

    def test_good(self) -> None:
        self.measure("printf 'clock\\t-\\t0\\t1\\t2\\n'")
        self.assertTrue(self.bench.is_measured(self.run_))
        self.assertEqual(self.bench.file(self.run_, "tsv").read_text(encoding="utf-8"), "base\tclock\t-\t0\t1\t2\n")

    def test_failed(self) -> None:
        self.measure("exit 1")
        self.assertFalse(self.bench.is_measured(self.run_))

    def test_other_sources(self) -> None:
        self.measure("true")
        self.bench.state = "another"
        self.assertFalse(self.bench.is_measured(self.run_))

    def test_state_is_that_of_the_sources(self) -> None:
        (self.top / "Kbuild").write_text("obj-m", encoding="utf-8")
        self.assertNotEqual(bench.state(), self.bench.state)

    def test_command(self) -> None:
        command = self.bench.command(self.run_)
        self.assertEqual(command[command.index("--smp") + 1], "4")
        self.assertEqual(command[-4:], ["--", "/root/bin/run.sh", "stock", "load"])
        self.assertNotIn("anyip6.ko", " ".join(command))
        module = self.bench.module(self.run_)
        module.parent.mkdir()
        module.touch()
        self.assertIn(f"{module}:/root/bin/anyip6.ko", self.bench.command(self.run_))

    def built(self, kernel: str) -> list[str]:
        """The command that builds the module for a kernel."""
        self.bench.children = mock.Mock(**{"run.return_value": 0})
        self.bench.folders["row default"] = Path("/cache/roots/trixie/usr/src/anyip6/kernels/0123")
        self.bench.build_module(Run("b", kernel, "numbers", []))
        calls = self.bench.children.run.call_args_list
        return calls[0].args[0] if calls else []

    def test_modules(self) -> None:
        out = str(self.bench.work / "numbers")
        self.assertEqual(self.built("trixie"), [tree.KERNELS, "build", "trixie", ".", out])
        kdir = "KDIR=/usr/src/anyip6/kernels/0123/build"
        self.assertEqual(self.built("row default"), [tree.KERNELS, "build", "trixie", ".", out, kdir])
        self.assertEqual(self.built("row patched"), [])

    def test_what_stays(self) -> None:
        for name in ("a.tsv", "old-way.tsv", "old-way.stamp", "base/anyip6.ko"):
            path = self.bench.work / name
            path.parent.mkdir(exist_ok=True)
            path.touch()
        self.bench.forget()
        left = sorted(path.name for path in self.bench.work.rglob("*") if path.is_file())
        self.assertEqual(left, ["old-way.stamp", "old-way.tsv"])


if __name__ == "__main__":
    unittest.main()
