"""Tests the names of kernels and runs, and the tables."""

import unittest
from pathlib import Path
from unittest import mock

from runner import matrix, tree
from runner.matrix import Kernel
from runner.vm import Job, Settings


class Names(unittest.TestCase):
    def test_kernels(self) -> None:
        with mock.patch.object(tree, "host_arch", return_value="amd64"):
            for name, described in {
                "trixie": "trixie amd64 cloud",
                "trixie-rt": "trixie amd64 rt",
                "trixie-backports@7.1": "trixie-backports amd64 cloud",
                "trixie-backports@6.18-generic/arm64": "trixie-backports arm64 generic",
                "forky/arm64": "forky arm64 cloud",
                "trixie-16k/arm64": "trixie arm64 16k",
            }.items():
                self.assertEqual(Kernel(name).describe(), described)

    def test_a_folder(self) -> None:
        with mock.patch.object(tree, "host_arch", return_value="amd64"):
            kernel = Kernel("/a/kernel-6.8")
            self.assertEqual((kernel.describe(), kernel.folder), ("kernel-6.8 amd64 brought", "_a_kernel-6.8"))

    def test_a_part_is_a_run(self) -> None:
        self.assertEqual(matrix.run("bind").parts, ("bind",))
        self.assertEqual(matrix.run("cases").parts, ("absent", "loaded"))

    def test_runs_that_are_named_exist(self) -> None:
        for name in matrix.data()["check"]["default_runs"] + matrix.data()["check"]["all_runs"]:
            self.assertIn(name, matrix.data()["runs"])

    def test_default_kernels(self) -> None:
        self.assertEqual(matrix.default_kernels("bookworm"), ["bullseye", "bookworm", "experimental"])
        self.assertEqual(matrix.default_kernels("bullseye"), ["bullseye", "experimental"])

    def test_own_kernel(self) -> None:
        for own, kernel in {"bookworm": "bookworm", "unknown": "trixie"}.items():
            with mock.patch.object(tree, "own_suite", return_value=own):
                self.assertEqual(matrix.own_kernel(), kernel)

    def test_kernels_are_of_suites_that_are_known(self) -> None:
        with mock.patch.object(tree, "host_arch", return_value="amd64"):
            for name in matrix.data()["check"]["all"]:
                self.assertIn(Kernel(name).suite, matrix.data()["suites"])

    def test_full_names(self) -> None:
        self.assertEqual(Kernel("trixie-backports@7.2-generic/amd64").full_name, "trixie-backports@7.2-generic/amd64")
        with self.assertRaisesRegex(SystemExit, "architecture vax is not known; these are: amd64 arm64"):
            print(Kernel("trixie/vax").flavour)

    def test_processors_of_qemu(self) -> None:
        for name, cpu in {
            "trixie/arm64": "cortex-a57", "trixie-16k/arm64": "max,pauth-impdef=on",
            "trixie-backports@7.1-16k/arm64": "max,pauth-impdef=on", "trixie/amd64": "max", "any/arm64": "cortex-a57",
        }.items():
            self.assertEqual(Kernel(name).cpu, cpu)
        for row in matrix.data()["processors"]:
            self.assertTrue(row["because"] and row["kernels"])

    def test_roots(self) -> None:
        self.assertIn("trixie trixie trixie-security trixie-backports", matrix.root_lines())
        self.assertIn("experimental sid experimental", matrix.root_lines())
        self.assertEqual([line for line in matrix.root_lines() if line.startswith("sid ")], ["sid sid"])

    def test_suites(self) -> None:
        self.assertIn("bookworm 6.1 bookworm", matrix.suite_lines())
        self.assertIn("forky newest forky", matrix.suite_lines())


class Rows(unittest.TestCase):
    def all(self) -> list[dict]:
        return matrix.rows("configs") + matrix.rows("debug")

    def test_names_are_unique(self) -> None:
        for table in ("configs", "debug"):
            names = [row["name"] for row in matrix.rows(table)]
            self.assertEqual(len(set(names)), len(names))

    def test_fragments_exist(self) -> None:
        for row in self.all():
            for word in row.get("config", []):
                if word.startswith("@"):
                    self.assertTrue((tree.TOP / f"scripts/kconfig/{word[1:]}.config").exists(), word)

    def test_kernels_exist(self) -> None:
        for row in matrix.data()["debug"]["rows"]:
            self.assertIn(row["on"], matrix.data()["debug"]["kernels"])

    def test_a_row_has_what_its_kernel_has(self) -> None:
        rows = {row["name"]: row for row in matrix.rows("debug")}
        self.assertEqual(rows["kcsan"]["make"], ["KERNEL:KCSAN_SANITIZE=n"])
        self.assertIn("GCOV_PROFILE=y", rows["gcov"]["make"])
        self.assertEqual(rows["kasan-parity"]["suite"], "trixie")

    def test_lines_for_the_shell(self) -> None:
        self.assertIn("kcfi; trixie; clang; CFI_CLANG=y X86_KERNEL_IBT=y; -; load bind; loads", matrix.row_lines("configs"))
        self.assertTrue(any("; --parallel load churn" in line for line in matrix.row_lines("debug")))
        for line in matrix.row_lines("configs") + matrix.row_lines("debug"):
            self.assertEqual(line.count("; "), 6, line)


class Machines(unittest.TestCase):
    def job(self, kernel: str, run: str) -> Job:
        return Job(Kernel(kernel), matrix.run(run), Path("/nowhere"), Settings(cycles=3))

    def test_processors(self) -> None:
        self.assertEqual(matrix.run("module").processors, 4)
        self.assertEqual(matrix.run("parallel").processors, 2)

    def test_limits(self) -> None:
        with mock.patch.object(tree, "host_arch", return_value="amd64"), mock.patch.dict("os.environ", {"LIMIT": ""}):
            self.assertEqual(Settings(cycles=3).limit(Kernel("trixie"), matrix.run("bind")), 1806)
            self.assertEqual(Settings(cycles=3).limit(Kernel("trixie/arm64"), matrix.run("bind")), 3606)
            self.assertEqual(Settings(cycles=3, fuzz=2).limit(Kernel("trixie"), matrix.run("coexist")), 2720)

    def test_table_only_where_it_belongs(self) -> None:
        self.assertTrue(self.job("bookworm", "parity").prints_table)
        self.assertFalse(self.job("trixie", "parity").prints_table)
        self.assertFalse(self.job("bookworm", "bind").prints_table)

    def test_where_the_module_refuses(self) -> None:
        with mock.patch.object(tree, "host_arch", return_value="amd64"):
            self.assertIn("(powerpc)", self.job("trixie/ppc64el", "load").machine.environment["ANYIP6_REFUSES"])
            self.assertEqual(self.job("trixie/arm64", "load").machine.environment["ANYIP6_REFUSES"], "")
        self.assertNotIn("ppc64el", matrix.architectures_of("trixie"))

    def test_memory(self) -> None:
        command = self.job("trixie", "bind").machine.command()
        self.assertEqual(command[command.index("--mem") + 1], "1024")


if __name__ == "__main__":
    unittest.main()
