"""Training curves: the loss terms of every stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.ticker import MaxNLocator

from bench.report.figures.style import COLOURS, Plot, draw_panels
from bench.report.selection import Selection

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def training_plots(block: Selection) -> Iterator[Plot]:
    """Draw the losses of a block's stages, if their logs are there."""
    logs = _logs(block)
    if logs:
        yield losses(block, logs)


Lines = Sequence[Mapping[str, Any]]
"""A training log."""


def _logs(block: Selection) -> dict[str, dict[str, Lines]]:
    """Read every stage's training log: by the methods that share it and its name, then by key."""
    users: dict[str, dict[str, None]] = {}
    for record in block.finished:
        for key in record.stages:
            users.setdefault(key, {})[record.cell.label] = None
    logs: dict[str, dict[str, Lines]] = {}
    for key, labels in users.items():
        stage = block.folder.stage(key)
        summary: Any = stage.summary()
        lines = stage.log_lines()
        if summary is None or not lines:
            continue  # such as a stage in closed form
        first, *others = labels
        more = f" + {len(others)}" if others else ""
        title = f"{first}{more}: {summary['stage']['name']}"
        logs.setdefault(title, {})[key] = lines
    return logs


def losses(block: Selection, logs: Mapping[str, Mapping[str, Lines]]) -> Plot:
    """Draw the loss terms of each stage against its steps, one line per training seed."""
    whole, panels = draw_panels(
        list(logs),
        lambda axis, name: _losses(axis, name, list(logs[name].values())),
        across="step",
    )
    caption = f"Training on {block.first.train_on}: weighted loss terms against steps, as logged."
    caption += " A stage shared by several methods is drawn once; + 1 means one further method."
    if len(block.seeds) > 1:
        caption += " One line per training seed."
    return Plot("training", "Training", caption, whole, panels)


def _losses(axis: Axes, name: str, runs: Sequence[Lines]) -> None:
    terms = list(dict.fromkeys(term for lines in runs for line in lines for term in line["loss"]))
    for colour, term in zip(COLOURS, terms, strict=False):
        for index, lines in enumerate(runs):
            kept = [line for line in lines if term in line["loss"]]
            axis.plot(
                [line["step"] for line in kept],
                [line["loss"][term] for line in kept],
                color=colour,
                lw=1.4 if len(runs) == 1 else 0.8,
                label=None if index else term,
            )
    axis.legend(fontsize=8, loc="upper right")
    axis.set_title(name)
    axis.set_ylim(bottom=0)
    axis.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axis.grid(visible=False, axis="x")
