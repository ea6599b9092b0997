"""What a run prints: progress with time left, one line per number, closing tables."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich import box
from rich import progress as bars
from rich.console import Console as Terminal
from rich.markup import escape
from rich.table import Table

from bench.core.manifest import Unavailable
from bench.core.record import Record
from bench.core.schema import Cell
from bench.core.stage import Stage
from bench.engine.cost import Cost
from bench.engine.plan import all_needs
from bench.engine.progress import Progress
from bench.engine.trainings import Training
from bench.score.codec_diagnostics import CodecProblem
from bench.score.counts import Counts
from bench.score.metrics import METRICS

if TYPE_CHECKING:
    from bench.engine.verify import Verified  # which loads torch

QUIET_SECONDS = 30.0
"""Between two lines of progress where there is no terminal to draw a bar on."""


class Console(Progress):
    """The terminal of a run, or the log that takes its place. Only the main process prints.

    Whatever comes from a suite, a method or an error is printed as it is: square brackets in
    it are no markup.
    """

    def __init__(self, metric: str, speaks: bool = True) -> None:
        self.terminal = Terminal(quiet=not speaks, highlight=False, soft_wrap=True)
        self.metric = metric
        self._started = self._last_line = time.monotonic()
        self._title, self._total = "", 0
        self._bar = bars.Progress(
            bars.TextColumn("  {task.description}", markup=False),
            bars.BarColumn(bar_width=30),
            bars.TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            bars.TimeRemainingColumn(),
            bars.TextColumn("{task.fields[note]}", markup=False),
            console=self.terminal,
            transient=True,
            disable=not (speaks and self.terminal.is_terminal),
        )
        self._task = self.add_bar()[1]

    def add_bar(self) -> tuple[bars.Progress, bars.TaskID]:
        """Add a bar, not yet visible; return it with what it is drawn on."""
        return self._bar, self._bar.add_task("", total=None, visible=False, note="")

    def __enter__(self) -> Console:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def job(self, index: int) -> JobProgress:
        """Return a view of the terminal for one of several jobs, with a bar of its own."""
        return JobProgress(self, f"job {index + 1}")

    def begin(self, title: str, total: int) -> None:
        """Start a progress bar from 0 to total."""
        self._title, self._total = title, total
        self._bar.reset(
            self._task, description=title, total=total, visible=True, note="", completed=0
        )

    def advance(self, done: int, note: str = "") -> None:
        """Move the progress bar; without a terminal, print a line every now and then."""
        self._bar.update(self._task, completed=done, note=note)
        silent = time.monotonic() - self._last_line
        if not self.terminal.is_terminal and silent >= QUIET_SECONDS:
            self._line(escape(f"{self._title} {done}/{self._total} {note}".rstrip()))

    def stage(self, label: str, stage: Stage) -> None:
        """Print that a stage is about to be trained."""
        how = f"{stage.steps} steps" if stage.steps else "in closed form"
        self._line(f"[bold]{escape(label)}[/bold]: training {escape(stage.name)} ({how})")

    def cell(self, record: Record, counts: Counts | None) -> None:
        """Print a cell's number, or that it failed; the closing table says why."""
        cell, columns = record.cell, _columns(record.cell)
        if counts is None:
            self._line(f"{columns} [red]failed[/red]")
        else:
            limit = f"  (first {cell.limit} images)" if cell.limit else ""
            score = 100 * METRICS[self.metric](counts)
            self._line(f"{columns} {self.metric} [bold]{score:5.1f}[/bold]{limit}")

    def say(self, text: str) -> None:
        """Print a line as it is."""
        self.terminal.print(text, markup=False)

    def verified(self, verified: Verified, tolerance: float) -> None:
        """Print whether a cell came out the same again, or what differs first."""
        columns = _columns(verified.record.cell)
        if not verified.fault:
            self._line(f"{columns} [green]same[/green] on {verified.images} images")
            return
        verdict = "[red]differs[/red]" if verified.images else "[red]not comparable[/red]"
        if verified.within(tolerance):
            verdict = "[yellow]close[/yellow]"
        moved, pixels = verified.moved, verified.pixels
        share = f", {moved:,} of {pixels:,} pixels" if moved else ""
        self._line(f"{columns} {verdict}{share}: {escape(verified.fault)}")

    def failures(self, records: Sequence[Record]) -> None:
        """Print the closing table of what failed, each error once."""
        table = _closing_table("Failed cells")
        table.add_column("method")
        table.add_column("cells", justify="right")
        table.add_column("error", overflow="fold")
        rows = Counter((record.cell.label, record.error) for record in records)
        for (label, error), count in rows.items():
            table.add_row(escape(label), str(count), escape(error))
        self.terminal.print(table)

    def unavailable(self, cells: Sequence[Unavailable]) -> None:
        """Print which cells cannot be tried, what each needs, and where to get it."""
        if not cells:
            return
        table = _closing_table("Not run")
        table.add_column("method")
        table.add_column("test set", overflow="fold")
        table.add_column("cells", justify="right")
        table.add_column("what is missing", overflow="fold")
        rows = Counter(
            (missing.cell.label, str(missing.cell.test_on), missing.reason) for missing in cells
        )
        for (label, test_on, reason), count in rows.items():
            table.add_row(escape(label), escape(test_on), str(count), escape(reason))
        self.terminal.print(table)
        for need in all_needs(cells):
            self.terminal.print(f"  [bold]{escape(need.what)}[/bold]: {escape(need.remedy)}")
        self.terminal.print()

    def findings(self, findings: Sequence[CodecProblem]) -> None:
        """Print the closing table of codecs that collapsed or lose classes.

        Seeds share a row, which has what was measured for the first; the report has all.
        """
        table = _closing_table("Codec problems")
        table.add_column("codec", overflow="fold", max_width=24)
        table.add_column("problem, and what was measured", overflow="fold")
        rows: dict[tuple[str, str, str], list[CodecProblem]] = {}
        for finding in findings:
            cell = finding.record.cell
            rows.setdefault((cell.label, str(cell.train_on), finding.kind), []).append(finding)
        for (label, train_on, kind), alike in rows.items():
            seeds = list(dict.fromkeys(str(finding.record.cell.seed) for finding in alike))
            first = f"seed {seeds[0]}: " if len(seeds) > 1 else ""
            trained = f"{train_on}, seed{'s' * (len(seeds) > 1)} {', '.join(seeds)}"
            table.add_row(
                f"[bold]{escape(label)}[/bold]\n{escape(trained)}",
                escape(f"{kind}\n{first}{alike[0].text}"),
            )
        self.terminal.print(table)

    def result(self, summary: Mapping[str, Any]) -> None:
        """Print the leaderboard and the verdict of a report (``bench.report.page.SUMMARY``).

        Columns that the terminal has no room for are left out.
        """
        table = Table(box=box.SIMPLE_HEAD)
        used = 0
        shown = []
        for index, (name, unit) in enumerate(
            zip(summary["columns"], summary["units"], strict=True)
        ):
            texts = [row[index] for row in summary["rows"]]
            used += 3 + max(map(len, (name, *texts)))
            if used <= self.terminal.width:
                shown.append(index)
                table.add_column(escape(name), justify="left" if unit == "text" else "right")
        for row in summary["rows"]:
            table.add_row(*(escape(row[index]) for index in shown))
        if shown:
            self.terminal.print(table)
        self.terminal.print(f"[bold]{escape(summary['verdict'])}[/bold]")

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
                escape(cost.label),
                str(cost.seed),
                f"{cost.stages_missing} of {cost.stages}",
                f"{cost.cells - cost.cells_missing} of {cost.cells}",
                str(cost.cells_missing),
                duration(cost.train_seconds),
                duration(cost.evaluate_seconds),
            )
        self.terminal.print(table)

    def budget(self, trainings: Sequence[Training]) -> None:
        """Print what trainings of a fixed budget take: once for all seeds and all that share it."""
        firsts = {t.title: t for t in reversed(trainings) if t.step_flops}
        rows: dict[tuple[str, ...], list[Training]] = {}
        for training in reversed(firsts.values()):
            keys = tuple(folder.key for _, folder in training.stages)
            rows.setdefault(keys, []).append(training)
        if not rows:
            return
        table = _closing_table("Training, fixed by the suite's budget")
        table.add_column("method", overflow="fold", min_width=16)
        table.add_column("steps of its stages", overflow="fold")
        table.add_column("FLOPs", justify="right", no_wrap=True)
        for shared in rows.values():
            first = shared[0]
            titles = ", ".join(training.entry.title for training in shared) + first.share_note
            steps = [f"{stage.name} {stage.steps:,}" for stage, _ in first.stages if stage.steps]
            table.add_row(escape(titles), escape(", ".join(steps)), f"{first.flops:.3g}")
        self.terminal.print(table)

    def _line(self, text: str) -> None:
        self._last_line = time.monotonic()
        elapsed = int(self._last_line - self._started)
        self.terminal.print(f"[dim]{elapsed // 60:3d}:{elapsed % 60:02d}[/dim]  {text}")


class JobProgress(Progress):
    """One job's part of a terminal: its own bar, and lines among those of the others."""

    def __init__(self, console: Console, name: str) -> None:
        self._console, self._name = console, name
        self._bar, self._task = console.add_bar()

    def begin(self, title: str, total: int) -> None:
        """Start the job's bar from 0 to total."""
        title = f"{self._name}: {title}"
        self._bar.reset(
            self._task, description=title, total=total, visible=True, note="", completed=0
        )

    def advance(self, done: int, note: str = "") -> None:
        """Move the job's bar."""
        self._bar.update(self._task, completed=done, note=note)

    def say(self, text: str) -> None:
        """Print a line as it is."""
        self._console.say(text)

    def stage(self, label: str, stage: Stage) -> None:
        """Print that a stage is about to be trained."""
        self._console.stage(label, stage)

    def cell(self, record: Record, counts: Counts | None) -> None:
        """Print a cell's number."""
        self._console.cell(record, counts)


def duration(seconds: float | None) -> str:
    """Write a time for people, as ``1 h 05 min`` or ``40 s``."""
    if seconds is None:
        return "not measured yet"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def _closing_table(title: str) -> Table:
    return Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")


def _columns(cell: Cell) -> str:
    """Write which cell it is in columns."""
    text = f"{cell.label:<24.24} {cell.test_on!s:<18} {cell.condition!s:<22}"
    text += "" if cell.task == "predict" else f" {cell.task}"
    text += f" {cell.mapping}" if cell.mapping else ""
    return escape(text + (f" {cell.curve:.0%} of budget" if cell.curve is not None else ""))
