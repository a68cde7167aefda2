"""Tests that the copies of the list of architectures are compared."""

import unittest
from unittest import mock

from runner import architectures, matrix

DATA = {"architectures": {
    "amd64": {"title": "x86-64", "option": "X86_64", "uname": "x86_64"},
    "arm64": {"title": "arm64", "option": "ARM64", "uname": "aarch64"},
    "ppc64el": {"title": "ppc64el", "option": "PPC64", "uname": "ppc64le", "refuses": "not loaded"},
}}


class Copies(unittest.TestCase):
    def setUp(self) -> None:
        patch = mock.patch.object(matrix, "data", return_value=DATA)
        patch.start()
        self.addCleanup(patch.stop)

    def test_copies(self) -> None:
        for file, text in {
            "Kbuild": "anyip6-tested := X86_64 ARM64\n",
            "dkms.conf": '        BUILD_EXCLUSIVE_ARCH="^(x86_64|aarch64)$"\n',
            "packaging/anyip6.spec": "ExclusiveArch:  x86_64 aarch64\n",
        }.items():
            self.assertEqual(architectures.in_copy(file, "# text\n" + text), [])
            for wrong in (text.replace("64\n", "64 riscv64\n").replace("4)", "4|riscv64)"), ""):
                self.assertEqual(len(architectures.in_copy(file, wrong)), 1)

    def test_pages(self) -> None:
        for text in ("x86-64 and arm64", "on x86-64 or arm64,", "x86-64 and\narm64"):
            self.assertEqual(architectures.in_page("README.md", text), [])
        self.assertEqual(architectures.in_page("README.md", "x86-64,\narm64 and riscv64."),
                         ["README.md: x86-64, arm64 and riscv64: matrix.toml has x86-64, arm64"])
        self.assertEqual(architectures.in_page("docs/other.md", "need x86-64 and 20 GB, on arm64 only"), [])
        self.assertEqual(architectures.in_page("docs/other.md", "x86-64 and riscv64"),
                         ["docs/other.md: x86-64 and riscv64: matrix.toml has x86-64, arm64"])
        self.assertEqual(architectures.in_page("README.md", "x86-64"), ["README.md: does not name the architectures"])


if __name__ == "__main__":
    unittest.main()
