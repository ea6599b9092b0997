"""Degradation curves, the heat map and training curves, in colours anyone can tell apart.

Figures are drawn with an ink and a rule colour that no data use. On the page both are
replaced by the page's own, so that one drawing serves light, dark and paper.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.report.block import PRIMARY, Block
from bench.report.robust import retained
from bench.score.stats import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, RULE = "#10131a", "#d5d9e0"
FLOOR_COLOUR = "#7f8793"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b98400", "#3f9fd8")
"""Okabe and Ito (2008), without the yellow and black that vanish on white or on dark;
orange and sky blue are darkened until they read on both."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
SYMBOLS = ("●", "■", "▲", "◆", "▼", "✚", "✖")
STYLE: Any = {  # its keys are a Literal of 300 names in matplotlib's stubs
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.hashsalt": "bench",
    "legend.frameon": False,
}


class Look(NamedTuple):
    """How a method is drawn everywhere."""

    colour: str
    marker: str
    symbol: str
    dash: str


class Plot(NamedTuple):
    """A finished figure: one for papers, and its panels for a page of any width."""

    slug: str
    title: str
    caption: str
    figure: Figure
    panels: tuple[str, ...]
    """Inline SVG in the page's colours."""


def looks(block: Block) -> dict[str, Look]:
    """Give every method its colour, marker and line; the floor is grey and dashed."""
    found = {
        label: Look(
            COLOURS[index % len(COLOURS)],
            MARKERS[index % len(MARKERS)],
            SYMBOLS[index % len(SYMBOLS)],
            "-" if index < len(COLOURS) else ":",
        )
        for index, label in enumerate(block.learned)
    }
    if block.floor:
        found[block.floor] = Look(FLOOR_COLOUR, "", "┄", "--")
    return found


def make_plots(block: Block, *, training: bool) -> Iterator[Plot]:
    """Draw what the block's results allow.

    Args:
        block: the results.
        training: whether to draw the losses, too.
    """
    with mpl.rc_context(STYLE):
        if block.conditions and block.learned:
            yield degradation(block)
            if _compared(block):
                yield heat_map(block)
        logs = _logs(block) if training else {}
        if logs:
            yield losses(block, logs)


def save(plot: Plot, folder: Path, stem: str) -> None:
    """Write a plot as PNG and as SVG, the same bytes for the same results."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        for ending, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
            plot.figure.savefig(
                folder / f"{stem}.{ending}", dpi=160, facecolor="white", metadata=metadata
            )


def degradation(block: Block) -> Plot:
    """Draw the score against severity, a panel a corruption and a line a method."""
    top = _top(block)
    whole, panels = draw_panels(
        block.corruptions,
        lambda axis, name: _curve(axis, block, name, top),
        f"{PRIMARY} (%)",
        legend=True,
    )
    caption = f"{block.data_note}{PRIMARY} in per cent against severity, 0 being the clean image."
    caption += " Shaded: 95% interval."
    return Plot("degradation", "Degradation with severity", caption, whole, panels)


def draw_panels(
    names: Sequence[str],
    draw: Callable[[Axes, str], None],
    quantity: str = "",
    *,
    legend: bool = False,
) -> tuple[Figure, tuple[str, ...]]:
    """Draw a panel a name, three abreast for papers and each by itself for the page.

    Args:
        names: what the panels are about.
        draw: fills the axes of one.
        quantity: what the vertical axes share; they have one range where it is given.
        legend: whether to draw the first panel's above all.
    """
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    size = (3.1 * columns, 2.2 * rows + 0.5 * legend)
    whole = Figure(figsize=size, layout="constrained")
    axes = whole.subplots(rows, columns, squeeze=False, sharey=bool(quantity)).ravel()
    panels = []
    for axis, name in zip(axes, names, strict=False):
        draw(axis, name)
        single = _panel()
        draw(single.axes[0], name)
        panels.append(inline_svg(single))
    for axis in axes[len(names) :]:
        axis.set_axis_off()
    whole.supylabel(quantity, fontsize=9)
    if legend:
        handles, labels = axes[0].get_legend_handles_labels()
        whole.legend(handles, labels, loc="outside upper center", ncols=min(4, len(labels)))
    return whole, tuple(panels)


def _panel() -> Figure:
    """Make one small plot; fixed margins, as working them out takes longer than drawing."""
    figure = Figure(figsize=(3.2, 2.3))
    figure.subplots(gridspec_kw={"left": 0.12, "right": 0.97, "top": 0.88, "bottom": 0.12})
    return figure


def _top(block: Block) -> float:
    clean = [score.value for label in block.labels if (score := block.score(label)) is not None]
    return min(1.0, 1.15 * max(clean, default=1.0))


def _curve(axis: Axes, block: Block, corruption: str, top: float) -> None:
    severities = [c for c in block.conditions if c.corruption == corruption]
    for label, look in looks(block).items():
        points: list[tuple[int, Estimate | None]] = [(0, block.score(label))]
        points += [(c.severity, block.score(label, condition=c)) for c in severities]
        known = [(x, estimate) for x, estimate in points if estimate is not None]
        x = [at for at, _ in known]
        y = [100 * estimate.value for _, estimate in known]
        bounds = np.array([estimate.interval() for _, estimate in known]).reshape(-1, 2)
        low, high = 100 * bounds.T
        axis.fill_between(x, low, high, color=look.colour, alpha=0.14, lw=0)
        axis.plot(
            x,
            y,
            look.dash,
            color=look.colour,
            marker=look.marker,
            markersize=4,
            lw=1.6,
            label=label,
        )
    axis.set_title(corruption.replace("_", " "))
    axis.set_ylim(0, 100 * top)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(visible=False, axis="x")


def _compared(block: Block) -> list[str]:
    """Return the methods with a clean score, without the floor if there are others."""
    return [label for label in block.learned or block.labels if block.score(label) is not None]


def heat_map(block: Block) -> Plot:
    """Draw the share of the clean score each method keeps under each corruption."""
    labels = _compared(block)
    shares = np.array([
        [np.nan if (s := retained(block, label, name)) is None else 100 * s.value
         for label in labels]
        for name in block.corruptions
    ])  # fmt: skip
    figure = Figure(
        figsize=(1.8 + 0.95 * len(labels), 1.1 + 0.34 * len(block.corruptions)),
        layout="constrained",
    )
    axis = figure.subplots()
    sns.heatmap(
        shares, ax=axis, annot=True, fmt=".0f", cmap="mako", vmin=0, vmax=100, linewidths=0,
        cbar=False, xticklabels=[label.replace(" ", "\n") for label in labels],
        yticklabels=[name.replace("_", " ") for name in block.corruptions],
    )  # fmt: skip
    for row, column in np.argwhere(np.isnan(shares)):
        axis.text(column + 0.5, row + 0.5, "–", ha="center", va="center")
    axis.tick_params(axis="x", labelrotation=0, labeltop=True, labelbottom=False)
    axis.tick_params(axis="y", labelrotation=0)
    axis.grid(visible=False)
    caption = (
        f"{block.data_note}{PRIMARY} averaged over severities as a share of the clean {PRIMARY},"
    )
    caption += " in per cent; darker loses more."
    if block.floor in block.labels and block.floor not in labels:
        caption += f" Without {block.floor}, which does not look at the image."
    return Plot("heat_map", "What each corruption leaves", caption, figure, (inline_svg(figure),))


Lines = Sequence[Mapping[str, Any]]
"""A training log."""


def _logs(block: Block) -> dict[str, dict[str, Lines]]:
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


def losses(block: Block, logs: Mapping[str, Mapping[str, Lines]]) -> Plot:
    """Draw the loss terms of each stage against its steps, a line a training seed."""
    whole, panels = draw_panels(
        list(logs), lambda axis, name: _losses(axis, name, list(logs[name].values()))
    )
    caption = f"Training on {block.first.train_on}: weighted loss terms against steps, as logged."
    caption += " A stage that methods share is drawn once; + 1 counts the other one."
    if len(block.seeds) > 1:
        caption += " A line a training seed."
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


def inline_svg(figure: Figure) -> str:
    """Return a figure as SVG whose ink and rules follow the page and whose text is text."""
    text = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor").replace(RULE, "var(--rule)")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg)
    # a page holds many drawings, whose clip paths must not share names
    prefix = f"p{zlib.crc32(svg.encode()):08x}"
    svg = re.sub(r'id="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    return re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', svg)
