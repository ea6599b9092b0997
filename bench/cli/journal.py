"""How the jobs of a run tell their progress to the terminal that started them: a file each."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from bench.core.record import Record
from bench.core.stage import Stage
from bench.engine.progress import Progress
from bench.score.counts import Counts
from bench.store.cells import CellStore

INTERVAL_SECONDS = 0.5
"""Between two lines that only say how far a count has come."""


class Journal:
    """A :class:`Progress` that writes a line of JSON per event."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", buffering=1)
        self._written = 0.0

    def begin(self, title: str, total: int) -> None:
        """Start a count from 0 to total."""
        self._write("begin", title=title, total=total)

    def advance(self, done: int, note: str = "") -> None:
        """Report how much is done, now and then."""
        if time.monotonic() - self._written >= INTERVAL_SECONDS:
            self._write("advance", done=done, note=note)

    def say(self, text: str) -> None:
        """Report a line as it is."""
        self._write("say", text=text)

    def stage(self, label: str, stage: Stage) -> None:
        """Say that a stage is about to be trained."""
        self._write("stage", label=label, stage=stage.model_dump(mode="json"))

    def cell(self, record: Record, counts: Counts | None) -> None:
        """Report a cell by its key; who reads the journal has the store."""
        self._write("cell", key=record.key, cell=record.cell.model_dump(mode="json"))

    def _write(self, event: str, **content: Any) -> None:
        self._written = time.monotonic()
        self._file.write(json.dumps({"event": event, **content}) + "\n")


class JournalReader:
    """Follows a journal and repeats its events."""

    def __init__(self, path: Path, store: CellStore) -> None:
        self.path, self.store = path, store
        self._offset = 0

    def replay(self, progress: Progress) -> None:
        """Tell a terminal what was written since the last call."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                lines = file.read().splitlines(keepends=True)
        except FileNotFoundError:
            return
        for line in lines:
            if not line.endswith(b"\n"):
                return  # still being written
            self._offset += len(line)
            self._tell(json.loads(line), progress)

    def _tell(self, content: dict[str, Any], progress: Progress) -> None:
        match content.pop("event"):
            case "cell":
                record = self.store.record(content["key"])
                if record is not None:
                    cell = record.cell.model_validate(content["cell"])
                    counts = self.store.counts(record) if record.status == "ok" else None
                    progress.cell(record.model_copy(update={"cell": cell}), counts)
            case "stage":
                progress.stage(content["label"], Stage.model_validate(content["stage"]))
            case "begin":
                progress.begin(**content)
            case "advance":
                progress.advance(**content)
            case "say":
                progress.say(**content)
