"""What a segmentation method makes available.

A method is a file ``methods/<name>.py``, or a package ``methods/<name>/`` whose
``config.py`` imports nothing slow and whose ``method.py`` holds the class; the file name
is the registry (``bench/core/registry.py``). Each defines ``Config`` (a frozen pydantic
model, which also lists the training stages), ``PRESETS`` (named configurations) and one
subclass of :class:`Method`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

from torch import Tensor, nn

from bench.core.config import MethodConfig
from bench.core.schema import Batch, DataSpec

C = TypeVar("C", bound=MethodConfig)


class Segmented(NamedTuple):
    """A batch of label maps whose segments are told apart."""

    label: Tensor  # int64 [B, H, W], classes of the segments, or IGNORE_INDEX
    instance: Tensor  # int64 [B, H, W]; pixels of one class and number are one segment
    score: Tensor  # float32 [B, H, W], confidence, by which instances are ranked


class Labelled(NamedTuple):
    """A batch of predicted label maps."""

    label: Tensor  # int64 [B, H, W], classes or IGNORE_INDEX
    confidence: Tensor | None  # float32 [B, H, W], probability of the label, where there is one


class Method(nn.Module, Generic[C]):
    """A method of semantic segmentation: its losses and predictions.

    Nothing here knows devices, optimisers, files or global seeds. All randomness
    comes from the ``seeds`` given, one int64 per image, through ``bench.core.seeding``.
    """

    def __init__(self, config: C, data: DataSpec) -> None:
        super().__init__()
        self.config = config
        self.data = data

    def forward(self, stage: str, batch: Batch) -> dict[str, Tensor]:
        """Return the weighted scalar losses of a training step; their sum is minimised."""
        raise TypeError(f"{type(self).__name__} has no losses for stage {stage!r}")

    def predict(self, image: Tensor, seeds: Tensor) -> Tensor:
        """Return int64 labels [B, H, W] for float32 images [B, 3, H, W] in [0, 1].

        By default the classes of the highest :meth:`logits`; of equal ones the first. A pixel
        the method calls void is IGNORE_INDEX; it counts as a miss.
        """
        scores = self.logits(image, seeds)
        if scores is None:
            raise TypeError(f"{type(self).__name__} defines neither predict nor logits")
        return scores.argmax(dim=1)

    def predict_with_confidence(self, image: Tensor, seeds: Tensor) -> Labelled:
        """Return the labels of :meth:`predict`, and the probability of each from the same pass.

        There is no confidence where the configuration gives no probabilities; nor where a
        class has a ``predict`` of its own and does not define this too, as it would take a
        second pass.
        """
        usual = getattr(self.predict, "__func__", None) is Method.predict
        scores = self.logits(image, seeds) if self.config.gives_probabilities and usual else None
        if scores is None:
            return Labelled(self.predict(image, seeds), None)
        return Labelled(scores.argmax(dim=1), self.normalise(scores).amax(dim=1))

    def for_images(self, folder: str, ids: Sequence[str]) -> Method[C]:
        """Return what predicts these images: the method itself, unless it looks predictions up.

        Args:
            folder: of the images, as of ``bench.core.schema.Inputs``.
            ids: of the batch that is predicted next.
        """
        return self

    def fit(self, stage: str, batches: Iterable[Batch]) -> None:
        """Learn a stage in closed form from one pass over the training set."""
        raise TypeError(f"{type(self).__name__} has no closed form for stage {stage!r}")

    def logits(self, image: Tensor, seeds: Tensor) -> Tensor | None:
        """Return float32 class scores [B, K, H, W], or None where a method has none."""
        return None

    def segments(self, image: Tensor, seeds: Tensor) -> Segmented | None:
        """Predict labels and tell instances apart; None where a method does not.

        Arguments as of :meth:`predict`. Labels may differ from its, as a panoptic prediction
        leaves doubtful pixels out; segments are counted by these, pixels by those. Without
        segments, the harness takes connected components for instances.
        """
        return None

    def probabilities(self, image: Tensor, seeds: Tensor) -> Tensor:
        """Return class probabilities, float32 [B, K, H, W] with a sum of 1 over the classes.

        Called only where ``Config.gives_probabilities``.
        """
        scores = self.logits(image, seeds)
        if scores is None:
            raise TypeError(f"{type(self).__name__} has no scores to make probabilities of")
        return self.normalise(scores)

    def normalise(self, scores: Tensor) -> Tensor:
        """Turn scores into probabilities, both float32 [B, K, H, W]: their softmax.

        A method whose scores are no logits has its own.
        """
        return scores.softmax(dim=1)

    def reconstruct(self, label: Tensor, seeds: Tensor) -> Tensor:
        """Return int64 labels [B, H, W] after encoding and decoding the truth.

        The ceiling of a generative method: what it would score with a perfect prior.
        """
        raise TypeError(f"{type(self).__name__} has no latent code to reconstruct from")

    def reconstruct_with(self, image: Tensor, label: Tensor, seeds: Tensor) -> Tensor:
        """Do the same beside the image, which some decoders read; by default it is not read.

        Args:
            image: float32 [B, 3, H, W] in [0, 1], never corrupted.
            label: int64 [B, H, W].
            seeds: int64 [B].
        """
        return self.reconstruct(label, seeds)

    def reconstruct_perturbed(
        self, label: Tensor, seeds: Tensor, perturbation: str, strength: float
    ) -> Tensor:
        """Return the same with latents perturbed between encoding and decoding.

        Args:
            label: int64 [B, H, W].
            seeds: int64 [B], roots of the perturbation's draws, too.
            perturbation: one that the configuration lists (``bench.corruptions.latents``).
            strength: the entry of its grid.
        """
        raise TypeError(f"{type(self).__name__} has no latents that suffer {perturbation!r}")

    def oracle_codes(self, image: Tensor, label: Tensor, seeds: Tensor) -> Tensor:
        """Return int64 labels [B, H, W] from predicted latents, each put on one of the truth's.

        Every predicted latent vector is replaced by the nearest of those that the image's own
        label encodes to, and the result decoded. What this scores below ``reconstruct`` the
        predictor has lost; what ``predict`` scores below this is lost in decoding latents
        that no label has.

        Args:
            image: float32 [B, 3, H, W] in [0, 1].
            label: int64 [B, H, W], the truth.
            seeds: int64 [B], as ``predict`` is given them.
        """
        raise TypeError(f"{type(self).__name__} has no latents to compare with the truth's")

    def measure(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return finite numbers that no confusion matrix holds, such as a codec's rate.

        Reports know ``stride``, ``bits_per_pixel``, ``entropy_bits_per_pixel``,
        ``codebook_use``, ``perplexity`` (``methods/_nn/rate.py``), ``kl_bits_per_latent`` and
        ``codebook_parameters``; they list any other name as it is.

        Called once for each clean test split that is reconstructed; the numbers are kept in
        ``Record.measured``, beside the counts.

        Args:
            batches: every image of the split once, in order, with the seeds that
                ``reconstruct`` is given. The same batches come whatever the loader's batch
                size and in every process.
        """
        return {}
