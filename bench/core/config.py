"""The base of a method's configuration: all that can be planned without building the method."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from bench.core.schema import DataSpec, Family, Frozen, Task
from bench.core.stage import Stage

if TYPE_CHECKING:
    from torch import Tensor


class Inputs(NamedTuple):
    """The images that a cell shows a method, as ``python -m bench export images`` writes them."""

    folder: str
    """Name of the folder that holds them: of the test set, the condition and its draws."""
    digest: str
    """Of all that the images are made from: two inputs of one digest hold the same pixels."""
    sizes: Mapping[str, tuple[int, int]]
    """Height and width of each image, by its id."""
    ids: tuple[str, ...]
    """Of every image of the test set, those beyond a limit included."""


class Role(NamedTuple):
    """What a configuration of a method is in a suite."""

    tasks: tuple[Task, ...]
    """What it can do."""
    family: Family | Literal[""]
    control: bool = False
    """Whether it is there to be compared with another configuration of its method alone: a
    discriminative twin, or a part. The mean over a family leaves it out."""


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
    family: ClassVar[Family | Literal[""]] = ""
    """Which family a contrast between families counts the method in; empty: neither."""
    controls: ClassVar[Mapping[str, str]] = {}
    """What stands beside the method to tell what its parts add: by the value of the field
    ``control`` that makes it, what follows the method's label in its own. A suite's
    ``controls: true`` adds them all, each with its contrasts."""
    citation: ClassVar[str] = ""
    """BibTeX of the method's publications."""
    reads_predictions: ClassVar[bool] = False
    """Whether predictions were made elsewhere and are looked up (``Method.for_images``). They are
    of whole images, so that a protocol's windows are left out."""

    weights: Mapping[str, str] = {}
    """Per stage, a safetensors file that takes the place of its training."""
    initialise: Mapping[str, str] = {}
    """Per stage, a safetensors file that training starts from; tensors that it lacks keep
    their own initialisation."""

    @property
    def gives_probabilities(self) -> bool:
        """Whether ``Method.probabilities`` works; if not, predictions are mapped hard only."""
        return False

    @property
    def role(self) -> Role:
        """What this configuration can do and which family it is of: the class's, by default."""
        return Role(self.tasks, self.family)

    @property
    def whole(self) -> MethodConfig:
        """The configuration whose training this one shares: itself, unless it is a part of it.

        A part is given the training budget of the whole, so that it goes on sharing its training.
        """
        return self

    def with_steps_times(self, factor: float) -> MethodConfig:
        """Return the configuration with the steps of all stages that are fields of it multiplied.

        For records to say how long was trained: the harness multiplies the steps of
        :meth:`stages` itself, whatever they are made from.
        """
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        stages = {n: value.times(factor) for n, value in fields.items() if isinstance(value, Stage)}
        return self.model_copy(update=stages)

    def stages(self, data: DataSpec) -> tuple[Stage, ...]:
        """Return the training stages in order."""
        raise TypeError(f"{type(self).__module__}.{type(self).__name__} does not define stages")

    def pretraining(self, stage: str) -> str:
        """Return what a stage's networks, or parts of them, were trained on before it.

        Args:
            stage: one that is trained here.

        Returns:
            ``imagenet-1k``, ``imagenet-22k``, ``released`` if they are a whole method's, ``a file``
            if only that is known, or ``random`` if all their weights are drawn.
        """
        return "random"

    @property
    def is_released(self) -> bool:
        """Whether the method is a checkpoint that is evaluated as it was released."""
        return False

    def perturbations(self) -> tuple[str, ...]:
        """Return which of ``bench.corruptions.latents`` the method's latents can suffer."""
        return ()

    def needs(self, folder: str = "") -> tuple[tuple[str, str], ...]:
        """Return what is not here that predictions need: what, and where to get it and put it.

        Cells that need something are left out of a run; the others go on.

        Args:
            folder: of the images to predict, as of ``Inputs``; empty for any images.
        """
        return ()

    def check(self, data: DataSpec) -> None:
        """Refuse, before anything runs, files that do not fit the data.

        Called where nothing is missing.

        Raises:
            BenchError: in one line, which file, what is wrong with it, and what would be right.
        """

    def check_inputs(self, inputs: Inputs, data: DataSpec) -> None:
        """Refuse, before anything runs, predictions that are not of these images.

        Called only where ``reads_predictions``.

        Args:
            inputs: the images of a cell.
            data: classes of the predictions.

        Raises:
            BenchError: naming each file that is wrong.
        """

    def files(self) -> Mapping[str, tuple[Path, ...]]:
        """Return the files that results depend on, by the field that says where they are.

        Keys hold their content in place of the field's value, as where a file lies changes
        nothing. Called where nothing is missing.
        """
        return {}

    def depends_on(self, stage: str) -> Mapping[str, Any]:
        """Return the settings that a stage's weights depend on, by name: all by default.

        A method that leaves out what only predictions depend on lets those predictions share
        one training. ``weights`` and ``initialise`` are left out
        in any case: their files are known by their content.
        """
        return self.model_dump(mode="json", exclude={"weights", "initialise"})


Checkpoints = Mapping[Path, Mapping[str, "Tensor"]]
"""Per file, its tensors by their released names."""


class Conversion(NamedTuple):
    """What a method makes of released checkpoints."""

    stages: Mapping[str, Mapping[str, Tensor]]
    """Per stage, the tensors by their names within the method."""
    data: DataSpec
    """The classes and the size of the checkpoints, as far as shapes depend on them."""
    settings: Mapping[str, Any] = {}
    """What to set over the preset for the method to be the one that was released."""
    unmapped: tuple[str, ...] = ()
    """Released names that the method has no place for."""
