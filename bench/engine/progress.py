"""What the engine tells of its advance: an interface that a terminal, or a test, implements."""

from __future__ import annotations

from typing import Protocol

from bench.core.record import Record
from bench.core.stage import Stage
from bench.score.counts import Counts


class Progress(Protocol):
    """What training and evaluation report to."""

    def begin(self, title: str, total: int) -> None:
        """Start a count from 0 to total."""

    def advance(self, done: int, note: str = "") -> None:
        """Report how much is done, with a short note."""

    def say(self, text: str) -> None:
        """Print a line as it is."""

    def stage(self, label: str, stage: Stage) -> None:
        """Say that a stage is about to be trained."""

    def cell(self, record: Record, counts: Counts | None) -> None:
        """Report a finished cell, or a failed one, which has no counts."""
