"""Where the harness keeps what it can make again: drawn scenes and digests of files."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder named by BENCH_CACHE, or ``~/.cache/bench``; it need not exist."""
    return Path(os.environ.get("BENCH_CACHE") or "~/.cache/bench").expanduser()
