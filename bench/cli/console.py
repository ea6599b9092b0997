"""What a run tells the terminal: progress with time left, a line a number, a closing table."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console as Terminal
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bench.core.manifest import Unavailable
from bench.core.schema import Cell, Record, Stage
from bench.engine.cost import Cost
from bench.engine.plan import all_needs
from bench.score.codec_diagnostics import CodecProblem
from bench.score.counts import Counts
from bench.score.metrics import METRICS

if TYPE_CHECKING:
    from bench.engine.verify import Verified  # which loads torch


class Console:
    """The terminal of a run. Only the main process speaks."""

    def __init__(self, metric: str, speaks: bool = True) -> None:
        self.terminal = Terminal(quiet=not speaks, highlight=False, soft_wrap=True)
        self.metric = metric
        self._started = time.monotonic()
        self._progress = Progress(
            TextColumn("  {task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=self.terminal,
            transient=True,
            disable=not (speaks and sys.stdout.isatty()),
        )
        self._task = self._progress.add_task("", total=None, visible=False, note="")

    def __enter__(self) -> Console:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begin(self, title: str, total: int) -> None:
        """Start a progress bar from 0 to total."""
        self._progress.reset(
            self._task, description=title, total=total, visible=True, note="", completed=0
        )

    def advance(self, done: int, note: str = "") -> None:
        """Move the progress bar."""
        self._progress.update(self._task, completed=done, note=note)

    def stage(self, label: str, stage: Stage) -> None:
        """Say that a stage is about to be trained."""
        how = f"{stage.steps} steps" if stage.steps else "in closed form"
        self._line(f"[bold]{label}[/bold]: training {stage.name} ({how})")

    def cell(self, record: Record, counts: Counts | None) -> None:
        """Print a cell's number, or that it failed; the closing table says why."""
        cell, where = record.cell, _where(record.cell)
        if counts is None:
            self._line(f"{where} [red]failed[/red]")
        else:
            limit = f"  (first {cell.limit} images)" if cell.limit else ""
            score = 100 * METRICS[self.metric](counts)
            self._line(f"{where} {self.metric} [bold]{score:5.1f}[/bold]{limit}")

    def say(self, text: str) -> None:
        """Print a line as it is."""
        self.terminal.print(text, markup=False)

    def verified(self, found: Verified, tolerance: float) -> None:
        """Print whether a cell came out the same again, or what differs first."""
        where = _where(found.record.cell)
        if not found.fault:
            self._line(f"{where} [green]same[/green] on {found.images} images")
            return
        verdict = "[red]differs[/red]" if found.images else "[red]not comparable[/red]"
        if found.within(tolerance):
            verdict = "[yellow]close[/yellow]"
        share = f", {found.moved:,} of {found.pixels:,} pixels" if found.moved else ""
        self._line(f"{where} {verdict}{share}: {escape(found.fault)}")

    def failures(self, records: Sequence[Record]) -> None:
        """Print the closing table of what failed, each error once."""
        table = Table(title="Failed cells", box=box.SIMPLE_HEAD, title_justify="left")
        table.add_column("method")
        table.add_column("cells", justify="right")
        table.add_column("error", overflow="fold")
        cells: dict[tuple[str, str], int] = {}
        for record in records:
            place = (record.cell.label, record.error)
            cells[place] = cells.get(place, 0) + 1
        for (label, error), count in cells.items():
            table.add_row(label, str(count), error)
        self.terminal.print(table)

    def unavailable(self, cells: Sequence[Unavailable]) -> None:
        """Print which cells cannot be tried, what each needs, and where that is to be had."""
        if not cells:
            return
        table = Table(title="Not run", box=box.SIMPLE_HEAD, title_justify="left")
        table.add_column("method")
        table.add_column("test set", overflow="fold")
        table.add_column("cells", justify="right")
        table.add_column("what is missing", overflow="fold")
        rows = Counter((each.cell.label, str(each.cell.test_on), each.reason) for each in cells)
        for (label, test_on, reason), count in rows.items():
            table.add_row(label, test_on, str(count), reason)
        self.terminal.print(table)
        for need in all_needs(cells):
            self.terminal.print(f"  [bold]{escape(need.what)}[/bold]: {escape(need.remedy)}")
        self.terminal.print()

    def findings(self, findings: Sequence[CodecProblem]) -> None:
        """Print the closing table of codecs that collapsed or lose classes.

        Seeds share a row, which has what was measured of the first; the report has all.
        """
        table = Table(title="Codecs to mend", box=box.SIMPLE_HEAD, title_justify="left")
        table.add_column("codec", overflow="fold", max_width=24)
        table.add_column("fault, and what was measured", overflow="fold")
        rows: dict[tuple[str, str, str], list[CodecProblem]] = {}
        for finding in findings:
            cell = finding.record.cell
            rows.setdefault((cell.label, str(cell.train_on), finding.kind), []).append(finding)
        for (label, train_on, kind), found in rows.items():
            seeds = list(dict.fromkeys(str(finding.record.cell.seed) for finding in found))
            first = f"seed {seeds[0]}: " if len(seeds) > 1 else ""
            where = f"{train_on}, seed{'s' * (len(seeds) > 1)} {', '.join(seeds)}"
            table.add_row(
                f"[bold]{escape(label)}[/bold]\n{where}", f"{kind}\n{first}{found[0].text}"
            )
        self.terminal.print(table)

    def costs(self, costs: Sequence[Cost]) -> None:
        """Print what a plan still has to do."""
        table = Table(box=box.SIMPLE_HEAD)
        table.add_column("method", min_width=16, overflow="fold")
        for name in (
            "seed",
            "stages to train",
            "cells done",
            "to evaluate",
            "training",
            "evaluation",
        ):
            longest = max(len(word) for word in name.split())
            table.add_column(name, justify="right", min_width=longest)
        for cost in costs:
            table.add_row(
                cost.label,
                str(cost.seed),
                f"{cost.stages_missing} of {cost.stages}",
                f"{cost.cells - cost.cells_missing} of {cost.cells}",
                str(cost.cells_missing),
                duration(cost.train_seconds),
                duration(cost.evaluate_seconds),
            )
        self.terminal.print(table)

    def _line(self, text: str) -> None:
        elapsed = int(time.monotonic() - self._started)
        self.terminal.print(f"[dim]{elapsed // 60:3d}:{elapsed % 60:02d}[/dim]  {text}")


def duration(seconds: float | None) -> str:
    """Write a time for people, as ``1 h 05 min`` or ``40 s``."""
    if seconds is None:
        return "not measured yet"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def _where(cell: Cell) -> str:
    """Say in columns which cell it is."""
    where = f"{cell.label:<24.24} {cell.test_on!s:<18} {cell.condition!s:<22}"
    where += "" if cell.task == "predict" else f" {cell.task}"
    return where + (f" {cell.mapping}" if cell.mapping else "")
