"""A short signature of a number: what it is a score of, in the manner of sacrebleu.

Post (2018), "A call for clarity in reporting BLEU scores", WMT, section 4. Two numbers compare
only if their signatures differ in nothing but the cells.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence

from bench.core.exports import __version__
from bench.core.manifest import Manifest
from bench.core.record import Record

_DIGITS = 8
"""Of the hash of the cells."""


def signature(records: Sequence[Record], metric: str) -> str:
    """Return the signature of a score of one method's cells.

    Args:
        records: of the cells behind the number; at least one.
        metric: the score's name.
    """
    cell, protocol = records[0].cell, records[0].cell.protocol
    tested = f"{cell.test_on}.{cell.test_on.split}"
    conditions = dict.fromkeys(str(record.cell.condition).replace(" ", "-") for record in records)
    seeds = sorted({record.cell.seed for record in records})
    keys = hashlib.sha256(" ".join(sorted(record.key for record in records)).encode())
    size = f"{protocol.resize[0]}x{protocol.resize[1]}" if protocol.resize else "native"
    parts = {
        "data": tested.replace(" ", "-"),
        "images": str(len(records[0].image_ids)),
        "size": f"short-{protocol.short_side}" if protocol.short_side else size,
        "at": protocol.eval_at,
        "cond": next(iter(conditions)) if len(conditions) == 1 else f"{len(conditions)}-conditions",
        "task": cell.task,
        "seeds": ",".join(map(str, seeds)),
        "cells": keys.hexdigest()[:_DIGITS],
        "bench": __version__,
    }
    return "|".join([metric, *(f"{name}:{value}" for name, value in parts.items())])


def verify_command(manifest: Manifest, key: str) -> str:
    """Return the command that computes a cell again and compares it with its record."""
    words = shlex.split(manifest.command)
    if "run" not in words:
        return f"python -m bench verify SUITE --cell {key}"
    words[words.index("run")] = "verify"
    while "--jobs" in words:
        place = words.index("--jobs")
        del words[place : place + 2]
    return f"{shlex.join(words)} --cell {key}"
