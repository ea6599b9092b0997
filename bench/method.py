"""What a segmentation method makes available.

A method is a file ``methods/<name>.py``, or a package ``methods/<name>/`` whose
``config.py`` imports nothing slow and whose ``method.py`` holds the class; the file name
is the registry (``bench/discover.py``). Each defines ``Config`` (a frozen pydantic
model, which also lists the training stages), ``PRESETS`` (named configurations) and one
subclass of :class:`Method`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

from torch import Tensor, nn

from bench.schema import Batch, DataSpec, MethodConfig

C = TypeVar("C", bound=MethodConfig)


class Segmented(NamedTuple):
    """A batch of label maps whose segments are told apart."""

    label: Tensor  # int64 [B, H, W], as predicted
    instance: Tensor  # int64 [B, H, W]; pixels of one class and number are one segment
    score: Tensor  # float32 [B, H, W], confidence, by which instances are ranked


class Method(nn.Module, ABC, Generic[C]):
    """A method of semantic segmentation: its losses and predictions.

    Nothing here knows devices, optimisers, files or global seeds. All randomness
    comes from the ``seeds`` given, one int64 per image, through ``bench.seeding``.
    """

    def __init__(self, config: C, data: DataSpec) -> None:
        super().__init__()
        self.config = config
        self.data = data

    def forward(self, stage: str, batch: Batch) -> dict[str, Tensor]:
        """Return the weighted scalar losses of a training step; their sum is minimised."""
        raise TypeError(f"{type(self).__name__} has no losses for stage {stage!r}")

    @abstractmethod
    def predict(self, image: Tensor, seeds: Tensor) -> Tensor:
        """Return int64 labels [B, H, W] for float32 images [B, 3, H, W] in [0, 1].

        A pixel the method calls void is IGNORE_INDEX; it counts as a miss.
        """

    def fit(self, stage: str, batches: Iterable[Batch]) -> None:
        """Learn a stage in closed form from one pass over the training set."""
        raise TypeError(f"{type(self).__name__} has no closed form for stage {stage!r}")

    def scores(self, image: Tensor, seeds: Tensor) -> Tensor | None:
        """Return float32 class scores [B, K, H, W], or None where a method has none."""
        return None

    def segments(self, image: Tensor, seeds: Tensor) -> Segmented | None:
        """Predict labels and tell instances apart; None where a method does not.

        Arguments as of :meth:`predict`, and the same labels. The harness then takes connected
        components for instances.
        """
        return None

    def reconstruct(self, label: Tensor, seeds: Tensor) -> Tensor:
        """Return int64 labels [B, H, W] after encoding and decoding the truth.

        The ceiling of a generative method: what it would score with a perfect prior.
        """
        raise TypeError(f"{type(self).__name__} has no latent code to reconstruct from")
