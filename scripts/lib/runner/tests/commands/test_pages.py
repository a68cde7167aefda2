"""Tests the check of links and of the index."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from runner import tree
from runner.commands import pages


class Pages(unittest.TestCase):
    def complaints(self, **files: str) -> list[str]:
        """The complaints about README.md, docs/README.md and docs/one.md."""
        with tempfile.TemporaryDirectory() as name:
            top = Path(name)
            (top / "docs").mkdir()
            texts = {"README.md": files.get("readme", ""), "docs/README.md": files.get("index", "[one](one.md)"),
                     "docs/one.md": files.get("one", "")}
            for page, text in texts.items():
                (top / page).write_text(text, encoding="utf-8")
            with mock.patch.object(tree, "TOP", top):
                return pages.complaints(list(texts))

    def test_good(self) -> None:
        readme = "[one](docs/one.md#a-heading-with-code) [here](#x) [far](https://example.org/none)\n# X\n"
        self.assertEqual(self.complaints(readme=readme, one="## A heading, with `code`\n"), [])

    def test_no_file(self) -> None:
        self.assertEqual(self.complaints(one="[two](two.md)"), ["docs/one.md: two.md: no such file"])

    def test_no_heading(self) -> None:
        self.assertEqual(self.complaints(one="[two](#two)\n# One\n"), ["docs/one.md: #two: no such heading"])

    def test_code_has_no_headings(self) -> None:
        self.assertEqual(self.complaints(one="[two](#two)\n```sh\n# Two\n```\n"), ["docs/one.md: #two: no such heading"])

    def test_same_heading_twice(self) -> None:
        self.assertEqual(self.complaints(one="[two](#two-1)\n# Two\n# Two\n"), [])

    def test_not_reached(self) -> None:
        self.assertEqual(self.complaints(index="nothing"), ["docs/README.md: does not reach docs/one.md"])

    def test_long_readme(self) -> None:
        self.assertEqual(self.complaints(readme="\n" * 221), ["README.md: 221 lines, more than 220"])


if __name__ == "__main__":
    unittest.main()
