"""Two folders of results cell by cell: what differs, and whether the numbers do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from bench.core.record import Record
from bench.report.tables.table import Entry, Table, number
from bench.score.counts import Counts
from bench.score.metrics import METRICS
from bench.score.stats import Estimate, score_cells
from bench.store.folders import SuiteFolder

_SAME_CELL = ("label", "train_on", "test_on", "condition", "task", "seed", "sampling_seed", "curve")
_MADE_OF = ("train_data", "test_data", "weights", "corruption_version", "corruption_probe")
_OTHER_NUMBER = ("counts: ", "status: ")
"""How a field begins without which a cell's number is the same."""
_SHORT = 48
"""Letters of a value that are printed; configurations are long."""


class CellPair(NamedTuple):
    """One cell in both folders."""

    name: str
    first: Record
    second: Record
    difference: Estimate | None
    """Second minus first, paired; None if one failed or other images were scored."""
    fields: tuple[str, ...]
    """What differs in protocol, provenance and counts, such as ``seed: 0 -> 1``."""


class StoreComparison(NamedTuple):
    """All cells of two folders."""

    metric: str
    """The primary one of the first folder."""
    pairs: tuple[CellPair, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether both hold the same cells, and nothing of them differs."""
        differing = any(pair.fields for pair in self.pairs)
        return not (self.only_first or self.only_second or differing)


def compare(first: SuiteFolder, second: SuiteFolder) -> StoreComparison:
    """Compare the latest runs of two folders.

    A cell is the same in both if method's label, training and test set, condition, task and
    seeds are; all else that a number depends on is compared.

    Raises:
        StoreError: if a folder holds no run.
    """
    left, right = ({_identity(r): r for r in folder.records()} for folder in (first, second))
    metric = first.manifest().primary
    pairs = (
        _pair(metric, left[same], right[same], (first, second)) for same in left if same in right
    )
    return StoreComparison(
        metric,
        tuple(pairs),
        tuple(str(left[same].cell) for same in left if same not in right),
        tuple(str(right[same].cell) for same in right if same not in left),
    )


def _identity(record: Record) -> str:
    return str([getattr(record.cell, name) for name in _SAME_CELL])


def _pair(metric: str, a: Record, b: Record, folders: tuple[SuiteFolder, SuiteFolder]) -> CellPair:
    name, fields = str(a.cell), tuple(_differing(a, b))
    if not (a.status == b.status == "ok" and a.image_ids == b.image_ids):
        return CellPair(name, a, b, None, fields)
    counts = [folder.counts(r.key) for folder, r in zip(folders, (a, b), strict=True)]
    if not _equal(*counts):
        fields = (*fields, "counts: of the same images")
    return CellPair(name, a, b, _difference(metric, a, b, counts), fields)


def _equal(first: Counts, second: Counts) -> bool:
    """Whether two counts are the same to the last pixel, in all that both have."""
    both = zip(first, second, strict=True)
    return all(a is None or b is None or np.array_equal(a, b) for a, b in both)


def _difference(metric: str, a: Record, b: Record, counts: list[Counts]) -> Estimate:
    """Return second minus first, paired."""
    before, after = score_cells(METRICS[metric], counts, (a.key, b.key), a.clusters)
    return after - before


def _differing(a: Record, b: Record) -> Iterator[str]:
    """Yield what differs in protocol and provenance, such as ``seed: 0 -> 1``."""
    before, after = _facts(a), _facts(b)
    for name in dict.fromkeys((*before, *after)):
        if name not in before:
            yield f"{name}: none -> {_short(after[name])}"
        elif before[name] != after.get(name):
            yield f"{name}: {_short(before[name])} -> {_short(after.get(name))}"


def _facts(record: Record) -> dict[str, Any]:
    """Return, flat, what a number depends on beside its cell's identity."""
    cell = record.cell.model_dump(mode="json", exclude={"suite", *_SAME_CELL})
    made = record.provenance.model_dump(mode="json") if record.provenance else {}
    settings = dict(_flat({**cell, **made}))
    return {
        **settings,
        **{name: getattr(record, name) for name in _MADE_OF},
        "status": record.status,
    }


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 3]}..."


def table(comparison: StoreComparison) -> Table:
    """Every common cell that differs, with its difference; which fields differ is numbered.

    No p values: whether two trainings of one method differ is not a question about cells.
    """
    numbers = {field: str(index) for index, field in enumerate(_fields(comparison), 1)}
    rows = []
    for pair in comparison.pairs:
        if not pair.fields:
            continue
        both_done = pair.first.status == pair.second.status == "ok"
        missing = "other images" if both_done else "failed"
        rows.append(
            (
                Entry(pair.name),
                number(pair.difference, "points", missing=missing),
                Entry(", ".join(numbers[field] for field in pair.fields) or "nothing"),
            )
        )
    metric = comparison.metric
    caption = f"{metric} ({METRICS[metric].absent}), second minus first, in percentage points;"
    caption += " brackets: 95% intervals over the images, paired."
    names = ("Cell", f"{metric} difference", "Differs in")
    return Table("compare", "Cells that differ", caption, names, tuple(rows))


def _fields(comparison: StoreComparison) -> Counter[str]:
    """Return every differing field once, with the number of cells it differs in."""
    return Counter(field for pair in comparison.pairs for field in pair.fields)


def summary(comparison: StoreComparison) -> str:
    """Say in a line how many cells are in both, and how many of them have another number."""
    pairs = comparison.pairs
    other = sum(any(field.startswith(_OTHER_NUMBER) for field in p.fields) for p in pairs)
    largest = max((abs(p.difference.value) for p in pairs if p.difference), default=0.0)
    text = f"{len(pairs)} cells in both: {len(pairs) - other} with the same number, {other} with"
    text += f" another (largest difference of {comparison.metric}: {100 * largest:.1f} points);"
    text += f" {len(comparison.only_first)} only in the first, {len(comparison.only_second)} only"
    return text + " in the second."


def as_text(comparison: StoreComparison) -> str:
    """Write a comparison for the terminal: a summary, then in Markdown what differs."""
    lines = [summary(comparison), ""]
    if any(pair.fields for pair in comparison.pairs):
        lines.append(table(comparison).markdown())
    fields = _fields(comparison)
    if fields:
        lines += ["Differs in:", ""]
        lines += [
            f"{index}. {name} ({n} cells)" for index, (name, n) in enumerate(fields.items(), 1)
        ]
        lines.append("")
    for which, cells in (("first", comparison.only_first), ("second", comparison.only_second)):
        if cells:
            lines += [f"Only in the {which}:", "", *(f"- {cell}" for cell in cells), ""]
    return "\n".join(lines).rstrip()
