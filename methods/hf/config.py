"""Settings of transformers' models: a checkpoint, or an architecture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from bench import DataSpec, MethodConfig, Stage, WeightsError
from methods.hf.checkpoint import Checkpoint, Missing, check_family, class_order, locate
from methods.hf.sizes import ARCHITECTURES, TINY_MASK2FORMER, TINY_SEGFORMER, tiny_stage


class Config(MethodConfig):
    """A checkpoint that is evaluated as it is or trained further, or an untrained model."""

    family: ClassVar[Literal["discriminative"]] = "discriminative"
    citation: ClassVar[str] = """\
@inproceedings{wolf2020transformers,
  title = {Transformers: State-of-the-Art Natural Language Processing},
  author = {Wolf, Thomas and others},
  booktitle = {Conference on Empirical Methods in Natural Language Processing:
    System Demonstrations},
  year = {2020}
}"""

    model: str = ""
    """A name on the Hub or a folder in its format; empty where ``architecture`` is given."""
    revision: str = ""
    """Of the Hub's repository; its main branch by default."""
    architecture: Mapping[str, Any] = {}
    """In place of a checkpoint: fields of transformers' configuration, ``model_type`` and what
    differs from its defaults. The weights are drawn."""
    classes: Literal["in_order"] | Mapping[str, str] = {}
    """The data's name for classes that the checkpoint calls otherwise; or ``in_order``, if its
    outputs are the data's classes whatever they are called."""
    resize: Literal["processor", "protocol"] = "processor"
    """Who resizes images that are predicted: the checkpoint's processor does, and scores are
    resized back, as in the library's own pipeline; or nobody after the protocol. Some released
    files have their library's default size in place of the one that was trained at: NVIDIA's
    SegFormers for Cityscapes are trained at 1024 x 1024 and resize to 512 x 512."""
    new_head: bool = False
    """Draw a head for the data's classes anew, as for an encoder alone; then ``train``."""
    train: Stage | None = None
    """How it is trained further; absent: not at all. A stage of module ``network``."""

    @property
    def gives_probabilities(self) -> bool:
        return True

    @property
    def is_released(self) -> bool:
        return bool(self.model) and self.train is None

    def pretraining(self, stage: str) -> str:
        """Tell an encoder's classes by their number: those of ImageNet-1k, or of all of it."""
        checkpoint = self.checkpoint
        if checkpoint is None:
            return "random"
        if checkpoint.segments:
            return "released"
        return "imagenet-1k" if len(checkpoint.classes) <= 1000 else "imagenet-22k"

    def stages(self, data: DataSpec) -> tuple[Stage, ...]:
        return (self.train,) if self.train else ()

    @property
    def located(self) -> Path | Missing | None:
        """The checkpoint's folder, what is missing, or None where there is an architecture."""
        return locate(self.model, self.revision) if self.model else None

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The checkpoint's files; None where there is an architecture.

        Raises:
            WeightsError: if they are not here or not whole.
        """
        if isinstance(self.located, Missing):
            raise WeightsError(self.located.remedy)
        return Checkpoint(self.located) if self.located else None

    def needs(self, folder: str = "") -> tuple[tuple[str, str], ...]:
        located = self.located
        return ((located.what, located.remedy),) if isinstance(located, Missing) else ()

    def files(self) -> Mapping[str, tuple[Path, ...]]:
        return {"model": self.checkpoint.files} if self.checkpoint else {}

    def check(self, data: DataSpec) -> None:
        self.order(data)

    def order(self, data: DataSpec) -> tuple[int, ...]:
        """Return the output that is each class of the data.

        Raises:
            WeightsError: if the checkpoint does not fit the data or the other settings.
        """
        if bool(self.model) == bool(self.architecture):
            raise WeightsError("hf: give either model, a Hub name or a folder, or architecture")
        if (self.new_head or self.architecture) and self.train is None:
            raise WeightsError("hf: a head that is drawn needs train: a stage, or it is noise")
        checkpoint = self.checkpoint
        family = (
            checkpoint.family if checkpoint else check_family(self.architecture, "architecture")
        )
        if family == "oneformer" and self.train is not None:
            raise WeightsError(
                "hf: OneFormer is evaluated only; its training contrasts images with texts of "
                "their labels, which a batch does not have"
            )
        if checkpoint is None and self.resize == "processor":
            raise WeightsError("hf: an architecture has no processor; set resize: protocol")
        if checkpoint is None or self.new_head:
            return tuple(range(data.num_classes))
        if not checkpoint.segments:
            raise WeightsError(
                f"{checkpoint.folder}: an encoder without a head for segmentation; set "
                "new_head: true and train"
            )
        return class_order(checkpoint.classes, data.classes, self.classes, str(checkpoint.folder))


PRESETS = {
    # Named first, and so what a suite has that names a model and no preset.
    "checkpoint": Config(),
    # About two minutes each on two CPU cores, at 96 x 192.
    "segformer_tiny": Config(
        architecture=TINY_SEGFORMER, resize="protocol", train=tiny_stage(500, 2e-3)
    ),
    "mask2former_tiny": Config(
        architecture=TINY_MASK2FORMER, resize="protocol", train=tiny_stage(400, 1e-3)
    ),
    **{
        name: Config(architecture=size.architecture, resize="protocol", train=size.stage)
        for name, size in ARCHITECTURES.items()
    },
}
