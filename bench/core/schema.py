"""The nouns of the harness: what a suite, a cell and a record are.

Imports nothing of the project and nothing slow, so that a suite can be read and
refused within milliseconds. A *cell* is one number's worth of work; a *record* is
what a finished cell leaves behind.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from torch import Tensor

IGNORE_INDEX = 255
"""The label of a pixel that no score and no loss counts."""

Task = Literal["predict", "reconstruct", "oracle_codes", "label"]
"""What is scored. ``predict``: the method's prediction. ``reconstruct``: the truth after the
method's codec, which is its ceiling. ``oracle_codes``: the prediction with each latent vector
replaced by the nearest of the truth's. ``label``: the truth as methods are given it, which
shows what the protocol itself loses."""
LabelMapping = Literal["", "soft", "hard"]
"""How predictions in universal classes become labels of a test set (``bench.engine.mapping``)."""
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(gt=0)]


class Frozen(BaseModel):
    """Base of every value object: immutable, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Batch(NamedTuple):
    """What a training step sees."""

    image: Tensor  # float32 [B, 3, H, W] in [0, 1]
    label: Tensor  # int64 [B, H, W], classes or IGNORE_INDEX
    seeds: Tensor  # int64 [B], one per image and step: the root of every draw
    step: int = 0
    """The optimiser step that a training batch belongs to, from 0."""
    steps: int = 0
    """How many steps the stage has; 0 outside of training."""
    instance: Tensor | None = None  # int64 [B, H, W], 0 where there is none; if the data have any


class DataSpec(Frozen):
    """What a method may know of the data before it sees an image."""

    classes: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    """The dataset's own display colours, one RGB triple in 0..255 a class."""
    size: tuple[Positive, Positive]
    """Height and width of the images given to the method, in pixels."""

    @property
    def num_classes(self) -> int:
        """Number of classes, the ignored label left out."""
        return len(self.classes)

    @model_validator(mode="after")
    def _palette_matches(self) -> DataSpec:
        if len(self.palette) != len(self.classes):
            raise ValueError(f"{len(self.palette)} colours for {len(self.classes)} classes")
        return self


class Augment(Frozen):
    """Random changes of a training sample, drawn per image and step.

    Labels are resampled by nearest neighbour only.
    """

    flip: bool = True
    """Mirror left to right with probability one half."""
    scale: tuple[float, float] = (1.0, 1.0)
    """Range of the uniform random resize, before cropping to the input size."""
    colour: Fraction = 0.0
    """Strength of random brightness, contrast and saturation factors 1 +- colour."""


class ParameterGroup(Frozen):
    """Parameters that are optimised otherwise than the rest of their stage."""

    match: Annotated[tuple[str, ...], Field(min_length=1)]
    """Patterns of dotted parameter names within the method, as ``fnmatch`` has them."""
    lr_multiplier: Annotated[float, Field(ge=0)] = 1.0
    weight_decay: Annotated[float, Field(ge=0)] | None = None
    """In place of the stage's; absent: the stage's."""


class LayerDecay(Frozen):
    """Layer-wise decay of the learning rate (Clark et al., ELECTRA, arXiv:2003.10555)."""

    rate: Annotated[float, Field(gt=0, le=1)]
    """Factor per layer, counted from the last one down."""
    layers: Annotated[tuple[str, ...], Field(min_length=1)]
    """Patterns of parameter names, the first layer first; a parameter that matches none is
    taken with the layers after the last."""


class Stage(Frozen):
    """One training step of a method: which submodules learn, for how long, and how.

    All modules not named are frozen and in evaluation mode. ``steps=0`` marks a
    stage in closed form, for which the harness calls ``Method.fit``, or one whose weights
    come from a file.
    """

    name: str
    modules: tuple[str, ...]
    steps: Annotated[int, Field(ge=0)]
    batch_size: Positive = 8
    """Images of one optimiser step, over all processes and accumulated micro-steps."""
    accumulate: Positive = 1
    optimizer: Literal["adamw", "sgd"] = "adamw"
    momentum: Fraction = 0.9
    """Of SGD."""
    lr: Annotated[float, Field(gt=0)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    betas: tuple[float, float] = (0.9, 0.999)
    """Of AdamW."""
    decay_vectors: bool = False
    """Whether biases, norms and other vectors are decayed too."""
    no_decay: tuple[str, ...] = ()
    """Patterns of further parameters that are not decayed, such as position tables."""
    groups: tuple[ParameterGroup, ...] = ()
    """A parameter belongs to the first group that matches it."""
    layer_decay: LayerDecay | None = None
    sync_bn: bool = False
    """Whether batch norms share their statistics over processes."""
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    schedule: Literal["poly", "cosine", "constant"] = "poly"
    power: float = 1.0
    """Exponent of the poly schedule."""
    grad_clip: Annotated[float, Field(gt=0)] | None = 1.0
    """Largest allowed norm of all gradients together."""
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Decay of the weight average that is kept in place of the last weights."""
    augment: Augment = Augment()
    tasks: Annotated[tuple[Task, ...], Field(exclude=True)] = ("predict", "reconstruct")
    """What needs it; a suite with none of these tasks does not train it. Not part of its key."""


class MethodConfig(Frozen):
    """Base of a method's configuration: what can be planned without building the method."""

    version: ClassVar[int] = 0
    """Of the method; raised whenever its results would change, which golden outputs guard
    (``tests/golden``). 0: none are kept, and a digest of the method's source takes its place
    in every key (``bench.core.source``)."""
    tasks: ClassVar[tuple[Task, ...]] = ("predict",)
    """What the method can do: ``predict``; ``reconstruct`` if it has a codec between labels and
    latents, and so a ceiling; ``oracle_codes``. The class must define exactly these."""
    floor: ClassVar[bool] = False
    """Whether the method's score is the floor: it does not look at the image."""
    citation: ClassVar[str] = ""
    """BibTeX of the method's publications."""

    weights: Mapping[str, str] = {}
    """Per stage, a safetensors file that takes the place of its training."""
    initialise: Mapping[str, str] = {}
    """Per stage, a safetensors file that training starts from; tensors that it lacks keep
    their own initialisation."""

    @property
    def gives_probabilities(self) -> bool:
        """Whether ``Method.probabilities`` works; if not, predictions are mapped hard only."""
        return False

    def stages(self, data: DataSpec) -> tuple[Stage, ...]:
        """Return the training stages in order."""
        raise TypeError(f"{type(self).__module__}.{type(self).__name__} does not define stages")

    def perturbations(self) -> tuple[str, ...]:
        """Return which of ``bench.corruptions.latents`` the method's latents can suffer."""
        return ()

    def depends_on(self, stage: str) -> Mapping[str, Any]:
        """Return the settings that a stage's weights depend on, by name: all by default.

        A method that leaves out what only predictions depend on lets those predictions share
        one training. ``weights`` and ``initialise`` are left out
        in any case: their files are known by their content.
        """
        return self.model_dump(mode="json", exclude={"weights", "initialise"})


class Condition(Frozen):
    """A corruption and its severity; ``none`` at severity 0 is the clean image.

    Images are corrupted for ``predict``; for ``reconstruct`` it is a perturbation of latents.
    """

    corruption: str = "none"
    severity: Annotated[int, Field(ge=0)] = 0
    """Index from 1 into the corruption\'s own grid (``bench.corruptions.SEVERITIES``); 0: clean."""

    def __str__(self) -> str:
        return "clean" if self.corruption == "none" else f"{self.corruption} {self.severity}"


CLEAN = Condition()


class DataRef(Frozen):
    """One split of one dataset, as a suite names it."""

    dataset: str
    subset: str = ""
    """A domain or variant of the dataset, where it has several."""
    split: str
    """In a suite ``train`` under ``train_on`` and ``val`` under ``test_on``, if not given."""
    options: Mapping[str, Any] = {}
    """The dataset's own settings, checked against its ``Options``."""

    @property
    def key(self) -> str:
        """A name of the split with its options, for use in mappings."""
        return fingerprint(self)

    def __str__(self) -> str:
        return "/".join(part for part in (self.dataset, self.subset) if part)


class Slide(Frozen):
    """Sliding-window inference (Zhao et al., arXiv:1612.01105, and mmsegmentation)."""

    window: tuple[Positive, Positive]
    stride: tuple[Positive, Positive]
    average: Literal["scores", "votes"] = "scores"
    """What overlapping windows add up: scores where the method has them, or one vote a pixel."""


class Protocol(Frozen):
    """Everything that is between a file on disk and a score, the method apart."""

    resize: tuple[Positive, Positive] | None = None
    """Height and width every image is resized to (bilinear, antialiased); labels
    follow by nearest neighbour. Absent: images keep their own size."""
    short_side: Positive | None = None
    """Pixels that the shorter side of every image is resized to, in place of ``resize``; the
    longer one follows. 512 in GSS, one of 360, 720 and 1080 in MSeg."""
    crop: tuple[Positive, Positive] | None = None
    """Height and width of the random crops trained on; absent: ``resize``."""
    slide: Slide | None = None
    """Sliding windows instead of the whole image in one pass."""
    eval_at: str = "native"
    """Where label and prediction are compared: a file of ``bench.score.geometry``."""
    corrupt_at: Literal["input", "native"] = "input"
    """Whether an image is corrupted after (``input``) or before (``native``) the resize."""
    backend: Literal["fast", "reference", "torch"] = "fast"
    """Whose code corrupts images (``bench.corruptions.BACKENDS``)."""
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """Of training and prediction, through Accelerate's mixed precision."""
    micro_batch: Positive = 8
    """Images of every forward pass at evaluation, where all have one size; 1 where not."""
    channels_last: bool = False
    compile: bool = False
    """Whether models are compiled by ``torch.compile``."""
    batch_size: Positive = 8
    """Images the loader hands over at a time; never changes a result."""
    workers: Annotated[int, Field(ge=0)] = 0
    """Processes that load images; never changes a result."""
    segments: bool = False
    """Whether things are told apart and segments counted too, for PQ and instance AP."""
    metrics: tuple[str, ...] = ("mIoU", "mAcc", "aAcc")

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset({"batch_size", "workers", "metrics"})
    """Fields that change no stored count, and so no key."""

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of what a method is trained on, in pixels."""
        size = self.crop or self.resize
        assert size is not None, "the validator below requires one"
        return size

    def size_of(self, height: int, width: int) -> tuple[int, int]:
        """Return the height and width that an image of this size is resized to.

        A short side scales both and rounds half up, as mmcv's ``rescale_size`` does.
        """
        if self.resize is not None:
            return self.resize
        if self.short_side is None:
            return height, width
        factor = self.short_side / min(height, width)
        return int(height * factor + 0.5), int(width * factor + 0.5)

    @model_validator(mode="after")
    def _windows_meet(self) -> Protocol:
        if self.slide and any(
            s > w for s, w in zip(self.slide.stride, self.slide.window, strict=True)
        ):
            steps, windows = list(self.slide.stride), list(self.slide.window)
            raise ValueError(f"slide: stride {steps} above window {windows} leaves gaps")
        return self

    @model_validator(mode="after")
    def _segments_are_whole(self) -> Protocol:
        if self.segments and self.slide is not None:
            raise ValueError("segments of windows are not joined; leave slide or segments out")
        return self

    @model_validator(mode="after")
    def _has_input_size(self) -> Protocol:
        if self.resize is not None and self.short_side is not None:
            raise ValueError("resize and short_side are both given; one fixes the size")
        if self.crop is None and self.resize is None:
            raise ValueError("neither resize nor crop is given; one must fix the input size")
        return self


class Cell(Frozen):
    """One number's worth of work, all names resolved."""

    suite: str
    method: str
    """The adapter: the file name under ``methods``."""
    label: str
    preset: str
    config: Mapping[str, Any]
    """The method's resolved configuration, defaults included; files of weights, where it
    names some, by their SHA-256."""
    train_on: DataRef
    test_on: DataRef
    condition: Condition
    task: Task
    seed: int
    protocol: Protocol
    limit: Positive | None = None
    """Only the first images of the test split, when set; stamped on every result."""
    mapping: LabelMapping = ""
    """Of predictions in a universal label space to the test set's; empty where they share one."""
    sampling_seed: int = 0
    """Another set of a method's own draws at prediction, the training being the same."""

    def __str__(self) -> str:
        tested = f"{self.test_on} ({self.mapping})" if self.mapping else str(self.test_on)
        text = f"{self.label} | {tested} | {self.condition} | {self.task} | seed {self.seed}"
        return text + (f", sampling seed {self.sampling_seed}" if self.sampling_seed else "")


class Provenance(Frozen):
    """What a number depended on beside its configuration."""

    commit: str
    dirty: bool
    """The working tree had uncommitted changes or untracked files."""
    packages: Mapping[str, str]
    device: str
    threads: int
    processes: Positive = 1
    platform: str
    precision: str = "fp32"
    tf32: bool = False
    """Whether float32 matrix products or convolutions may use TensorFloat-32."""
    level: Literal["bitwise", "tolerance", "statistical"] = "bitwise"
    """How closely the same code on the same kind of device repeats the number."""


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
    train_seconds: float = 0.0
    evaluate_seconds: float = 0.0
    finished: str = ""
    """ISO 8601 time, UTC."""
    provenance: Provenance | None = None


def fingerprint(*parts: Any) -> str:
    """Hash any nest of models, mappings, sequences and scalars to 24 hex digits.

    Mappings are hashed in key order, so that the order of a YAML file changes
    nothing; floats by their shortest exact decimal form.
    """
    text = json.dumps(parts, sort_keys=True, default=_plain, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"cannot fingerprint a {type(value).__name__}: {value!r}")
