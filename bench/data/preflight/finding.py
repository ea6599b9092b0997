"""What a check of data finds."""

from __future__ import annotations

from typing import Literal, NamedTuple

Level = Literal["ok", "note", "differs", "missing", "wrong"]
"""``note``: worth reading; ``differs``: not the published data; ``missing``: not here;
``wrong``: a number from these data would mean nothing."""


class Finding(NamedTuple):
    """The outcome of one check."""

    check: str
    level: Level
    text: str
    """What was found; where it is wrong, with the file and the remedy."""
