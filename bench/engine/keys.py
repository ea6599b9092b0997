"""What stages and cells are known by: a hash of all that can change a number, and no more.

In: configuration, data, seeds, precision, the number of processes where it changes training,
and the versions of the method, the training loop, evaluation and corruptions. Out: names of
suites, labels and presets, metrics, and how images are loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from bench import corruptions
from bench.core.config import MethodConfig
from bench.core.schema import (
    CLEAN,
    Cell,
    DataSpec,
    Protocol,
    as_json,
    fingerprint,
    fingerprint_of_json,
)
from bench.core.source import method_digest
from bench.core.stage import Stage
from bench.corruptions import latents

TRAINING_VERSION = 1
"""Of the training loop; raised whenever the weights it leaves would change."""
EVALUATION_VERSION = 1
"""Of inference, mapping and counting; raised whenever counts would change."""


def method_identity(adapter: str, config: MethodConfig) -> str:
    """Return a method's version, or the digest of its source if it has none."""
    if config.version:
        return f"version {config.version}"
    return f"source {method_digest(adapter)}"


def first_key(
    adapter: str,
    config: MethodConfig,
    data: DataSpec,
    train_data: str,
    protocol: Protocol,
    seed: int,
) -> str:
    """Return what the key of a training's first stage begins with.

    Args:
        adapter: the method's name.
        config: its configuration.
        data: what the method knows of the data.
        train_data: content fingerprint of the training split.
        protocol: of which resizing and precision change training.
        seed: of the training.
    """
    size = protocol.resize or protocol.short_side
    loop = (TRAINING_VERSION, protocol.precision, protocol.compile, protocol.channels_last)
    identity = method_identity(adapter, config)
    return fingerprint("training", adapter, identity, data, train_data, size, loop, seed)


def stage_key(
    previous: str,
    stage: Stage,
    config: MethodConfig,
    content: Mapping[str, str],
    given: str,
    start: str,
    processes: int,
) -> str:
    """Return the key of a training stage.

    Args:
        previous: key of the stage before it, or :func:`first_key`.
        stage: its settings.
        config: of which the stage says what it depends on.
        content: by the field of it that names files, the digest of what is in them.
        given: SHA-256 of the weights that replace its training, or empty.
        start: SHA-256 of the weights that its training starts from, or empty.
        processes: that train it together. Their number divides each step's images and so the
            statistics of norms; a stage without steps does not know it.
    """
    shared = processes if stage.steps and processes > 1 else 1
    relevant = dict(config.depends_on(stage.name))
    relevant |= {field: digest for field, digest in content.items() if field in relevant}
    return fingerprint("stage", previous, stage, relevant, given, start, shared)


def model_part(
    method: str, identity: str, config: Mapping[str, Any], stages: tuple[str, ...]
) -> str:
    """Return what the keys of all cells of a training have in common, for :func:`cell_key`.

    Args:
        method: name of the method.
        identity: of the method.
        config: as of ``Cell.config``.
        stages: keys of its training, which hold what was trained on.
    """
    return as_json((method, identity, config, stages))


def cell_key(cell: Cell, model: str, test_data: str) -> str:
    """Return the key of a cell.

    Args:
        cell: of which the suite's, the label's and the preset's names are left out.
        model: what :func:`model_part` says of its method and training.
        test_data: content fingerprint of the test split.
    """
    where = (cell.test_on, test_data, cell.limit, cell.condition)
    what = (cell.task, cell.seed, cell.sampling_seed, cell.mapping)
    versions = (EVALUATION_VERSION, condition_version(cell))
    parts = map(as_json, ("cell", versions)), map(as_json, (where, what))
    return fingerprint_of_json(*parts[0], model, *parts[1], _protocol_part(cell.protocol))


@cache
def _protocol_part(protocol: Protocol) -> str:
    return as_json(protocol.model_dump(mode="json", exclude=set(Protocol.WITHOUT_EFFECT)))


def condition_version(cell: Cell) -> int:
    """Return the version of what made a cell's condition; 0 for clean."""
    if cell.condition == CLEAN:
        return 0
    return corruptions.VERSION if cell.task == "predict" else latents.VERSION


def condition_probe(cell: Cell) -> str:
    """Return the hash of a probe image under a cell's corruption; empty if images stay clean."""
    corruption, severity = cell.condition.corruption, cell.condition.severity
    if cell.condition == CLEAN or cell.task == "reconstruct":
        return ""
    return corruptions.probe_hash(corruption, severity, cell.protocol.backend)
