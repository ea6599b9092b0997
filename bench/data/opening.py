"""The splits that a suite names, opened: whole, or with what is missing of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from bench.core.errors import DatasetError, DatasetMissing
from bench.core.manifest import Need
from bench.core.schema import DataRef
from bench.data import datasets, preflight
from bench.data.dataset import Dataset, LabelSpace
from bench.data.portion import PartOfSplit


class OpenedSplit(NamedTuple):
    """A split as it was found: whole, or missing altogether."""

    dataset: Dataset
    space: LabelSpace | None
    """None if it is missing together with the list of its classes."""
    content: str
    """Content fingerprint; empty if it is missing."""
    needs: tuple[Need, ...] = ()


def open_splits(
    needed: Iterable[DataRef], optional: Iterable[DataRef], root: Path | None
) -> dict[str, OpenedSplit]:
    """Open splits and check that their files are there, if any of a dataset's are.

    Args:
        needed: splits whose files must be right where they are there.
        optional: splits that are left out, as if they were missing, where their files are wrong or
            preflight finds that a number from them would mean nothing.
        root: the folder of real datasets.

    Returns:
        What was opened, by the key of its reference.

    Raises:
        DatasetError: if data are there but not as they must be.
    """
    wholes: dict[str, OpenedSplit] = {}
    splits: dict[str, OpenedSplit] = {}
    for references, may_be_wrong in ((needed, False), (optional, True)):
        for reference in references:
            whole = reference.model_copy(update={"portion": None})
            if whole.key not in wholes:
                wholes[whole.key] = _open(whole, root, optional=may_be_wrong)
            if reference.key not in splits:
                splits[reference.key] = _portion(wholes[whole.key], reference)
    return splits


def _open(reference: DataRef, root: Path | None, *, optional: bool) -> OpenedSplit:
    dataset_class = datasets.load_dataset_class(reference.dataset)
    options = dataset_class.Options.model_validate(reference.options)
    dataset = dataset_class(reference.split, reference.subset, root, options)
    try:
        dataset.check()
        if optional and not dataset.is_drawn(options):
            preflight.require(dataset, say=lambda line: None)  # a run says what is suspicious
        return OpenedSplit(dataset, dataset.label_space, dataset.fingerprint())
    except DatasetMissing as error:
        remedies: Mapping[str, str] = error.remedies
    except DatasetError as error:
        if not optional:
            raise
        remedies = {str(reference): str(error)}
    needs = tuple(Need(what=name, remedy=remedy) for name, remedy in remedies.items())
    try:
        return OpenedSplit(dataset, dataset.label_space, "", needs)
    except DatasetError:  # its classes are in a file that is missing too
        return OpenedSplit(dataset, None, "", needs)


def _portion(opened: OpenedSplit, reference: DataRef) -> OpenedSplit:
    """Return the part of an opened split that a reference names."""
    if reference.portion is None or opened.needs:
        return opened
    part = PartOfSplit(opened.dataset, reference.portion)
    part.check()
    return opened._replace(dataset=part, content=part.fingerprint())
