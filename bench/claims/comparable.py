"""Whether a finished cell is what a publication measured: size, start, data, images, protocol.

What differs can neither reproduce nor refute a number. So no small stand-in ever judges one,
whatever its dataset is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bench.core.manifest import PublishedTraining
from bench.core.record import Record
from bench.core.registry import merge, resolve_config
from bench.core.schema import Cell

RELABELLED = "mseg_relabeled"
"""Dataset of the parts of a mixture whose labels are MSeg's."""
_WHY_MASKS = "MSeg's masks; in GSS's table 8 relabelling is worth 1.6 points of harmonic mean"
_FILES = {"weights", "initialise", "pretrained", "backbone_weights"}
"""Settings that name files or hold their digests: a record's initialisation says what they are."""
_LISTED = 4
"""Differing settings that are told one by one."""


class Difference(NamedTuple):
    """A field in which a cell is not as a publication has it."""

    name: str
    wanted: Any
    found: Any


def flatten(record: Record) -> dict[str, Any]:
    """Return a cell's fields under dotted names; a split left unsaid is named."""
    found: dict[str, Any] = {}
    _walk("", record.cell.model_dump(mode="json"), found)
    for where, default in (("train_on", "train"), ("test_on", "val")):
        found[f"{where}.split"] = found[f"{where}.split"] or default
    return found


def _walk(prefix: str, value: Any, found: dict[str, Any]) -> None:
    found[prefix] = value
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _walk(f"{prefix}.{name}" if prefix else name, inner, found)


def differences(fields: Mapping[str, Any], protocol: Mapping[str, Any]) -> tuple[Difference, ...]:
    """List where a flat cell is not as a publication's protocol has it."""
    return tuple(
        Difference(name, value, fields.get(name))
        for name, value in protocol.items()
        if fields.get(name) != value
    )


def training_differences(
    record: Record, wanted: PublishedTraining, chosen: Mapping[str, Any]
) -> tuple[Difference, ...]:
    """List where a cell's training and test images are not as published.

    Args:
        record: of the finished cell.
        wanted: what was published.
        chosen: fields of a cell, dotted, by which the cell was picked; those of its
            configuration hold beside ``wanted.config``.
    """
    cell = record.cell
    found = [
        Difference("training, in what was not published", wanted.unpublished, ""),
        Difference("preset", wanted.preset, cell.preset),
        Difference("training.initialisation", wanted.initialisation, record.initialisation),
        Difference("train_on.dataset", wanted.dataset, cell.train_on.dataset),
        Difference(f"training.masks ({_WHY_MASKS})", wanted.masks, _masks(cell)),
        *_settings(cell, wanted, chosen),
        *_images(record),
    ]
    return tuple(each for each in found if each.wanted != each.found)


def _masks(cell: Cell) -> str:
    """Say whose labels were trained on: a mixture's parts must all be relabelled."""
    parts = cell.train_on.options.get("parts", ())
    labelled_by = {part.get("dataset") for part in parts}
    return "relabelled" if labelled_by == {RELABELLED} else "original"


def _settings(
    cell: Cell, wanted: PublishedTraining, chosen: Mapping[str, Any]
) -> Iterator[Difference]:
    """Compare the resolved configuration with that of the published size."""
    if cell.preset != wanted.preset:
        return  # said already, and everything else differs with it
    given = wanted.config.get("weights", {})
    for stage in given:
        there = "weights" in cell.config and stage in cell.config["weights"]
        yield Difference(f"weights of {stage!r}", "a file", "a file" if there else "trained here")
    picked = {name: value for name, value in chosen.items() if name.startswith("config.")}
    config = merge(_nested(picked), {k: v for k, v in wanted.config.items() if k not in _FILES})
    resolved = resolve_config(cell.method, wanted.preset, config)
    published = resolved.model_dump(mode="json", exclude=_FILES)
    # A record has digests of files beside its method's settings.
    digests = {n for n, v in cell.config.items() if n not in published and _is_digest(v)}
    ours = {n: v for n, v in cell.config.items() if n not in _FILES | digests}
    unlike = [
        Difference(f"config.{name}", value, here)
        for name, value, here in _leaves(published, ours)
        if value != here and not (value and isinstance(value, str) and _is_digest(here))
    ]
    yield from unlike[:_LISTED]
    if more := unlike[_LISTED:]:
        yield Difference(f"{len(more)} further settings", "as published", "others")


def _is_digest(value: Any) -> bool:
    """Whether a digest is where a setting names a file; its record's start says what is in it."""
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{24}", value) is not None


def _nested(dotted: Mapping[str, Any]) -> dict[str, Any]:
    """Turn ``{config.head.depth: 2}`` into ``{head: {depth: 2}}``."""
    found: dict[str, Any] = {}
    for name, value in dotted.items():
        for part in reversed(name.split(".")[1:]):
            value = {part: value}
        found = merge(found, value)
    return found


def _leaves(
    published: Mapping[str, Any], ours: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    for name in dict.fromkeys((*published, *ours)):
        value, here = published.get(name), ours.get(name)
        if isinstance(value, Mapping) and isinstance(here, Mapping):
            yield from _leaves(value, here, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value, here


def _images(record: Record) -> Iterator[Difference]:
    """Compare the number of test images with that of the set as it was published."""
    if images := record.test_set.published_images:
        yield Difference("test images", images, len(record.image_ids))
