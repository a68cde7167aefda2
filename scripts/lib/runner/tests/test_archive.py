"""Tests how the archive's lists are read."""

import contextlib
import gzip
import io
import lzma
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from runner import archive, matrix
from runner.archive import Found


def stanzas(*names: str, description: str = "Linux") -> str:
    """A list of packages, as the archive has it."""
    return "".join(f"Package: {name}\nSource: linux\nVersion: 1-1\nDescription: {description}\n\n" for name in names)


def pairs(*releases: str) -> str:
    """The list that has these kernels and their headers."""
    return stanzas(*(f"linux-{kind}-{release}" for release in releases for kind in ("image", "headers")))


class Names(unittest.TestCase):
    def test_parts(self) -> None:
        for release, expected in {
            "6.1.0-57-amd64": ("6.1.0-57", "generic", "6.1"),
            "6.1.0-57-cloud-amd64": ("6.1.0-57", "cloud", "6.1"),
            "6.1.0-0.deb11.52-rt-amd64": ("6.1.0-0.deb11.52", "rt", "6.1"),
            "6.12.74+deb13+1-amd64-16k": ("6.12.74+deb13+1", "16k", "6.12"),
            "6.12.118+deb13-amd64-16k-dbg": ("6.12.118+deb13", "16k-dbg", "6.12"),
            "7.3-cloud-amd64": ("7.3", "cloud", "7.3"),
            "7.3-cloud-arm64": ("7.3-cloud-arm64", "unknown", "7.3"),
        }.items():
            found = Found("sid", "amd64", release)
            self.assertEqual((found.version, found.flavour, found.series), expected)

    def test_an_architecture_with_another_name_in_releases(self) -> None:
        for release, flavour in {"6.12.117+deb13-powerpc64le": "generic", "6.12.117+deb13-powerpc64le-64k": "64k"}.items():
            self.assertEqual(Found("trixie", "ppc64el", release).parts, ("6.12.117+deb13", flavour))

    def test_name(self) -> None:
        self.assertEqual(Found("trixie", "arm64", "6.12.118+deb13-arm64-16k").name, "trixie@6.12-16k/arm64")
        self.assertEqual(Found("forky", "amd64", "7.2.12+deb14-amd64").name, "forky@7.2-generic/amd64")

    def test_order(self) -> None:
        releases = ["6.1.0-9", "6.1.0-10", "6.9.1+deb13", "6.12.90+deb13", "6.12.90+deb13.1", "6.12.118+deb13", "7.3", "7.3.4"]
        found = [Found("sid", "amd64", f"{release}-amd64") for release in reversed(releases)]
        self.assertEqual([one.version for one in sorted(found, key=Found.order)], releases)


class Lists(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.lists = Path(folder.name)
        self.pool = self.lists / "pool"
        self.pool.touch()
        suites = {"old": {"pockets": ["old", "old-security"]}, "old-backports": {"pockets": ["old-backports"]}}
        data = {"suites": suites, "architectures": {"amd64": {}, "arm64": {}, "riscv64": {"not_in": ["old-security"]}}}
        for patch in (mock.patch.object(archive, "POOL", self.pool), mock.patch.object(matrix, "data", return_value=data)):
            patch.start()
            self.addCleanup(patch.stop)

    def put(self, pocket: str, text: str, arch: str = "amd64", end: str = "") -> None:
        file = self.lists / f"mirror_debian_dists_{pocket}_main_binary-{arch}_Packages{end}"
        with {"": open, ".gz": gzip.open, ".xz": lzma.open}[end](file, "wb") as opened:
            opened.write(text.encode())

    def releases(self, suite: str, arch: str = "amd64") -> list[str]:
        return [found.release for found in archive.holds(self.lists, suite, arch)]

    def test_all_pockets_of_the_suite(self) -> None:
        self.put("old", pairs("6.1.0-9-amd64"))
        self.put("old-security", pairs("6.1.0-10-amd64", "6.12.1-amd64"), end=".xz")
        self.put("old-backports", pairs("7.3.4-amd64"), end=".gz")
        self.assertEqual(self.releases("old"), ["6.12.1-amd64", "6.1.0-10-amd64", "6.1.0-9-amd64"])
        self.assertEqual(self.releases("old-backports"), ["7.3.4-amd64"])

    def test_a_pocket_without_the_architecture(self) -> None:
        self.put("old", pairs("6.1.0-9-riscv64"), "riscv64")
        self.assertEqual(self.releases("old", "riscv64"), ["6.1.0-9-riscv64"])

    def test_only_the_architecture(self) -> None:
        self.put("old-backports", pairs("7.3.4-amd64"))
        self.put("old-backports", pairs("7.3.3-arm64"), "arm64")
        self.assertEqual(self.releases("old-backports", "arm64"), ["7.3.3-arm64"])

    def test_what_is_no_kernel(self) -> None:
        self.put("old", stanzas("linux-image-6.1.0-9-amd64-dbg", "linux-image-6.1.0-9-amd64-unsigned", "linux-image-amd64",
                                "linux-image-6.1-amd64-signed-template", "linux-image-6.1.0-8-amd64",
                                "linux-headers-6.1.0-9-amd64"))
        self.put("old-security", stanzas("linux-image-6.1-amd64", "linux-headers-6.1-amd64", description="Linux (meta-package)"))
        self.assertEqual(self.releases("old"), [])

    def test_headers_in_the_pool(self) -> None:
        self.put("old-backports", stanzas("linux-image-6.18.15+deb13-cloud-amd64", "linux-image-6.18.14+deb13-cloud-amd64"))
        self.put("old-backports", stanzas("linux-image-6.18.15+deb13-cloud-arm64"), "arm64")
        self.pool.write_text("00  linux-headers-6.18.15+deb13-cloud-amd64_6.18.15-1~bpo13+1_amd64.deb\n"
                             "00  linux-headers-6.18.15+deb13-common_6.18.15-1~bpo13+1_all.deb\n", encoding="utf-8")
        self.assertEqual(self.releases("old-backports"), ["6.18.15+deb13-cloud-amd64"])
        self.assertEqual(self.releases("old-backports", "arm64"), [])

    def test_no_list(self) -> None:
        self.put("old-backports", "")
        with self.assertRaisesRegex(SystemExit, "no list of old for amd64"):
            self.releases("old")

    def test_for_the_shell(self) -> None:
        self.put("old", pairs("6.1.0-9-amd64", "6.1.0-10-amd64", "6.1.0-10-cloud-amd64"))
        self.put("old-security", pairs("6.12.1-amd64"))
        of_old = "6.1.0-10-amd64\n6.1.0-9-amd64\n"
        for series, expected in {"6.1": of_old, "newest": "6.12.1-amd64\n" + of_old, "7.3": ""}.items():
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                archive.main([str(self.lists), "old", series, "generic", "amd64"])
            self.assertEqual(printed.getvalue(), expected)


if __name__ == "__main__":
    unittest.main()
