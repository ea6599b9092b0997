"""What codecs cost and keep: rates beside scores, colours, problems, and losses by part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bench.core.schema import Task
from bench.report.captions import absent_note, data_note, joined
from bench.report.contrasts import RATE, measured
from bench.report.statistics import Block
from bench.report.tables.table import Entry, Sentence, Table, Unit, number
from bench.score.codec_diagnostics import LEAST_BITS, LEAST_USE, CodecProblem, examine

MEASURED: dict[str, tuple[str, Unit]] = {
    "stride": ("Stride", "count"),
    "codes_per_pixel": ("Codes per pixel", "plain"),
    RATE: ("Rate (bits/pixel)", "plain"),
    "entropy_bits_per_pixel": ("Entropy (bits/pixel)", "plain"),
    "codebook_use": ("Codebook use", "percent"),
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
    if findings := examine(block.finished, block.counts):
        yield problems(block, findings)
    if attributed(block):
        yield attribution(block)


def rates(block: Block) -> Table:
    """The cost of each codec's latents, and how much of them is used."""
    by_codec = {label: measured(block, label) for label in block.labels}
    names = {name for values in by_codec.values() for name in values}
    columns = {name: MEASURED[name] for name in MEASURED if name in names}
    rows = []
    for label, values in by_codec.items():
        if not values:
            continue
        records = block.of(label, task="reconstruct")
        keys = tuple(record.key for record in records)
        parameters = records[0].parameters - round(values.get(UNSHOWN, 0))
        rows.append(
            (
                Entry(label),
                number(block.score(label, task="reconstruct")),
                *(
                    Entry("–", unit, values.get(name), keys=keys if name in values else ())
                    for name, (_, unit) in columns.items()
                ),
                Entry(unit="count", value=parameters, keys=keys),
            )
        )
    caption = joined(
        data_note(block),
        absent_note(block.primary),
        "Rate: codes times log2 of the codebook size, or the expected KL divergence, both under"
        " the prior used in training (uniform or standard normal).",
        "Entropy: of the codes on these images. Perplexity: 2 to the entropy of one code.",
        "Parameters: without codebooks. Means over seeds.",
    )
    heads = ("Codec", f"{block.primary} ↑", *(head for head, _ in columns.values()), "Parameters")
    return Table("rates", "Rate and codebook use", caption, heads, tuple(rows))


def others(block: Block) -> dict[str, dict[str, float]]:
    """Return per codec what it measured that is not about its latents, named in its own words."""
    return {
        label: {
            name: value
            for name, value in measured(block, label).items()
            if name not in (*MEASURED, UNSHOWN)
        }
        for label in block.labels
    }


def colourings(block: Block) -> Table:
    """What codecs measured of their colours, one column per codec."""
    by_codec = {label: values for label, values in others(block).items() if values}
    keys = {
        label: tuple(record.key for record in block.of(label, task="reconstruct"))
        for label in by_codec
    }
    rows = []
    for name in dict.fromkeys(name for values in by_codec.values() for name in values):
        entries = [
            Entry("–", "plain", values.get(name), keys=keys[label] if name in values else ())
            for label, values in by_codec.items()
        ]
        rows.append((Entry(name), *entries))
    caption = joined(
        data_note(block),
        "Measured on the colours that stand for classes, without noise. Means over seeds.",
    )
    heads = ("Measured", *by_codec)
    return Table("colourings", "Separation of class colours", caption, heads, tuple(rows))


def problems(block: Block, findings: Sequence[CodecProblem]) -> Table:
    """What is wrong with a codec, one row per finding."""
    rows = tuple(
        (
            Entry(record.cell.label),
            Entry(str(record.cell.seed)),
            Entry(kind),
            Entry(text, keys=(record.key,)),
        )
        for record, kind, text in findings
    )
    caption = joined(
        data_note(block),
        f"Collapsed codebook: less than {LEAST_USE:.0%} of it is used. Posterior collapse: less"
        f" than {LEAST_BITS:g} bits per latent. Class not separated: more of its pixels are"
        " reconstructed as one other class than as itself.",
    )
    heads = ("Codec", "Seed", "Problem", "Measured")
    return Table("findings", "Codec problems", caption, heads, rows)


def problem_sentences(block: Block) -> list[Sentence]:
    """Say which codecs have problems that most of them do not have."""
    labels: dict[str, dict[str, None]] = {}
    for finding in examine(block.finished, block.counts):
        labels.setdefault(finding.kind, {})[finding.record.cell.label] = None
    codecs = [label for label in block.labels if block.of(label, task="reconstruct")]
    unusual = {kind: names for kind, names in labels.items() if 2 * len(names) <= len(codecs)}
    kinds = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in unusual.items())
    return [(f"Codec problems (see the table below): {kinds}.",)] if kinds else []


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
    for row, name in enumerate(names):
        entries = [
            Entry("absent" if np.isnan(loss[row]) else "", "points", float(loss[row]), keys=keys)
            for parts in losses.values()
            for loss, keys in parts.values()
        ]
        rows.append((Entry(name), *entries))
    caption = joined(
        data_note(block),
        "IoU lost, in percentage points; a row's parts add up to its distance from 100.",
        "Codec: lost by encoding and decoding the truth. Predictor: lost beyond that with the"
        " predicted latents, each replaced by the nearest latent of the truth. Decoding: lost"
        " beyond that by decoding the predicted latents as they are. Prediction: the last two"
        " together, for methods that cannot separate them.",
        "Absent classes are left out of the mean.",
    )
    title = "Losses of generative methods by part"
    return Table("attribution", title, caption, ("Class", *columns), tuple(rows))


def _losses(block: Block, label: str) -> dict[str, tuple[np.ndarray, tuple[str, ...]]]:
    """Return by part what is lost, float64 [1 + K], the mean first, and the cells behind it."""
    steps: list[tuple[str, Task]] = [("codec", "reconstruct")]
    if block.of(label, task="oracle_codes"):
        steps += [("predictor", "oracle_codes"), ("decoding", "predict")]
    else:
        steps.append(("prediction", "predict"))
    losses = {}
    before: np.ndarray = np.ones(1)
    for part, task in steps:
        iou = block.classes(label, task=task)
        loss = iou - before
        mean = np.nanmean(loss) if np.isfinite(loss).any() else np.nan
        keys = tuple(record.key for record in block.of(label, task=task))
        losses[part], before = (np.concatenate([[mean], loss]), keys), iou
    return losses
