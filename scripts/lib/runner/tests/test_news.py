"""Tests what is said about kernels that the table lacks."""

import contextlib
import io
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from runner import archive, matrix, news, tables, tree
from runner.archive import Found
from runner.commands.check import Check
from runner.tests.test_archive import pairs

DATA = {
    "suites": {
        "old": {"series": "6.1", "pockets": ["old"], "wanted": "each series"},
        "old-backports": {"pockets": ["old-backports"], "wanted": "each series"},
        "next": {"pockets": ["next"], "wanted": "newest"},
        "unstable": {"pockets": ["next"]},
    },
    "architectures": {
        "amd64": {"flavour": "cloud"}, "arm64": {"flavour": "cloud"},
    },
    "archive": {"unwanted": [
        {"kernels": ["*-rt/arm64", "old-backports@6.9-*"], "because": "of the test"},
    ]},
    "check": {"all": ["old", "next/arm64", "old-backports@7.3-generic"]},
}
TABLE = """\
| kernel | suite, arch, flavour | built with | passed | failed | skipped | seconds |
|---|---|---|---|---|---|---|
| 6.1.0-56-cloud-amd64 | old, amd64, cloud | gcc 12.2.0 | 1728 | 0 | 6 | 221 |
| 7.3.4+deb14-cloud-amd64 | next, amd64, cloud | gcc 16.2.0 | 1673 | 0 | 61 | 208 |
"""


class News(unittest.TestCase):
    def setUp(self) -> None:
        for patch in (mock.patch.object(matrix, "data", return_value=DATA),
                      mock.patch.object(tree, "host_arch", return_value="amd64")):
            patch.start()
            self.addCleanup(patch.stop)

    def news(self, suite: str, *releases: str, table: str = TABLE, arch: str = "amd64") -> list[str]:
        rows = [Found(row.suite, row.arch, row.release) for row in tables.tested(table.splitlines())]
        return news.news([Found(suite, arch, release) for release in releases], rows)

    def test_complete(self) -> None:
        self.assertEqual(self.news("old", "6.1.0-56-cloud-amd64", "6.1.0-55-cloud-amd64"), [])
        self.assertEqual(self.news("next", "7.3.4+deb14-cloud-amd64", "7.2.13+deb14-cloud-amd64"), [])

    def test_older_row(self) -> None:
        self.assertEqual(self.news("old", "6.1.0-55-cloud-amd64", "6.1.0-57-cloud-amd64", "6.1.0-56-cloud-amd64"),
                         ["old, amd64, cloud: the archive has 6.1.0-57, the table 6.1.0-56"])

    def test_row_made_older_by_hand(self) -> None:
        self.assertEqual(self.news("old", "6.1.0-56-cloud-amd64", table=TABLE.replace("6.1.0-56", "6.1.0-9")),
                         ["old, amd64, cloud: the archive has 6.1.0-56, the table 6.1.0-9"])

    def test_newer_row(self) -> None:
        self.assertEqual(self.news("old", "6.1.0-55-cloud-amd64"), [])

    def test_each_series(self) -> None:
        self.assertEqual(self.news("old", "6.12.117-cloud-amd64", "6.1.0-56-cloud-amd64"),
                         ["old, amd64, cloud: the archive has 6.12.117, the table nothing of 6.12; `all` lacks old@6.12"])

    def test_newest_of_the_suite(self) -> None:
        self.assertEqual(self.news("next", "7.4.1+deb14-cloud-amd64", "7.3.5+deb14-cloud-amd64"),
                         ["next, amd64, cloud: the archive has 7.4.1+deb14, the table 7.3.4+deb14"])

    def test_in_all_and_not_in_the_table(self) -> None:
        self.assertEqual(self.news("next", "7.3.4+deb14-cloud-arm64", arch="arm64"),
                         ["next, arm64, cloud: the archive has 7.3.4+deb14, the table nothing"])
        self.assertEqual(self.news("old-backports", "7.3.4-amd64"),
                         ["old-backports, amd64, generic: the archive has 7.3.4, the table nothing of 7.3"])

    def test_names_for_all(self) -> None:
        for found, name in {
            Found("old", "amd64", "6.1.0-57-cloud-amd64"): "old",
            Found("old", "arm64", "6.12.118-arm64-16k"): "old@6.12-16k/arm64",
            Found("old-backports", "amd64", "7.3.4-cloud-amd64"): "old-backports@7.3",
            Found("next", "arm64", "7.3.4-arm64"): "next-generic/arm64",
        }.items():
            self.assertEqual(news.short_name(found), name)

    def test_unwanted(self) -> None:
        self.assertEqual(self.news("old", "6.12.1-rt-arm64", arch="arm64"), [])
        self.assertEqual(self.news("old-backports", "6.9.1-cloud-amd64"), [])
        self.assertEqual(self.news("unstable", "7.4-cloud-amd64"), [])
        self.assertEqual(len(self.news("old", "6.12.1-rt-amd64")), 1)

    def test_a_flavour_that_nobody_knows(self) -> None:
        self.assertEqual(self.news("next", "7.4-amd64-64k"),
                         ["next, amd64, 64k: the archive has 7.4, the table nothing; `all` lacks next-64k"])

    def test_lists_and_table(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            lists = Path(name)
            for pocket in ("old", "old-backports", "next"):
                for arch in ("amd64", "arm64"):
                    (lists / f"mirror_dists_{pocket}_main_binary-{arch}_Packages").touch()
            (lists / "mirror_dists_old_main_binary-amd64_Packages").write_text(pairs("6.1.0-57-cloud-amd64"), encoding="utf-8")
            (lists / "table").write_text(TABLE, encoding="utf-8")
            (lists / "pool").touch()
            with mock.patch.object(archive, "POOL", lists / "pool"), contextlib.redirect_stdout(io.StringIO()) as printed:
                news.main([name, str(lists / "table")])
        self.assertEqual(printed.getvalue(), "old, amd64, cloud: the archive has 6.1.0-57, the table 6.1.0-56\n")


class Repository(unittest.TestCase):
    PACKAGES = """\
Package: anyip6-modules-6.1.0-56-cloud-amd64
Architecture: amd64

Package: anyip6-modules-6.1.0-57-cloud-amd64
Architecture: amd64

Package: anyip6-modules-cloud-amd64
Architecture: amd64
"""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        lists = self.folder / "dists/old/main/binary-amd64"
        lists.mkdir(parents=True)
        (lists / "Packages").write_text(self.PACKAGES, encoding="utf-8")

    def lacking(self, *releases: str) -> list[str]:
        return news.lacking([Found("old", "amd64", release) for release in releases], news.in_repository(self.folder))

    def test_complete(self) -> None:
        self.assertEqual(self.lacking("6.1.0-57-cloud-amd64", "6.1.0-55-cloud-amd64"), [])

    def test_newer_kernel(self) -> None:
        self.assertEqual(self.lacking("6.1.0-58-cloud-amd64", "6.1.0-57-cloud-amd64"),
                         ["old, amd64, cloud: the archive has 6.1.0-58, the repository a module for 6.1.0-57"])

    def test_what_the_fleet_does_not_use(self) -> None:
        self.assertEqual(self.lacking("6.1.0-58-amd64", "6.12.118-cloud-amd64"), [])


class AtTheEndOfCheck(unittest.TestCase):
    def told(self, code: int, text: str) -> str:
        check = Check.__new__(Check)
        check.work = Path("work")
        done = subprocess.CompletedProcess([], code, text)
        with mock.patch.object(subprocess, "run", return_value=done) as run, contextlib.redirect_stdout(io.StringIO()) as printed:
            check.tell_news()
        self.assertEqual(run.call_args.args[0], [tree.KERNELS, "news", "work/table.md"])
        return printed.getvalue()

    def test_comments(self) -> None:
        self.assertEqual(self.told(0, "old: one\nnext: two\n"), "# NEWS old: one\n# NEWS next: two\n")
        self.assertEqual(self.told(0, ""), "")

    def test_no_archive(self) -> None:
        self.assertEqual(self.told(1, ""), "# NEWS unknown: scripts/kernels news failed, see above\n")


class Data(unittest.TestCase):
    def test_each_reason_is_given(self) -> None:
        for rule in matrix.data()["archive"]["unwanted"]:
            self.assertTrue(rule["because"] and rule["kernels"])

    def test_what_is_tested_is_wanted(self) -> None:
        for name in matrix.data()["check"]["all"]:
            kernel = matrix.Kernel(name)
            suite, series = kernel.suite_and_series
            release = (f"{'7.3' if series == 'newest' else series}.1-" + {
                "generic": kernel.arch, "16k": f"{kernel.arch}-16k"}.get(kernel.flavour, f"{kernel.flavour}-{kernel.arch}"))
            self.assertTrue(news.is_wanted(Found(suite, kernel.arch, release)), name)

    def test_wanted(self) -> None:
        for suite in matrix.data()["suites"].values():
            self.assertIn(suite.get("wanted", "newest"), ["newest", "each series"])


if __name__ == "__main__":
    unittest.main()
