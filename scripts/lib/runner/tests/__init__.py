"""The tests of the runner: `make quick T=runner` and `make lint` run them."""

import unittest
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Runs only the tests whose names contain the first argument, if there is one."""
    here = Path(__file__).parent
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{word}*" for word in arguments if word] or None
    result = unittest.TextTestRunner(verbosity=2).run(loader.discover(str(here), top_level_dir=str(here.parents[1])))
    return 0 if result.wasSuccessful() and result.testsRun else 1
