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

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

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
"""How predictions in universal classes become labels of a test set."""
Family = Literal["generative", "discriminative"]
"""Whether a method draws its label map from a learned distribution over latents or codes, or
classifies pixels."""
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
    domain: Tensor | None = None  # int64 [B], in training: which of mixed data sets an image is of


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


class Portion(Frozen):
    """A part of a split: what is left to train on, or the images held out of training.

    Which images are held out is the data set's to say (``Dataset.held_out``).
    """

    held_out: Annotated[float, Field(gt=0, lt=1)]
    """Share of the split's images that is held out."""
    side: Literal["kept", "held_out"]

    def __str__(self) -> str:
        return f"{'' if self.side == 'held_out' else 'without '}the {self.held_out:.0%} held out"


def is_none(value: object) -> bool:
    """Whether a field is left out where a model is written, and so is in no key."""
    return value is None


class DataRef(Frozen):
    """One split of one dataset, as a suite names it."""

    dataset: str
    subset: str = ""
    """A domain or variant of the dataset, where it has several."""
    split: str
    """In a suite ``train`` under ``train_on`` and ``val`` under ``test_on``, if not given."""
    options: Mapping[str, Any] = {}
    """The dataset's own settings, checked against its ``Options``."""
    portion: Annotated[Portion | None, Field(exclude_if=is_none)] = None
    """A part of the split; absent, and then in no key: all of it."""

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

    @field_validator("stride")
    @classmethod
    def _leaves_no_gap(cls, stride: tuple[int, int], info: ValidationInfo) -> tuple[int, int]:
        window = info.data.get("window", stride)
        if stride[0] > window[0] or stride[1] > window[1]:
            raise ValueError(f"above the window {window}: pixels between windows get no class")
        return stride


class Protocol(Frozen):
    """Everything that is between a file on disk and a score, the method apart."""

    resize: tuple[Positive, Positive] | None = None
    """Height and width every image is resized to (bilinear, antialiased); labels
    follow by nearest neighbour. Absent: images keep their own size."""
    short_side: Positive | None = None
    """Pixels that the shorter side of every image is resized to, in place of ``resize``; the
    longer one follows. 512 in GSS, one of 360, 720 and 1080 in MSeg."""
    crop: Annotated[tuple[Positive, Positive] | None, Field(validate_default=True)] = None
    """Height and width of the random crops trained on, at most ``resize``; absent: ``resize``."""
    slide: Slide | None = None
    """Sliding windows instead of the whole image in one pass."""
    eval_at: str = "native"
    """Where label and prediction are compared: a file of ``bench.score.geometry``."""
    corrupt_at: Literal["input", "native"] = "input"
    """Whether an image is corrupted after (``input``) or before (``native``) the resize."""
    backend: Literal["fast", "reference", "torch"] = "fast"
    """Whose code corrupts images (``bench.corruptions.BACKENDS``). With ``torch`` an accelerator
    corrupts whole micro-batches where it can, at ``corrupt_at: input``."""
    reference_height: Annotated[Positive | None, Field(exclude_if=is_none)] = None
    """Height in pixels of the images that corruptions' widths in pixels are meant at; they are
    scaled with the image's height (``bench.corruptions.corrupt``). Absent, and then in no key:
    widths as published, whatever the image's size."""
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """Of training and prediction, through Accelerate's mixed precision."""
    micro_batch: Positive = 8
    """Images of every forward pass at evaluation, where all have one size; 1 where not."""
    channels_last: bool = False
    """Whether models keep channels last in memory, which tensor cores prefer."""
    compile: bool = False
    """Whether models are compiled by ``torch.compile``."""
    segments: bool = False
    """Whether things are told apart and segments counted too, for PQ and instance AP."""
    metrics: Annotated[tuple[str, ...], Field(min_length=1)] = ("mIoU", "mAcc", "aAcc")
    """The first one is the primary metric."""

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset({"metrics"})
    """Fields that change no stored count, and so no key."""

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of what a method is trained on, in pixels."""
        size = self.crop or self.resize
        assert size is not None, "the validators below require one"
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

    # Validators of fields, not of the whole, so that each fault is found whatever else is wrong
    # and is reported at its own key.

    @field_validator("short_side")
    @classmethod
    def _one_size(cls, short_side: int | None, info: ValidationInfo) -> int | None:
        if short_side is not None and info.data.get("resize") is not None:
            raise ValueError("resize and short_side are both given; one fixes the size")
        return short_side

    @field_validator("crop")
    @classmethod
    def _within_resize(
        cls, crop: tuple[int, int] | None, info: ValidationInfo
    ) -> tuple[int, int] | None:
        resize = info.data.get("resize")
        if crop is None and "resize" in info.data and resize is None:
            raise ValueError("neither resize nor crop is given; one must fix the input size")
        if crop and resize and (crop[0] > resize[0] or crop[1] > resize[1]):
            raise ValueError(f"above resize {resize}: a crop is cut out of the resized image")
        return crop

    @field_validator("reference_height")
    @classmethod
    def _widths_can_be_scaled(cls, height: int | None, info: ValidationInfo) -> int | None:
        if height is not None and info.data.get("backend", "fast") != "fast":
            raise ValueError("only the backend 'fast' scales widths; leave backend out")
        return height

    @field_validator("segments")
    @classmethod
    def _segments_are_whole(cls, segments: bool, info: ValidationInfo) -> bool:
        if segments and info.data.get("slide") is not None:
            raise ValueError("segments of windows are not joined; leave slide or segments out")
        return segments


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
    curve: Annotated[Fraction | None, Field(exclude_if=is_none)] = None
    """Of a point of a learning curve, the share of the budget that its training had. Such cells
    are in no table but that of the curves."""

    @field_validator("protocol", mode="before")
    @classmethod
    def _without_the_loader(cls, protocol: Any) -> Any:
        """Drop what a protocol said of loading in records of before."""
        if not isinstance(protocol, Mapping):
            return protocol
        return {name: v for name, v in protocol.items() if name not in ("batch_size", "workers")}

    def __str__(self) -> str:
        tested = f"{self.test_on} ({self.mapping})" if self.mapping else str(self.test_on)
        text = f"{self.label} | {tested} | {self.condition} | {self.task} | seed {self.seed}"
        text += f", sampling seed {self.sampling_seed}" if self.sampling_seed else ""
        return text + (f", {self.curve:.0%} of the budget" if self.curve is not None else "")


def fingerprint(*parts: Any) -> str:
    """Hash any nest of models, mappings, sequences and scalars to 24 hex digits.

    Mappings are hashed in key order, so that the order of a YAML file changes
    nothing; floats by their shortest exact decimal form.
    """
    return fingerprint_of_json(*map(as_json, parts))


def as_json(part: Any) -> str:
    """Write what :func:`fingerprint` hashes of a part; for parts that are hashed many times."""
    return _ENCODER.encode(part)


def fingerprint_of_json(*parts: str) -> str:
    """Hash parts that :func:`as_json` wrote, to what :func:`fingerprint` makes of them."""
    return hashlib.sha256(f"[{','.join(parts)}]".encode()).hexdigest()[:24]


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"cannot fingerprint a {type(value).__name__}: {value!r}")


_ENCODER = json.JSONEncoder(sort_keys=True, default=_plain, separators=(",", ":"))
