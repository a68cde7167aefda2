"""Tests what is said of kernels that users bring."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from runner import brought, matrix, tables, tree
from runner.brought import Bad, Folder, Source

RELEASE = "6.8.0-31-generic"
CONFIG = "CONFIG_X86_64=y\nCONFIG_CC_IS_GCC=y\nCONFIG_GCC_VERSION=110400\nCONFIG_VIRTIO_CONSOLE=m\n"


def image(release: str) -> bytes:
    """The head of a kernel for x86-64."""
    head = bytearray(0x400)
    head[0x202:0x206] = b"HdrS"
    head[0x20e:0x210] = (0x100).to_bytes(2, "little")
    return bytes(head[:0x300]) + f"{release} (somebody) #1".encode() + b"\0"


class InFolder(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name).resolve() / "kernel"
        patch = mock.patch.object(tree, "host_arch", return_value="amd64")
        patch.start()
        self.addCleanup(patch.stop)

    def put(self, name: str, content: str | bytes = "") -> Path:
        file = self.top / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def kernel(self, release: str = RELEASE, headers: str = "") -> None:
        self.put(f"lib/modules/{release}/modules.order")
        self.put(f"lib/modules/{release}/kernel/drivers/char/virtio_console.ko.zst")
        self.put(f"boot/vmlinuz-{release}", image(release))
        self.header(headers or f"usr/src/linux-headers-{release}", release)

    def header(self, name: str, release: str, libc: str = "2.34") -> None:
        self.put(f"{name}/include/generated/utsrelease.h", f'#define UTS_RELEASE "{release}"\n')
        self.put(f"{name}/.config", CONFIG)
        self.put(f"{name}/scripts/mod/modpost", f"\0GLIBC_2.2.5\0GLIBC_{libc}\0")

    def bad(self, pattern: str) -> None:
        with self.assertRaisesRegex(Bad, pattern):
            Folder(self.top).check()


class Good(InFolder):
    def test_as_debian_and_ubuntu_have_it(self) -> None:
        self.kernel()
        # The package of the headers has a folder of the same name.
        self.put(f"usr/lib/modules/{RELEASE}/build-is-a-link")
        folder = Folder(self.top)
        folder.check()
        self.assertEqual(folder.modules, self.top / "lib/modules" / RELEASE)
        self.assertEqual(folder.headers, self.top / "usr/src/linux-headers-6.8.0-31-generic")
        self.assertEqual(folder.image, self.top / "boot/vmlinuz-6.8.0-31-generic")

    def test_as_fedora_has_it(self) -> None:
        self.kernel(headers=f"usr/src/kernels/{RELEASE}")
        (self.top / f"boot/vmlinuz-{RELEASE}").rename(self.top / f"lib/modules/{RELEASE}/vmlinuz")
        Folder(self.top).check()
        self.assertEqual(Folder(self.top).image, self.top / f"lib/modules/{RELEASE}/vmlinuz")

    def test_as_suse_has_it(self) -> None:
        self.kernel(headers="usr/src/linux-6.8-obj/x86_64/default")
        self.put("usr/src/linux-6.8/Makefile")
        Folder(self.top).check()

    def test_as_alpine_has_it(self) -> None:
        self.kernel()
        (self.top / f"boot/vmlinuz-{RELEASE}").rename(self.top / "boot/vmlinuz-lts")
        Folder(self.top).check()

    def test_name_of_the_folder(self) -> None:
        self.kernel()
        self.assertEqual(brought.known(["trixie-rt", str(self.top)]), ["trixie-rt", str(self.top)])

    def test_what_the_shell_reads(self) -> None:
        self.kernel()
        with contextlib.redirect_stdout(io.StringIO()) as said:
            brought.main([str(self.top)])
        headers = f"{self.top}/usr/src/linux-headers-{RELEASE}"
        self.assertEqual(said.getvalue().splitlines(), [
            RELEASE, f"{self.top}/boot/vmlinuz-{RELEASE}", f"{self.top}/lib/modules/{RELEASE}", headers, f"{headers}/.config",
            "bookworm"])


class Wrong(InFolder):
    def test_nothing(self) -> None:
        self.bad("no such folder")
        self.top.mkdir()
        self.bad("no lib/modules/RELEASE")

    def test_two_releases(self) -> None:
        self.kernel()
        self.kernel("6.8.0-40-generic")
        self.bad("more than one release: 6.8.0-31-generic 6.8.0-40-generic")

    def test_no_vmlinuz(self) -> None:
        self.kernel()
        (self.top / f"boot/vmlinuz-{RELEASE}").unlink()
        self.bad("no vmlinuz")

    def test_another_vmlinuz(self) -> None:
        self.kernel()
        self.put("vmlinuz", image("6.8.0-40-generic"))
        self.bad("vmlinuz is 6.8.0-40-generic, and the modules are of 6.8.0-31-generic")
        self.put("vmlinuz", b"MZ")
        self.bad("vmlinuz is no kernel for x86-64")

    def test_no_modules(self) -> None:
        self.kernel()
        (self.top / f"lib/modules/{RELEASE}/modules.order").unlink()
        self.put(f"usr/src/linux-headers-{RELEASE}/.config", CONFIG.replace("CONSOLE=m", "CONSOLE=y"))
        self.bad("no modules.order")

    def test_no_driver(self) -> None:
        self.kernel()
        (self.top / f"lib/modules/{RELEASE}/kernel/drivers/char/virtio_console.ko.zst").unlink()
        self.bad("no virtio_console")
        self.put(f"usr/src/linux-headers-{RELEASE}/.config", CONFIG.replace("CONSOLE=m", "CONSOLE=y"))
        Folder(self.top).check()

    def test_no_headers(self) -> None:
        self.kernel()
        file = self.top / f"usr/src/linux-headers-{RELEASE}/include/generated/utsrelease.h"
        file.write_text('#define UTS_RELEASE "6.8.0-40"\n', encoding="utf-8")
        self.bad("no headers of 6.8.0-31-generic in usr/src, only of 6.8.0-40$")
        file.unlink()
        self.bad("no headers of 6.8.0-31-generic in usr/src$")

    def test_half_of_the_headers(self) -> None:
        self.kernel()
        headers = self.top / f"usr/src/linux-headers-{RELEASE}"
        (headers / "scripts/mod/modpost").unlink()
        self.bad("no scripts/mod/modpost in usr/src/linux-headers-6.8.0-31-generic")
        (headers / ".config").unlink()
        self.bad("no .config in usr/src/linux-headers-6.8.0-31-generic")

    def test_another_architecture(self) -> None:
        self.kernel()
        self.put(f"usr/src/linux-headers-{RELEASE}/.config", CONFIG.replace("X86_64", "ARM64"))
        self.bad("without CONFIG_X86_64")

    def test_what_no_root_has(self) -> None:
        self.kernel()
        self.put(f"usr/src/linux-headers-{RELEASE}/.config", CONFIG + "CONFIG_CC_IS_CLANG=y\n")
        self.bad("clang has built this kernel")
        self.kernel()
        self.put(f"usr/src/linux-headers-{RELEASE}/scripts/basic/fixdep", "\0/lib/ld-musl-x86_64.so.1\0")
        self.bad("need musl")

    def test_spaces(self) -> None:
        self.top = self.top.parent / "a kernel"
        self.kernel()
        self.bad("must not have spaces")

    def test_one_line_ends_the_command(self) -> None:
        with self.assertRaisesRegex(SystemExit, f"{self.top}: no such folder"):
            brought.known([str(self.top)])


class Roots(InFolder):
    def test_roots(self) -> None:
        self.kernel()
        headers = f"usr/src/linux-headers-{RELEASE}"
        for gcc, libc, root in ((80000, "2.31", "bullseye"), (80000, "2.34", "bookworm"), (130000, "2.31", "trixie"),
                                (140200, "2.41", "trixie"), (150000, "2.31", "experimental"), (80000, "2.42", "experimental")):
            self.header(headers, RELEASE, libc)
            self.put(f"{headers}/.config", CONFIG.replace("110400", str(gcc)))
            self.assertEqual(Folder(self.top).root(), root)

    def test_roots_are_those_of_suites(self) -> None:
        roots = [suite["root"] for suite in matrix.data()["suites"].values()]
        for name in matrix.data()["roots"]:
            self.assertIn(name, roots)


class Sources(InFolder):
    def source(self, version: int, patchlevel: int) -> Source:
        self.put("Makefile", f"# SPDX-License-Identifier: GPL-2.0\nVERSION = {version}\nPATCHLEVEL = {patchlevel}\n")
        return Source(self.top)

    def test_suites(self) -> None:
        for version, suite in {(5, 10): "bullseye", (5, 15): "bullseye", (6, 1): "bookworm", (6, 6): "bookworm",
                               (6, 12): "trixie", (7, 3): "trixie"}.items():
            self.assertEqual(self.source(*version).suite(), suite)

    def test_wrong(self) -> None:
        with self.assertRaisesRegex(Bad, "Linux 5.4 is older than 5.10"):
            self.source(5, 4).check()
        self.put("Makefile", "all:\n")
        with self.assertRaisesRegex(Bad, "no source of a kernel"):
            Source(self.top).check()
        with self.assertRaisesRegex(Bad, "no source of a kernel"):
            Source(self.top / "nowhere").check()

    def test_built_in(self) -> None:
        source = self.source(6, 6)
        source.check()
        self.put("include/config/kernel.release")
        with self.assertRaisesRegex(Bad, "it has include/config, so somebody has built in it"):
            source.check()


class Rows(InFolder):
    """The page's table, and rows that are kept for it."""

    def setUp(self) -> None:
        super().setUp()
        self.top.mkdir()
        on_page = [tables.SOURCE_HEAD, "|---|", "| 6.6.1 | linux | tree | gcc 12 | 1 | 0 | 0 | 5 |"]
        for patch in (mock.patch.object(tables, "in_page", return_value=on_page), mock.patch.object(tree, "CACHE", self.top)):
            patch.start()
            self.addCleanup(patch.stop)

    def kept(self) -> list[str]:
        return (self.top / "sources.md").read_text(encoding="utf-8").splitlines()[2:]

    def test_a_row_replaces_that_of_its_source_and_configuration(self) -> None:
        tables.keep_sources([["6.6.2", "linux", "tree", "gcc 12", 2, 0, 0, 5], ["5.15.1", "linux", "kcfi", "gcc 12", 3, 0, 0, 5]])
        self.assertEqual(self.kept(), ["| 5.15.1 | linux | kcfi | gcc 12 | 3 | 0 | 0 | 5 |",
                                       "| 6.6.2 | linux | tree | gcc 12 | 2 | 0 | 0 | 5 |"])

    def test_other_rows_stay(self) -> None:
        tables.keep_sources([["6.12.1", "Debian trixie", "default", "gcc 14", 2, 0, 0, 5]])
        tables.keep_sources([["6.12.1", "Debian trixie", "kcfi", "gcc 14", 2, 0, 0, 5]])
        self.assertEqual([line.split(" | ")[2] for line in self.kept()], ["tree", "default", "kcfi"])

    def test_row_of_a_folder(self) -> None:
        of_kernel = "| 6.8.0 | rhel, amd64, brought | gcc 12.2.0 | 5 | 0 | 1 | 9 |"
        with mock.patch.object(tables, "kernel_row", return_value=of_kernel):
            tables.keep_sources([tables.brought_row([])])
        self.assertEqual(self.kept()[-1], "| 6.8.0 | rhel | the distribution's | gcc 12.2.0 | 5 | 0 | 1 | 9 |")

    def test_a_kernel_of_the_archive_replaces_the_row_of_its_suite(self) -> None:
        page = [tables.KERNEL_HEAD, "|---|", *(f"| {kernel} | gcc 1 | 1 | 0 | 0 | 5 |" for kernel in (
            "6.9.1 | gone, amd64, cloud", "7.2.13 | forky, amd64, cloud",
            "7.2.1 | trixie-backports, amd64, cloud", "7.3.1 | trixie-backports, amd64, cloud"))]
        new = [f"| {kernel} | gcc 2 | 1 | 0 | 0 | 5 |" for kernel in (
            "7.3.4 | forky, amd64, cloud", "7.3.4 | trixie-backports, amd64, cloud")]
        with mock.patch.object(tables, "in_page", return_value=page), mock.patch.object(tables, "kernel_row", side_effect=new):
            tables.keep_kernels([[], []])
        rows = (self.top / "kernels.md").read_text(encoding="utf-8").splitlines()[2:]
        self.assertEqual([row.split(" | ")[:3] for row in rows], [
            ["| 7.2.1", "trixie-backports, amd64, cloud", "gcc 1"], ["| 7.3.4", "forky, amd64, cloud", "gcc 2"],
            ["| 7.3.4", "trixie-backports, amd64, cloud", "gcc 2"]])

    def test_a_configuration_that_is_gone(self) -> None:
        rows = [tables.SOURCE_HEAD, "|---|", "| 6.6.1 | linux | gone | gcc 12 | 1 | 0 | 0 | 5 |",
                "| 6.12.1 | Debian trixie | kcfi | clang 19 | 1 | 0 | 0 | 5 |",
                "| 6.12.1 | Debian trixie | gone | gcc 14 | 1 | 0 | 0 | 5 |"]
        with mock.patch.object(tables, "in_page", return_value=rows):
            self.assertEqual(tables.source_names(), ["docs/reference/kernels.md: Debian trixie has no configuration gone"])


if __name__ == "__main__":
    unittest.main()
