"""The command line: ``bench <verb>``, or ``python -m bench <verb>`` from a checkout.

Exit status of ``run``: 0 if every cell has its number, 1 if some failed or need data or weights
that are missing; of ``verify``, ``compare`` and ``store check``: 0 if nothing differs, 1 if
something does. Of all verbs: 2 if a file or an argument is wrong, or if nothing can be computed
because data are missing; 130 if interrupted, 143 if told to end. ``plan`` ends with 0 and lists
what is missing.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from bench.cli.parser import make_parser
from bench.core.errors import BenchError

VERBS = {
    "run": "suite_verbs",
    "work": "suite_verbs",
    "submit": "suite_verbs",
    "plan": "suite_verbs",
    "verify": "suite_verbs",
    "export_inputs": "suite_verbs",
}
"""Modules of this package by verb; all others are in ``verbs``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status."""
    options = make_parser().parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    module = import_module(f"bench.cli.{VERBS.get(options.verb, 'verbs')}")
    try:
        status: int = getattr(module, options.verb)(options)
        return status
    except KeyboardInterrupt as interrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 143 if type(interrupt) is not KeyboardInterrupt else 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except BenchError as error:
        if options.debug:
            raise
        print(error, file=sys.stderr)
        return 2
    except OSError as error:  # such as a disk that is full when a report is written
        if options.debug:
            raise
        where = f"{error.filename}: " if error.filename else ""
        print(f"{where}{error.strerror or error}", file=sys.stderr)
        return 2
