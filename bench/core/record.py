"""What a finished cell leaves behind: its record, with the facts that a report needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bench.core.schema import Cell, Frozen, Positive


class Provenance(Frozen):
    """What a number depended on beside its configuration."""

    commit: str
    dirty: bool
    """The working tree had uncommitted changes or untracked files."""
    packages: Mapping[str, str]
    device: str
    cuda: str = ""
    """Version of CUDA; empty where the device is not of its kind."""
    threads: int
    processes: Positive = 1
    platform: str
    precision: str = "fp32"
    tf32: bool = False
    """Whether float32 matrix products or convolutions may use TensorFloat-32."""
    level: Literal["bitwise", "tolerance", "statistical"] = "bitwise"
    """How closely the same code on the same kind of device repeats the number."""


class DataFacts(Frozen):
    """What a split was when its cell ran, beside its name."""

    title: str = ""
    """Of the dataset."""
    contents: str = ""
    """What the split is made of, where its name does not say."""
    generated: bool = False
    """Whether the images are drawn by code; no photographs."""
    published_images: int = 0
    """Images of the complete split as its authors published it; 0 where they did not."""


class CurvePoint(Frozen):
    """The point of a published curve that a condition repeats."""

    paper: str
    curve: str
    value: float
    """Of the condition, on the curve's axis."""
    clean: float
    """Where on the axis images are unchanged."""


class ConditionFacts(Frozen):
    """What a condition other than clean was when its cell ran."""

    family: str
    summary: str
    parameters: tuple[tuple[str, float], ...]
    """Name with unit, and value at the severity."""
    curve: CurvePoint | None = None


class ModelCost(Frozen):
    """The cost of predicting with a method alone, data and scoring left out."""

    parameters: int
    """Of all modules, those that prediction does not use included."""
    size: tuple[Positive, Positive]
    """Height and width of the images; of a window, where windows are predicted."""
    flops: int
    """Floating-point operations per image, a multiplication and an addition being two, as
    ``torch.utils.flop_counter`` counts them: matrix products, convolutions and attention."""
    latency: float
    """Seconds from one image to its labels, median of the repeats."""
    latency_spread: tuple[float, float]
    """Least and greatest of them."""
    repeats: Positive
    batch_size: Positive
    """Images at a time, of the next two fields."""
    throughput: float
    """Images per second, at the median."""
    peak_memory: int | None
    """Most bytes allocated on the accelerator at a time, weights included; None on a CPU, where
    PyTorch does not count them."""


class Record(Frozen):
    """What a finished cell leaves behind; its counts are in an array file beside it."""

    version: Literal[1] = 1
    key: str
    status: Literal["ok", "failed"]
    cell: Cell
    error: str = ""
    """One line, when the cell failed."""
    traceback: str = ""
    """Beside it."""
    image_ids: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    """Of each image: the sequence or city within which images are correlated."""
    classes: tuple[str, ...] = ()
    palette: tuple[tuple[int, int, int], ...] = ()
    unreachable: tuple[str, ...] = ()
    """Classes of the test set that no prediction in the trained classes can become."""
    unmapped: int = 0
    """How many of the trained classes have no class in the test set."""
    parameters: int = 0
    """Number of the method's parameters."""
    initialisation: str = "random"
    """What the weights behind the result started from: ``released`` if nothing was trained but
    files of all weights were given; else ``a file`` if a stage started from one; else
    ``imagenet-1k`` or ``imagenet-22k`` if a part of a network that was trained for it was
    pretrained so (``MethodConfig.pretraining``); else ``random``. Of predictions made elsewhere
    ``unknown``."""
    floor: bool = False
    """Whether the method's score is the floor (``MethodConfig.floor``)."""
    train_set: DataFacts = DataFacts()
    test_set: DataFacts = DataFacts()
    condition: ConditionFacts | None = None
    """None for clean images."""
    train_data: str = ""
    """Content fingerprint of the training split."""
    test_data: str = ""
    """Content fingerprint of the test split."""
    stages: tuple[str, ...] = ()
    """Keys of the training stages behind the result, in order."""
    weights: tuple[str, ...] = ()
    """SHA-256 of each stage's weights, taken when they were loaded."""
    files: Mapping[str, str] = {}
    """SHA-256 of the files beside the record, by their endings."""
    source: Mapping[str, str] = {}
    """Digests of the code that computed the cell: ``method`` and ``harness``."""
    micro_batch: int = 0
    """Images of each forward pass; less than the protocol's where memory was short."""
    corruption_version: int = 0
    """Of the corruptions' specification; 0 for clean images."""
    corruption_probe: str = ""
    """Hash of the corrupted probe image, which shows a drift of the libraries beneath."""
    measured: Mapping[str, float] = {}
    """What ``Method.measure`` found on the split; of clean reconstructions only."""
    cost: ModelCost | None = None
    """Of the method on the device of ``provenance``; with predictions of clean images only, and
    measured once for a training and a size."""
    train_seconds: float = 0.0
    evaluate_seconds: float = 0.0
    finished: str = ""
    """ISO 8601 time, UTC."""
    provenance: Provenance | None = None
