"""What a score costs: each method by its operations, its latency and its size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from matplotlib.ticker import LogLocator, NullLocator

from bench.core.record import ModelCost
from bench.report.captions import data_note, joined
from bench.report.figures.style import Plot, draw_panels, looks
from bench.report.statistics import Block

if TYPE_CHECKING:
    from matplotlib.axes import Axes

QUANTITIES: Mapping[str, Callable[[ModelCost], float]] = {
    "GFLOPs per image": lambda cost: cost.flops / 1e9,
    "Latency (ms)": lambda cost: 1000 * cost.latency,
    "Parameters (millions)": lambda cost: cost.parameters / 1e6,
}


def cost_plots(block: Block) -> Iterator[Plot]:
    """Draw the plot if the costs of two methods or more are known."""
    costs = _costs(block)
    if len(costs) > 1:
        yield quality(block, costs)


def _costs(block: Block) -> dict[str, ModelCost]:
    """Return the cost of every method that looks at images and has a clean score."""
    costs = {}
    for label in block.learned:
        measured = [record.cost for record in block.of(label, task="predict") if record.cost]
        if measured:
            costs[label] = measured[0]
    return costs


def quality(block: Block, costs: Mapping[str, ModelCost]) -> Plot:
    """Draw the clean score against what a prediction takes."""
    whole, panels = draw_panels(
        tuple(QUANTITIES),
        lambda axis, name: _points(axis, block, costs, name),
        f"{block.primary} (%)",
        legend=True,
    )
    floor = block.score(block.floor, task="predict") if block.floor else None
    sizes = dict.fromkeys(f"{cost.size[0]} x {cost.size[1]}" for cost in costs.values())
    caption = joined(
        data_note(block),
        f"Clean {block.primary} in per cent, with its 95% interval, against what one prediction of"
        f" the model alone takes on {' and '.join(sizes)} pixels (table Cost); logarithmic.",
        f"Dashed: {block.floor}, which does not look at the image." if floor else "",
    )
    return Plot("cost", "Cost and quality", caption, whole, panels, keyed=True)


def _points(axis: Axes, block: Block, costs: Mapping[str, ModelCost], name: str) -> None:
    styles = looks(block)
    for label, cost in costs.items():
        score, look = block.score(label, task="predict"), styles[label]
        assert score is not None, "a method with a cost has a clean score"
        low, high = score.interval()
        x = QUANTITIES[name](cost)
        axis.plot([x, x], [100 * low, 100 * high], color=look.colour, lw=1.2)
        axis.plot(
            x,
            100 * score.value,
            linestyle="",
            color=look.colour,
            marker=look.marker,
            markersize=6,
            label=label,
        )
    floor = block.score(block.floor, task="predict") if block.floor else None
    if floor is not None and block.floor:
        look = styles[block.floor]
        axis.axhline(100 * floor.value, color=look.colour, linestyle="--", lw=1.2)
    axis.set_title(name)
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_locator(NullLocator())
    axis.margins(x=0.15)
