"""What codecs cost and keep: rates beside scores, declared contrasts, and losses by part.

Knows no method: a codec is whatever has clean cells of the task ``reconstruct``, and what is
said of its latents is what it measured (``bench/core/method.py``, ``Method.measure``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bench.core.manifest import Contrast
from bench.core.schema import Task
from bench.report.block import PRIMARY, Block, describe, is_generated
from bench.report.clean import ALPHA, absent_note, metric_names
from bench.report.table import Entry, Sentence, Table, Unit, number
from bench.score.codec_diagnostics import LEAST_BITS, LEAST_USE, CodecProblem, examine
from bench.score.robustness import above_floor
from bench.score.significance import mean_of_methods
from bench.score.stats import Estimate, holm

RATE = "bits_per_pixel"
MEASURED: dict[str, tuple[str, Unit]] = {
    "stride": ("Stride", "count"),
    "codes_per_pixel": ("Codes per pixel", "plain"),
    RATE: ("Rate (bits/pixel)", "plain"),
    "entropy_bits_per_pixel": ("Entropy (bits/pixel)", "plain"),
    "codebook_use": ("Codebook in use", "percent"),
    "perplexity": ("Perplexity", "count"),
    "kl_bits_per_latent": ("KL (bits/latent)", "plain"),
}
"""Column and unit of what codecs measure of their latents."""
UNSHOWN = "codebook_parameters"
"""Measured to be taken off the number of parameters."""


def codec_tables(block: Block) -> Iterator[Table]:
    """Make every table about reconstruction; none where nothing is reconstructed."""
    if any(measured(block, label) for label in block.labels):
        yield rates(block)
    if any(others(block).values()):
        yield colourings(block)
    if any(rows := [_contrast_rows(block, each) for each in block.contrasts]):
        yield contrast_table(block, [row for each in rows for row in each])
    if found := examine(block.finished, block.counts):
        yield findings(block, found)
    if attributed(block):
        yield attribution(block)


def measured(block: Block, label: str) -> dict[str, float]:
    """Return what a codec measured, averaged over seeds; nothing if it measures nothing."""
    found = [record.measured for record in block.of(label, task="reconstruct") if record.measured]
    names = dict.fromkeys(name for each in found for name in each)
    return {name: float(np.mean([m[name] for m in found if name in m])) for name in names}


def rates(block: Block) -> Table:
    """The cost of each codec's latents, and how much of them is used."""
    found = {label: measured(block, label) for label in block.labels}
    seen = {name for each in found.values() for name in each}
    columns = {name: MEASURED[name] for name in MEASURED if name in seen}
    rows = []
    for label, numbers in found.items():
        if not numbers:
            continue
        records = block.of(label, task="reconstruct")
        keys = tuple(record.key for record in records)
        plain = records[0].parameters - round(numbers.get(UNSHOWN, 0))
        rows.append(
            (
                Entry(label),
                number(block.score(label, task="reconstruct")),
                *(
                    Entry("–", unit, numbers.get(name), keys=keys if name in numbers else ())
                    for name, (_, unit) in columns.items()
                ),
                Entry(unit="count", value=plain, keys=keys),
            )
        )
    caption = f"{block.data_note}{absent_note(PRIMARY)} Rate: codes times log2 of the codebook, or"
    caption += " the expected KL divergence: both from the prior of training, uniform or standard"
    caption += " normal. Entropy: of the codes as they fell on these images. Perplexity: 2 to the"
    caption += " entropy of one code. Parameters without codebooks. Means over seeds."
    names = ("Codec", f"{PRIMARY} ↑", *(name for name, _ in columns.values()), "Parameters")
    return Table("rates", "What the latents cost", caption, names, tuple(rows))


def others(block: Block) -> dict[str, dict[str, float]]:
    """Return by codec what it measured that is not about its latents, named in its own words."""
    return {
        label: {
            name: value
            for name, value in measured(block, label).items()
            if name not in (*MEASURED, UNSHOWN)
        }
        for label in block.labels
    }


def colourings(block: Block) -> Table:
    """What codecs measured of their colours, one column a codec."""
    found = {label: numbers for label, numbers in others(block).items() if numbers}
    keys = {label: [r.key for r in block.of(label, task="reconstruct")] for label in found}
    rows = []
    for name in dict.fromkeys(name for numbers in found.values() for name in numbers):
        entries = [
            Entry(
                "–", "plain", numbers.get(name), keys=tuple(keys[label]) if name in numbers else ()
            )
            for label, numbers in found.items()
        ]
        rows.append((Entry(name), *entries))
    caption = f"{block.data_note}Measured of the colours that stand for classes, without any noise."
    caption += " Means over seeds."
    title = "What the colours can tell apart"
    return Table("colourings", title, caption, ("Measured", *found), tuple(rows))


class Compared(NamedTuple):
    """A contrast, scored."""

    of: tuple[str, ...]
    """Whose score the first is, or the two between which it lies at the rate of the second."""
    first: Estimate
    second: Estimate
    rates: tuple[float, float]
    """Bits per pixel of the two; NaN where not measured."""

    @property
    def difference(self) -> Estimate:
        """First minus second."""
        return self.first - self.second

    @property
    def relative(self) -> Estimate:
        """The difference as a share of the first."""
        return (self.first - self.second) / self.first


def compare(block: Block, contrast: Contrast, metric: str) -> Compared | str:
    """Score a contrast, or say why it has no score."""
    firsts, seconds = contrast.sides(block.families)
    labels = (*firsts, *seconds)
    scores = {label: _score(block, contrast, label, metric) for label in labels}
    if lacking := [label for label, score in scores.items() if score is None]:
        return f"{', '.join(lacking)}: no result"
    known = {label: score for label, score in scores.items() if score is not None}
    rate = {label: measured(block, label).get(RATE, math.nan) for label in labels}
    if contrast.is_of_families:
        means = [mean_of_methods([known[label] for label in side]) for side in (firsts, seconds)]
        return Compared((contrast.first_name,), means[0], means[1], (math.nan, math.nan))
    second, aim = known[seconds[0]], rate[seconds[0]]
    if len(firsts) == 1:
        return Compared(firsts, known[firsts[0]], second, (rate[firsts[0]], aim))
    ordered = sorted(firsts, key=lambda label: rate[label])
    for low, high in zip(ordered, ordered[1:], strict=False):
        if rate[low] <= aim <= rate[high]:
            share = math.log(aim / rate[low]) / math.log(rate[high] / rate[low])
            between = known[low].interpolate(known[high], share)
            return Compared((low, high), between, second, (aim, aim))
    span = f"{rate[ordered[0]]:.3g} to {rate[ordered[-1]]:.3g}"
    return f"{contrast.second} has {aim:.3g} bits/pixel, outside the {span} of the others"


def _score(block: Block, contrast: Contrast, label: str, metric: str) -> Estimate | None:
    """Return the score of a method that a contrast is about."""
    if contrast.measure == "clean":
        return block.score(label, metric)
    corrupted = block.mpc(label)
    if contrast.measure == "mPC" or corrupted is None:
        return corrupted
    clean, floor = block.score(label), block.score(block.floor) if block.floor else None
    return None if clean is None or floor is None else above_floor(corrupted, clean, floor)


def _contrast_rows(block: Block, contrast: Contrast) -> list[tuple[str, str, Compared | str]]:
    names = [*metric_names(block), "boundary_IoU", "mIoU_small", "mIoU_medium", "mIoU_large"]
    if contrast.measure != "clean":
        names = [PRIMARY]
    stored = [
        name
        for name in dict.fromkeys(names)
        if all(block.is_stored(label, name) for label in (*contrast.first, contrast.second))
    ]
    return [(contrast.name, name, compare(block, contrast, name)) for name in stored]


def contrast_table(block: Block, found: Sequence[tuple[str, str, Compared | str]]) -> Table:
    """The declared differences under every score, in points and relative."""
    tested = [each.difference for _, _, each in found if isinstance(each, Compared)]
    known = [difference for difference in tested if not math.isnan(difference.value)]
    adjusted = iter(holm([difference.p_value() for difference in known]))
    rows = []
    for name, metric, each in found:
        if isinstance(each, str):
            blank = (number(None, missing="–"), number(None, missing="–"))
            points = (number(None, "points", missing="–"), number(None, missing="–"))
            rows.append((Entry(f"{name}: {each}"), Entry(metric), *blank, *points, Entry("–", "p")))
            continue
        difference = each.difference
        p = math.nan if math.isnan(difference.value) else next(adjusted)
        rows.append(
            (
                Entry(name),
                Entry(metric),
                number(each.first, interval=False),
                number(each.second, interval=False),
                number(difference, "points"),
                number(each.relative),
                Entry(unit="p", value=p, keys=difference.keys),
            )
        )
    pairs = "; ".join(
        f"{contrast.name}: {contrast.first_name} minus {contrast.second}"
        + (", interpolated to its rate" if contrast.is_interpolated else "")
        for contrast in block.contrasts
    )
    names = dict.fromkeys(metric for _, metric, _ in found)
    caption = f"{block.data_note}{pairs}. {absent_note(*names)}"
    caption += " Difference in percentage points; relative: as a share of"
    caption += f" the first. {block.interval_note} p: two-sided, Holm over this table. Declared in"
    caption += " the suite before the run."
    columns = ("Contrast", "Score", "First", "Second", "Difference", "Relative", "p")
    return Table("contrasts", "Declared contrasts", caption, columns, tuple(rows))


def verdict(block: Block) -> list[Sentence]:
    """Answer with the declared contrasts; of codecs in one go, with what that does not cover."""
    of_codecs = block.task == "reconstruct"
    said = [_verdict(block, contrast, of_codecs) for contrast in block.contrasts]
    if not said or not of_codecs:
        return said
    tested = block.first.test_on
    limits = f"Codecs trained here, alike and small, on {describe(block.first.train_on, 'train')}"
    limits += "; released weights and Cityscapes"
    limits += ", and any photograph, are" if is_generated(tested) else " are"
    return [(*(part for each in said for part in (*each, " ")), f"{limits} not covered.")]


def _verdict(block: Block, contrast: Contrast, of_codecs: bool) -> Sentence:
    each = compare(block, contrast, PRIMARY)
    opening = f"{contrast.name[:1].upper()}{contrast.name[1:]}: "
    if isinstance(each, str):
        return (f"{opening}no number ({each}).",)
    difference = each.difference
    sure = "" if difference.p_value() < ALPHA else f", within the noise of {block.units}"
    at = [f" at {rate:.3g} bits/pixel" if rate == rate else "" for rate in each.rates]
    does = ("reconstructs", "reconstruct") if of_codecs else ("has", "have")
    told = f"{each.of[0]} {does[0]}"
    if len(each.of) > 1:
        told = f"{' and '.join(each.of)}, interpolated, {does[1]}"
    return (
        f"{opening}{told} {'with ' if of_codecs else ''}{PRIMARY} ",
        *(number(each.first), f"{at[0]}, {contrast.second} ", number(each.second)),
        *(f"{at[1]}: a difference of ", number(difference, "points"), " or "),
        *(number(each.relative), f" of the first{sure}."),
    )


def findings(block: Block, found: Sequence[CodecProblem]) -> Table:
    """What is wrong with a codec, one line a finding."""
    rows = [
        (
            Entry(record.cell.label),
            Entry(str(record.cell.seed)),
            Entry(kind),
            Entry(text, keys=(record.key,)),
        )
        for record, kind, text in found
    ]
    caption = f"{block.data_note}A codebook has collapsed if less than {LEAST_USE:.0%} of it is"
    caption += (
        f" used, a posterior if it holds less than {LEAST_BITS:g} bits per latent; a class is"
    )
    caption += " not separated if more of its pixels come back as one other class than as itself."
    names = ("Codec", "Seed", "Fault", "What was measured")
    return Table("findings", "Codecs to mend", caption, names, tuple(rows))


def to_mend(block: Block) -> list[Sentence]:
    """Say which codecs went wrong, and how."""
    found: dict[str, dict[str, None]] = {}
    for each in examine(block.finished, block.counts):
        found.setdefault(each.kind, {})[each.record.cell.label] = None
    named = "; ".join(f"{kind}: {', '.join(labels)}" for kind, labels in found.items())
    return [(f"Codecs to mend, see below; {named}.",)] if named else []


def attributed(block: Block) -> list[str]:
    """Return the methods that both predict and reconstruct."""
    return [
        label
        for label in block.labels
        if block.of(label, task="predict") and block.of(label, task="reconstruct")
    ]


def attribution(block: Block) -> Table:
    """Where each generative method loses against the truth, class by class."""
    losses = {label: _losses(block, label) for label in attributed(block)}
    names = ["mean over classes", *block.finished[0].classes]
    columns = [f"{label}: {part}" for label, parts in losses.items() for part in parts]
    rows = []
    for at, name in enumerate(names):
        entries = [
            Entry("absent" if np.isnan(loss[at]) else "", "points", float(loss[at]), keys=keys)
            for parts in losses.values()
            for loss, keys in parts.values()
        ]
        rows.append((Entry(name), *entries))
    caption = f"{block.data_note}IoU lost, in percentage points; the sum is what is missing to 100."
    caption += " Codec: by encoding and decoding the truth. Predictor: beyond that, by predicted"
    caption += " latents, each replaced by the nearest of the image's truth. Decoding: beyond that,"
    caption += " by decoding the predicted latents as they are. Prediction: the last two together,"
    caption += f" where a method cannot tell them apart. {absent_note(PRIMARY)}"
    title = "Where generative methods lose"
    return Table("attribution", title, caption, ("Class", *columns), tuple(rows))


def _losses(block: Block, label: str) -> dict[str, tuple[np.ndarray, tuple[str, ...]]]:
    """Return by part what is lost, float64 [1 + K], the mean first, and the cells behind it."""
    steps: list[tuple[str, Task]] = [("codec", "reconstruct")]
    if block.of(label, task="oracle_codes"):
        steps += [("predictor", "oracle_codes"), ("decoding", "predict")]
    else:
        steps.append(("prediction", "predict"))
    found = {}
    before: np.ndarray = np.ones(1)
    for part, task in steps:
        iou = block.classes(label, task=task)
        loss = iou - before
        mean = np.nanmean(loss) if np.isfinite(loss).any() else np.nan
        keys = tuple(record.key for record in block.of(label, task=task))
        found[part], before = (np.concatenate([[mean], loss]), keys), iou
    return found
