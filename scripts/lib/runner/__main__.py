"""python3 -m runner COMMAND [ARG...]: calls main(arguments) of a module of commands/, or of one of OTHERS here."""

import importlib
import os
import signal
import sys
from pathlib import Path

COMMANDS = sorted(path.stem for path in (Path(__file__).parent / "commands").glob("[a-z]*.py"))
OTHERS = ["architectures", "archive", "brought", "matrix", "news", "tables", "tests"]  # for the scripts, not for people


def main() -> int:
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in COMMANDS + OTHERS:
        print("runner: one of", *COMMANDS, *OTHERS, file=sys.stderr)
        return 2
    # By default a signal ends the process without running `finally`, and the VMs would live on.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        module = f"runner.commands.{name}" if name in COMMANDS else f"runner.{name}"
        code = importlib.import_module(module).main(sys.argv[2:])
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


sys.exit(main())
