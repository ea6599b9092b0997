"""Several data sets as one, labelled in the universal classes of a taxonomy, or in their own.

Each part is a split of a data set whose label space the taxonomy knows. Without a taxonomy all
parts have one label space, as the sets in Cityscapes' classes do. A part's images count
``repeat`` times over: GSS trains on MSeg's sets with ADE20K six times, BDD and IDD 17,
Cityscapes 40, COCO once, Mapillary 7 and SUN RGB-D 24 times (fudan-zvg/GSS,
``mseg_512x512.py``).
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import BeforeValidator, Field, ValidationError, field_validator

from bench.core.errors import DatasetError, DatasetMissing, TaxonomyError
from bench.core.registry import suggest
from bench.core.schema import DataRef, Frozen, Positive, fingerprint
from bench.data import datasets, taxonomy
from bench.data.dataset import Dataset, LabelSpace, Sample


class Part(DataRef):
    """A split, and how often each of its images counts."""

    repeat: Positive = 1


def _with_split(value: object) -> object:
    return {"split": "train", **value} if isinstance(value, dict) else value


class MixtureOptions(Frozen):
    """Which universal classes, and what is mixed."""

    taxonomy: str = ""
    """A file of ``bench/data/taxonomies``; none where all parts have one label space."""
    parts: Annotated[tuple[Annotated[Part, BeforeValidator(_with_split)], ...], Field(min_length=1)]

    @field_validator("taxonomy")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            if name:
                taxonomy.load(name)
        except TaxonomyError as error:
            raise ValueError(str(error)) from error
        return name

    @field_validator("parts")
    @classmethod
    def _are_known(cls, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        for part in parts:
            _check(part)
        return parts


def _check(part: Part) -> None:
    """Refuse a part that no data set is."""
    try:
        dataset = datasets.load_dataset_class(part.dataset)
        dataset.Options.model_validate(part.options)
    except DatasetError as error:
        raise ValueError(str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"{part}: options.{where}: {first['msg']}") from error
    for field, value, known in (
        ("subset", part.subset, dataset.subsets),
        ("split", part.split, dataset.splits),
    ):
        if value and value not in known:
            raise ValueError(f"{part.dataset} has no {field} {value!r}; {suggest(value, known)}")


class Mixture(Dataset):
    """Parts one after the other, each repeated; labels are universal classes or the parts' own."""

    title = "Mixture of data sets"
    licence = "Those of its parts"
    citation = """\
@inproceedings{lambert2020mseg,
  title = {{MSeg}: A Composite Dataset for Multi-domain Semantic Segmentation},
  author = {Lambert, John and Liu, Zhuang and Sener, Ozan and Hays, James and Koltun, Vladlen},
  booktitle = {CVPR},
  year = {2020}
}"""
    homepage = "https://github.com/mseg-dataset/mseg-api"
    splits = ("train",)
    needs_root = False
    Options = MixtureOptions

    def __init__(self, split: str, subset: str, root: Path | None, options: Frozen) -> None:
        super().__init__(split, subset, root, options)
        if not isinstance(options, MixtureOptions):
            raise DatasetError(f"mixture takes MixtureOptions, not {type(options).__name__}")
        self._taxonomy = taxonomy.load(options.taxonomy) if options.taxonomy else None
        self._parts = tuple(_Opened(part, _open(part, root)) for part in options.parts)

    @classmethod
    def is_drawn(cls, options: Frozen) -> bool:
        """Whether all of its parts are."""
        assert isinstance(options, MixtureOptions)
        return all(_is_drawn(part) for part in options.parts)

    @classmethod
    def contents(cls, options: Frozen) -> str:
        """List its parts, each with its repeats."""
        assert isinstance(options, MixtureOptions)
        return " and ".join(f"{p.repeat} × {p}" if p.repeat > 1 else str(p) for p in options.parts)

    @property
    def label_space(self) -> LabelSpace:
        """The universal classes, or those of all parts."""
        if self._taxonomy is None:
            return self._parts[0].dataset.label_space
        return self._taxonomy.label_space

    @cached_property
    def _tables(self) -> tuple[np.ndarray, ...]:
        """Of each part, the class of each label value in the mixture, uint8 [256].

        Raises:
            DatasetError: if there is no taxonomy, and a part has other classes than the first.
        """
        if self._taxonomy is None:
            return tuple(self._own_labels(each) for each in self._parts)
        return tuple(self._taxonomy.from_space(each.dataset.label_space) for each in self._parts)

    def _own_labels(self, opened: _Opened) -> np.ndarray:
        space = opened.dataset.label_space
        if space.classes != self.label_space.classes:
            other = self._parts[0].part
            raise DatasetError(
                f"{opened.part} is labelled in {space.name} and {other} in "
                f"{self.label_space.name}; mixture.taxonomy can bring them together"
            )
        return np.arange(256, dtype=np.uint8)

    @cached_property
    def _places(self) -> tuple[tuple[int, int, int], ...]:
        """Of each image: its part, which copy it is, and its index in the part."""
        return tuple(
            (at, copy, index)
            for at, each in enumerate(self._parts)
            for copy in range(each.part.repeat)
            for index in range(len(each.dataset))
        )

    def check(self) -> None:
        """Check every part, and that its labels have classes in the mixture."""
        missing: dict[str, str] = {}
        for each in self._parts:
            try:
                each.dataset.check()
            except DatasetMissing as error:
                missing |= error.remedies
        if missing:
            raise DatasetMissing(missing)
        try:
            _ = self._tables
        except TaxonomyError as error:
            raise DatasetError(str(error)) from error

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Sample:
        at, _, inner = self._places[index]
        sample = self._parts[at].dataset[inner]
        return sample._replace(id=self.ids()[index], label=self._tables[at][sample.label])

    def ids(self) -> tuple[str, ...]:
        """Ids of the parts after their names; the copies of an image are numbered."""
        return self._ids

    @cached_property
    def _ids(self) -> tuple[str, ...]:
        of_parts = [each.dataset.ids() for each in self._parts]
        return tuple(
            f"{self._name(at)}:{of_parts[at][index]}" + (f"#{copy + 1}" if copy else "")
            for at, copy, index in self._places
        )

    def _name(self, at: int) -> str:
        return f"{self._parts[at].part}/{self._parts[at].part.split}"

    def held_out(self, share: float) -> tuple[int, ...]:
        """Return what is held out of each part, with all of its copies."""
        held = [set(each.dataset.held_out(share)) for each in self._parts]
        return tuple(i for i, (at, _, inner) in enumerate(self._places) if inner in held[at])

    def fingerprint(self) -> str:
        """Hash the content of every part, its repeats and the universal classes of its labels."""
        contents = [
            (each.dataset.fingerprint(), each.part.repeat, table.tolist())
            for each, table in zip(self._parts, self._tables, strict=True)
        ]
        return fingerprint("mixture", self.label_space.classes, contents)

    def domain(self, index: int) -> int:
        """Return the number of the image's part."""
        return self._places[index][0]

    def cluster(self, index: int) -> str:
        """Return the cluster of the image within its part."""
        at, _, inner = self._places[index]
        return f"{self._name(at)}:{self._parts[at].dataset.cluster(inner)}"


class _Opened(NamedTuple):
    part: Part
    dataset: Dataset


def _open(part: Part, root: Path | None) -> Dataset:
    dataset = datasets.load_dataset_class(part.dataset)
    return dataset(part.split, part.subset, root, dataset.Options.model_validate(part.options))


def _is_drawn(part: Part) -> bool:
    dataset = datasets.load_dataset_class(part.dataset)
    return dataset.is_drawn(dataset.Options.model_validate(part.options))
