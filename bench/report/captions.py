"""The sentences that captions share: which data, which intervals, which tests."""

from __future__ import annotations

from bench.core.record import DataFacts
from bench.report.selection import Selection, name
from bench.report.statistics import Block
from bench.score.metrics import METRICS
from bench.score.resampling import RESAMPLES

BOLD = (
    "Bold: ahead of every other method (Holm over the table, 5%); none where a method was trained"
    " once."
)
HOLM = (
    "p: two-sided, Holm over this table, images and training seeds as independent sources; none"
    " where a method was trained once."
)
SHADED = "Shaded: 95% interval."


def describe(split: str, facts: DataFacts) -> str:
    """Name a split with what it is made of, saying of generated data that they are."""
    text = split + (f" of {facts.contents}" if facts.contents else "")
    return text + (" (generated)" if facts.generated else "")


def trained_on(block: Selection) -> str:
    """Name the training set of a block."""
    return describe(name(block.first.train_on, "train"), block.train_set)


def tested_on(block: Selection) -> str:
    """Name the test set of a block."""
    return describe(name(block.first.test_on, "val"), block.test_set)


def data_note(block: Selection) -> str:
    """Say which data a block is about."""
    trained, tested = trained_on(block), tested_on(block)
    where = f"and tested on {tested}" if trained == tested else f"on {trained}, tested on {tested}"
    limit = f" (--limit {block.first.limit})" if block.first.limit else ""
    return f"Trained {where}: {block.num_images} images{limit}."


def units(block: Selection) -> str:
    """Say what all numbers rest on: images, and training seeds if there are several."""
    seeds = f" and {block.training_seeds} training seeds" if block.training_seeds > 1 else ""
    return f"{block.num_images} images{seeds}"


def training_note(block: Selection) -> str:
    """Say what intervals include beside the images, to go on in a sentence."""
    seeds = block.training_seeds
    return f", with the variance of {seeds} training seeds (Student's t)" if seeds > 1 else ""


def interval_note(block: Block) -> str:
    """Say what an interval means."""
    drawn = block.drawn.note
    note = f"Brackets: 95% intervals, paired bootstrap over {drawn}, {RESAMPLES:,} resamples"
    note += f"{training_note(block)}."
    if block.training_seeds == 1 and block.learned:
        note += " One training each: what another training would change is not in them."
    return note


def absent_note(*metrics: str) -> str:
    """Say the unit, and how each definition treats absent classes."""
    policies = [f"{metric}: {METRICS[metric].absent}" for metric in metrics]
    return f"Per cent. {'; '.join(policies)}."


def resolution_note(block: Block) -> str:
    """Say which differences can be detected; empty with fewer than two methods."""
    if block.resolution is None:
        return ""
    points = 100 * block.resolution.value
    note = f"{units(block)} detect differences of {points:.1f} points or more (80% power at 5%,"
    note += " median over pairs of methods)"
    if points > 0.1:
        note += "; they cannot tell 68.0 from 68.1"
    return f"{note}."


def joined(*notes: str) -> str:
    """Join the sentences of a caption, empty ones left out."""
    return " ".join(note for note in notes if note)
