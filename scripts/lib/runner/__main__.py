"""python3 -m runner COMMAND [ARG...]: each command is a module with a main(arguments)."""

import importlib
import os
import signal
import sys

COMMANDS = ("breaks", "check", "ci", "configs", "coverage", "matrix", "pages", "quick", "tables", "tests")


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print("runner: one of", *COMMANDS, file=sys.stderr)
        return 2
    # The default ends the process without a `finally`, and the VMs would live on.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        code = importlib.import_module("runner." + sys.argv[1]).main(sys.argv[2:])
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


sys.exit(main())
