"""The style of every figure: colours anyone can tell apart, markers, panels and files.

Figures are drawn with an ink and a rule colour that no data use. On the page both are
replaced by the page's own, so that one drawing serves light, dark and paper.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from bench.report.selection import Selection
from bench.score.stats import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, RULE = "#10131a", "#d5d9e0"
FLOOR_COLOUR = "#7f8793"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b98400", "#3f9fd8")
"""Okabe and Ito (2008), without the yellow and black that vanish on white or on dark;
orange and sky blue are darkened until they read on both."""
LineStyle = str | tuple[float, tuple[float, ...]]
"""As matplotlib takes them."""
FAMILY_LINES: dict[str, LineStyle] = {"generative": "-", "discriminative": (0, (5, 1.5))}
CONTROL_LINE = ":"
"""Of twins and parts, and where the records do not say the family."""
FLOOR_LINE: LineStyle = (0, (1, 1))
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
    dash: LineStyle


class Plot(NamedTuple):
    """A finished figure: one for papers, and its panels for a page of any width."""

    slug: str
    title: str
    caption: str
    figure: Figure
    panels: tuple[str, ...]
    """Inline SVG in the page's colours."""
    keyed: bool = False
    """Whether the page shows above it which colour and marker is which method."""


def looks(block: Selection) -> dict[str, Look]:
    """Give every method its colour and marker, and every family its line; the floor is grey.

    A method's name decides its colour and marker, so that it looks alike on every page, unless
    another method of the suite has them already.
    """
    taken: set[tuple[int, int]] = set()
    by_label = {}
    for label in block.families or block.learned:
        colour, marker = _free(zlib.crc32(label.encode()), taken)
        taken.add((colour, marker))
        dash = FAMILY_LINES.get(block.families.get(label, ""), CONTROL_LINE)
        if label in block.learned:
            look = Look(COLOURS[colour], MARKERS[marker], SYMBOLS[marker], dash)
            by_label[label] = look
    if block.floor:
        by_label[block.floor] = Look(FLOOR_COLOUR, "", "┄", FLOOR_LINE)
    return by_label


def _free(number: int, taken: set[tuple[int, int]]) -> tuple[int, int]:
    """Return a colour and a marker: where possible of a colour that no other method has."""
    pairs = [(c, m) for m in range(len(MARKERS)) for c in range(len(COLOURS))]
    start = number % len(pairs)
    ordered = pairs[start:] + pairs[:start]
    used = {colour for colour, _ in taken}
    fresh = [pair for pair in ordered if pair[0] not in used]
    left = [pair for pair in ordered if pair not in taken]
    return next(iter(fresh or left or ordered))


def styled() -> AbstractContextManager[None]:
    """Return the context in which every figure is drawn."""
    return mpl.rc_context(STYLE)


def save(plot: Plot, folder: Path, stem: str) -> None:
    """Write a plot as PNG, SVG and PDF, the same bytes for the same results."""
    folder.mkdir(parents=True, exist_ok=True)
    dates: dict[str, dict[str, None]] = {
        "png": {"Software": None},
        "svg": {"Date": None},
        "pdf": {"CreationDate": None},
    }
    with styled():
        for ending, metadata in dates.items():
            plot.figure.savefig(
                folder / f"{stem}.{ending}", dpi=160, facecolor="white", metadata=metadata
            )


def draw_panels(
    names: Sequence[str],
    draw: Callable[[Axes, str], None],
    quantity: str = "",
    across: str = "",
    *,
    legend: bool = False,
) -> tuple[Figure, tuple[str, ...]]:
    """Draw one panel per name: three abreast for papers, each by itself for the page.

    Args:
        names: what the panels are about.
        draw: fills the axes of one.
        quantity: what the vertical axes share; they have one range where it is given.
        across: what the horizontal axes share.
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
        single.axes[0].set_xlabel(across)
        single.axes[0].set_ylabel(quantity)
        panels.append(inline_svg(single, f"{quantity}, {name}" if quantity else name))
    for axis in axes[len(names) :]:
        axis.set_axis_off()
    whole.supylabel(quantity, fontsize=9)
    whole.supxlabel(across, fontsize=9)
    if legend:
        handles, labels = axes[0].get_legend_handles_labels()
        whole.legend(handles, labels, loc="outside upper center", ncols=min(4, len(labels)))
    return whole, tuple(panels)


def _panel() -> Figure:
    """Make one small plot; fixed margins, as working them out takes longer than drawing."""
    figure = Figure(figsize=(3.2, 2.3))
    figure.subplots(gridspec_kw={"left": 0.16, "right": 0.97, "top": 0.89, "bottom": 0.2})
    return figure


def draw_curve(
    axis: Axes, look: Look, label: str, points: Sequence[tuple[float, Estimate]]
) -> None:
    """Draw a method's scores in per cent, joined, with their intervals shaded.

    Args:
        axis: of one panel.
        look: of the method.
        label: of the method.
        points: the value on the horizontal axis, and the score.
    """
    x = [value for value, _ in points]
    scores = [100 * estimate.value for _, estimate in points]
    bounds = np.array([estimate.interval() for _, estimate in points]).reshape(-1, 2)
    low, high = 100 * bounds.T
    axis.fill_between(x, low, high, color=look.colour, alpha=0.14, lw=0)
    axis.plot(
        x,
        scores,
        linestyle=look.dash,
        color=look.colour,
        marker=look.marker,
        markersize=4,
        lw=1.6,
        label=label,
    )


def inline_svg(figure: Figure, name: str) -> str:
    """Return a figure as SVG whose ink and rules follow the page and whose text is text.

    Args:
        figure: what is drawn.
        name: what those who do not see it are told.
    """
    text = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor").replace(RULE, "var(--rule)")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg)
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{escape(name, quote=True)}"', 1)
    # a page holds many drawings, whose clip paths must not share names
    prefix = f"p{zlib.crc32(svg.encode()):08x}"
    svg = re.sub(r'id="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    return re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', svg)
