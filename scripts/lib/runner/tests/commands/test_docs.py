"""Tests how measured tables get into the pages."""

import contextlib
import io
import re
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from runner import matrix, tables, tree
from runner.commands import docs
from runner.results import parity

PRINTED = """\
**Sockets of the default domain**

| operation | sockets | bound to | option | configured | Any-IP | loopback |
|---|---|---|---|---|---|---|
| bind | TCP | – | – | ok | ok | EADDRNOTAVAIL |
| bind and connect | UDP | –, lo | –, FREEBIND | ok | ok; EINVAL |  |
| bind | UDP | veth0 | SO_MARK |   | ≠ v4 ok / v6 EINVAL (note 1) | ≠ v4 ok / v6 EINVAL (note 1) |

1. A note.
2. Another note.
"""
LISTS = """\
## Sockets of the default domain: bind

| operation and sockets | works | fails | IPv4 and IPv6 differ |
|---|---|---|---|
| **bind**<br>TCP | configured; Any-IP | EADDRNOTAVAIL: loopback |  |
| **bind**, SO_MARK<br>UDP<br>bound to veth0 |  |  | *Any-IP; loopback*: IPv4 ok, IPv6 EINVAL (note 1) |

## Sockets of the default domain: serve and connect

| operation and sockets | works | fails |
|---|---|---|
| **bind and connect**, no option, FREEBIND<br>UDP<br>bound to no device, lo | configured; Any-IP (some) | EINVAL: Any-IP (some) |

## Notes

1. A note.
2. Another note.
"""
KERNELS = """\
| kernel | suite, arch, flavour | built with | passed |
|---|---|---|---|
| 5.10.0 | bullseye, arm64, cloud | gcc 10.2.1 | 1 |
"""


class Parity(unittest.TestCase):
    def test_lists(self) -> None:
        self.assertEqual(parity.lists(PRINTED.splitlines()), LISTS.splitlines())

    def test_groups(self) -> None:
        for operation, group in {"serve": "Serve and connect", "bind and connect": "Serve and connect", "bindx": "Bind",
                                 "route with src": "What the host says",
                                 "PKTINFO, GSO": "Source of a datagram", "MPTCP, PKTINFO": "Serve and connect",
                                 "source by BPF sendmsg": "Source of a datagram", "vxlan": "Devices of the kernel"}.items():
            self.assertEqual(parity.group_of(operation), group)


class Narrower(unittest.TestCase):
    def test_families(self) -> None:
        lines = ["**Linux**", "", "| a | 1 | 2 | 3 | 4 | 5 | 6 |", "|---|---|---|---|---|---|---|", "", "end"]
        self.assertEqual(docs.by_family(lines), [
            "**Linux**", "", "| a | 1 | 2 | 3 |", "| --- | --- | --- | --- |", "",
            "| a | 4 | 5 | 6 |", "| --- | --- | --- | --- |", "", "end"])

    def test_orders(self) -> None:
        same = ["| a | first | last | works | |", "| a | last | first | works | |"]
        other = ["| b | first | last | works | |", "| b | last | first | rivals | |"]
        alone = ["| c | first | last | works | |"]
        head = ["| neighbour | comes | goes | 5.10 | 6.1 |", "|---|---|---|---|---|"]
        self.assertEqual(docs.by_order(head + same + other + alone),
                         head + ["| a | first or last | first or last | works | |"] + other + alone)


class Pages(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)
        for patch in (mock.patch.object(tree, "TOP", self.top), mock.patch.object(tree, "CACHE", self.top)):
            patch.start()
            self.addCleanup(patch.stop)
        (self.top / "docs").mkdir()
        (self.top / "README.md").touch()
        self.page = self.top / "docs/page.md"
        names = [matrix.Kernel(name).describe().split() for name in matrix.data()["check"]["all"]]
        rows = "".join(f"| 1.0 | {', '.join(name)} |\n" for name in names)
        self.page.write_text(f"text\n<!-- parity: by hand -->\n\n{LISTS}\n<!-- /parity -->\n\n"
                             f"<!-- kernels: x -->\n\n{rows}\n<!-- /kernels -->\nend\n", encoding="utf-8")

    def text(self) -> str:
        return self.page.read_text(encoding="utf-8")

    def measured(self, name: str, *files: str) -> str:
        with contextlib.redirect_stderr(io.StringIO()) as said:
            docs.write_measured(name, [self.top / file for file in files], "make x")
        return said.getvalue()

    def test_same(self) -> None:
        self.assertEqual(parity.complaints(PRINTED.splitlines()), [])

    def test_differs(self) -> None:
        printed = PRINTED.replace("EADDRNOTAVAIL", "EINVAL").splitlines()
        self.assertEqual(parity.complaints(printed), ["docs/page.md: the tables are not what parity prints: make docs"])

    def test_not_printed(self) -> None:
        self.assertEqual(parity.complaints([]), ["the table was not printed"])

    def test_kernel_that_is_not_tested(self) -> None:
        self.page.write_text(self.text().replace("bullseye, amd64, generic", "bullseye, amd64, rt"), encoding="utf-8")
        self.assertEqual(parity.complaints(PRINTED.splitlines()), [
            "docs/page.md: no row of bullseye amd64 generic: make check-all, make docs",
            "docs/page.md: bullseye amd64 rt is not tested: make check-all, make docs"])

    def test_written(self) -> None:
        before = self.text()
        docs.write("parity", parity.lists(PRINTED.splitlines()))
        self.assertEqual(self.text(), before)
        docs.write("parity", [r"| \1 & |"])
        self.assertEqual(self.text(), before.replace(LISTS, "| \\1 & |\n"))

    def test_measured(self) -> None:
        (self.top / "kernels.md").write_text(KERNELS, encoding="utf-8")
        self.assertEqual(self.measured("kernels", "kernels.md"), "")
        self.assertIn("\n\n| kernel | suite, arch, flavour |", self.text())
        self.assertNotIn("| 1.0 |", self.text())

    def test_several_files(self) -> None:
        for name in ("one", "two"):
            (self.top / name).write_text(name + "\n", encoding="utf-8")
        self.measured("parity", "one", "two")
        self.assertIn("-->\n\none\ntwo\n\n<!-- /parity -->\n", self.text())

    def test_a_file_that_is_not_there(self) -> None:
        before = self.text()
        (self.top / "one").touch()
        self.assertIn("docs/page.md keeps its table parity: make x makes a new one", self.measured("parity", "one", "two"))
        self.assertEqual(self.text(), before)


class Data(unittest.TestCase):
    def test_each_table_has_a_page(self) -> None:
        for name in ["parity", *matrix.data()["docs"]]:
            self.assertTrue(tables.page_with(name).exists())

    def test_each_mark_has_a_table(self) -> None:
        for page in (tree.TOP / "docs").rglob("*.md"):
            for name in re.findall(r"^<!-- ([a-z]+): ", page.read_text(encoding="utf-8"), re.M):
                self.assertIn(name, ["parity", *matrix.data()["docs"]])


if __name__ == "__main__":
    unittest.main()
