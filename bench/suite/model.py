"""What a suite file says: its entries, and the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from bench import corruptions
from bench.core.manifest import HALF, Contrast, PaperTable, Published
from bench.core.registry import default_preset
from bench.core.schema import (
    CLEAN,
    Condition,
    DataRef,
    Frozen,
    Portion,
    Positive,
    Protocol,
    Task,
)
from bench.corruptions import latents as perturbations
from bench.suite.stand_in import StandIn

SEVERITIES: Mapping[str, range] = {**corruptions.SEVERITIES, **perturbations.SEVERITIES}
"""Of every condition: corruptions of images, and perturbations of latents."""

NAME = r"^[a-z0-9][a-z0-9_-]*$"
MOST_CHARACTERS = 100
"""Of names, which become parts of file names and rows of tables."""


Seed = Annotated[int, Field(ge=0, lt=2**63)]
Seeds = Annotated[tuple[Seed, ...], Field(min_length=1)]


class MethodEntry(Frozen):
    """A method as a suite names it."""

    adapter: str
    label: Annotated[str, Field(max_length=MOST_CHARACTERS)] = ""
    """What tables and plots call it; the adapter's name when absent."""
    preset: str
    """``tiny``, or the method's first where it has none of that name, when absent."""
    config: Mapping[str, Any] = {}
    """Values that replace the preset's."""
    seeds: Seeds | None = None
    """Training seeds of this method, where they are not the suite's."""
    controls: bool = False
    """Add the method's controls to the suite, after its methods and under its label: a twin and
    parts (``MethodConfig.controls``), and the contrasts of the method with each of them, clean,
    and where there are conditions in mPC and above the floor."""

    @model_validator(mode="before")
    @classmethod
    def _default_preset(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and "preset" not in value:
            return {**value, "preset": default_preset(str(value.get("adapter")))}
        return value

    @property
    def title(self) -> str:
        """The label, or the adapter's name where none is given."""
        return self.label or self.adapter


class ConditionEntry(Frozen):
    """A corruption, a group of them, or a perturbation of latents, at several severities."""

    corruption: str
    """A name, or a group of ``bench.corruptions.GROUPS`` such as ``common`` or ``camseg``."""
    severities: tuple[int, ...] = ()
    """All that each has, when absent."""

    def expand(self) -> Iterator[Condition]:
        """Return one condition per corruption and severity."""
        for name in members(self.corruption):
            for severity in self.severities or SEVERITIES[name]:
                yield Condition(corruption=name, severity=severity)


def members(corruption: str) -> tuple[str, ...]:
    """Return the corruptions that a name in a suite stands for: a group's, or itself."""
    return corruptions.GROUPS.get(corruption, (corruption,))


def expand(value: Any, split: str) -> Any:
    """Let ``scenes/city`` stand for ``{dataset: scenes, subset: city}``; default the split."""
    if isinstance(value, str):
        dataset, _, subset = value.partition("/")
        value = {"dataset": dataset, "subset": subset}
    return {"split": split, **value} if isinstance(value, Mapping) else value


TrainReference = Annotated[DataRef, BeforeValidator(partial(expand, split="train"))]


class TestEntry(DataRef):
    """A test split, and whether it is corrupted."""

    __test__ = False  # not a pytest class
    corrupt: bool = True
    """False: evaluated clean only, as for a domain that is a condition by itself."""
    optional: bool = False
    """Left out where its data are missing, and a run is complete without it."""

    def reference(self) -> DataRef:
        """Return the split alone."""
        return DataRef.model_validate(self.model_dump(exclude={"corrupt", "optional"}))


TestReference = Annotated[TestEntry, BeforeValidator(partial(expand, split="val"))]


class Budget(Frozen):
    """What every learned method may spend on a training, each seed by itself.

    The steps of all stages of a method are multiplied by one factor, so that the whole training
    takes as many operations; its own steps then only say how they are divided over its stages.
    A part that shares the training of a method is given that method's budget. Stages whose
    weights come from a file, and those in closed form, cost nothing.
    """

    flops: Annotated[float, Field(gt=0)]
    """Floating-point operations of all steps, forward and backward, a multiplication and an
    addition being two, as ``torch.utils.flop_counter`` counts them."""


Share = Annotated[float, Field(gt=0, le=1)]


class Suite(Frozen):
    """A suite file's content."""

    name: Annotated[str, Field(pattern=NAME, max_length=MOST_CHARACTERS)]
    """Lower-case letters, digits, ``_`` and ``-``: it names the folders of results and report."""
    question: str
    methods: Annotated[tuple[MethodEntry, ...], Field(min_length=1)]
    train_on: Annotated[tuple[TrainReference, ...], Field(min_length=1)]
    test_on: Annotated[tuple[TestReference, ...], Field(min_length=1)]
    paired: bool = False
    """Test sets and training sets go together one by one, instead of each with each."""
    conditions: tuple[ConditionEntry, ...] = ()
    """Beside the clean images, which are always evaluated."""
    tasks: Annotated[tuple[Task, ...], Field(min_length=1)] = ("predict",)
    seeds: Seeds = (0,)
    sampling_seeds: Seeds = (0,)
    """Of the draws a trained method makes at prediction: how far sampling moves its score."""
    mappings: Annotated[tuple[Literal["soft", "hard"], ...], Field(min_length=1)] = ("soft", "hard")
    """How predictions become labels of a test set in another label space than the training's,
    which must then be a taxonomy's universal one."""
    protocol: Protocol
    also_eval_at: tuple[str, ...] = ()
    """Further scoring geometries of the same predictions; each makes cells of its own."""
    resolutions: tuple[Positive, ...] = ()
    """Short sides, in pixels, that test images are evaluated at in place of the protocol's size:
    MSeg's three. The first one is fixed beforehand; the report sets the maximum beside it."""
    primary: str = ""
    """The metric of ``protocol.metrics`` that report and terminal lead with: the first one,
    if not given."""
    reference: str = ""
    """Label of the method against which corruption errors are normalised."""
    published: Published | None = None
    """Curves of a publication to show beside the measured ones."""
    paper: PaperTable | None = None
    """The published table that the suite repeats."""
    stand_in: StandIn | None = None
    """What takes the place of data and sizes that not everyone has, under ``--stand-in``."""
    budget: Budget | None = None
    """Absent: every method trains for its own steps."""
    held_out: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Share of every training split that no method is trained on: the end of each sequence."""
    curve: tuple[Share, ...] = ()
    """Shares of the budget at which each learned method is trained, with the first seed, to be
    scored on clean held-out images: does its score still rise with longer training?

    Each point is a full training with its own schedule. A checkpoint of a longer training would
    say less: its learning rate has not come down yet, so that its score lies below what the
    same budget reaches, and the curve would rise for that reason alone."""
    contrasts: tuple[Contrast, ...] = ()
    """Differences that the question is about; the report's first paragraph has them."""

    @property
    def primary_metric(self) -> str:
        """The metric that is followed through all conditions."""
        return self.primary or self.protocol.metrics[0]

    @property
    def training_sets(self) -> tuple[DataRef, ...]:
        """What is trained on: ``train_on`` without the images that are held out."""
        return tuple(self._portion(reference, "kept") for reference in self.train_on)

    def seeds_of(self, entry: MethodEntry) -> tuple[int, ...]:
        """Return the training seeds of a method."""
        return entry.seeds or self.seeds

    def held_out_of(self, training_set: DataRef) -> DataRef:
        """Return the images held out of one of ``training_sets``."""
        return self._portion(training_set, "held_out")

    def _portion(self, reference: DataRef, side: Literal["kept", "held_out"]) -> DataRef:
        if self.held_out is None:
            return reference
        portion = Portion(held_out=self.held_out, side=side)
        return reference.model_copy(update={"portion": portion})

    def tests_of(self, training_set: DataRef) -> tuple[TestEntry, ...]:
        """Return the test sets of one of ``training_sets``."""
        at = self.training_sets.index(training_set)
        return (self.test_on[at],) if self.paired else self.test_on

    @field_validator("curve")
    @classmethod
    def _curve_can_be_judged(cls, curve: tuple[float, ...], info: ValidationInfo) -> Any:
        if not curve:
            return curve
        if list(curve) != sorted(set(curve)) or not {HALF, 1.0} <= set(curve):
            message = f"shares must rise, and have {HALF} and 1.0 among them"
            raise ValueError(f"{message}, by which a curve is judged; such as [0.25, 0.5, 1.0]")
        for field, why in (
            ("budget", "its points are shares of one: add budget"),
            ("held_out", "its points are scored on held-out images: add held_out"),
        ):
            if field in info.data and info.data[field] is None:
                raise ValueError(f"a curve without {field}: {why}")
        return curve

    @field_validator("paired")
    @classmethod
    def _pairs_match(cls, paired: bool, info: ValidationInfo) -> bool:
        train_on, test_on = info.data.get("train_on"), info.data.get("test_on")
        if paired and train_on and test_on and len(train_on) != len(test_on):
            sets = f"{len(train_on)} training and {len(test_on)} test sets"
            raise ValueError(f"{sets}; there must be as many of one as of the other")
        return paired

    def protocols(self) -> tuple[Protocol, ...]:
        """Return the protocol of each test resolution and scoring geometry, its own first."""
        settings = self.protocol.model_dump()
        fixed = {"resize": None, "crop": self.protocol.input_size}
        sized = [{**fixed, "short_side": side} for side in self.resolutions]
        return tuple(
            Protocol.model_validate({**settings, **changes, "eval_at": place})
            for changes in sized or [{}]
            for place in (self.protocol.eval_at, *self.also_eval_at)
        )

    def all_conditions(self) -> tuple[Condition, ...]:
        """Return the clean condition, then every corruption in order."""
        return (CLEAN, *(c for entry in self.conditions for c in entry.expand()))
