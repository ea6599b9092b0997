"""What a dataset file makes available, and how it is found.

A dataset is one file ``bench/data/datasets/<name>.py`` that defines one subclass of
:class:`Dataset`: its label space, splits, licence, citation and the check of its
layout on disk. Resizing, cropping and corruption belong to the protocol.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from bench.core.schema import Frozen

if TYPE_CHECKING:
    import numpy as np


class LabelSpace(Frozen):
    """The classes of a dataset in id order, with their display colours."""

    name: str
    classes: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    things: tuple[str, ...] = ()
    """Classes whose objects are told apart, where the dataset tells any; the others are stuff."""


class Sample(NamedTuple):
    """One image with its truth."""

    id: str
    image: np.ndarray  # uint8 [H, W, 3], RGB
    label: np.ndarray  # uint8 [H, W], class index or IGNORE_INDEX
    instance: np.ndarray | None = None  # integers [H, W]; 0: none, or a group of things
    depth: np.ndarray | None = None  # float32 [H, W], metres


class Raw(NamedTuple):
    """One image with its label as stored, before label values are given a meaning."""

    id: str
    image: np.ndarray  # uint8 [H, W, 3], RGB
    values: np.ndarray  # integers [H, W]
    image_name: str
    """What errors call the image, such as its path."""
    label_name: str


class NoOptions(Frozen):
    """A dataset without settings of its own."""


class Dataset(ABC):
    """One split of one dataset, indexed from 0 in a fixed order."""

    title: str
    licence: str
    citation: str
    homepage: str = ""
    access: str = ""
    """Where a copy comes from, and whether one has to register; one sentence, no full stop."""
    splits: tuple[str, ...]
    """Empty on a class whose options name them."""
    subsets: tuple[str, ...] = ("",)
    """Domains or variants; the first is the default."""
    needs_root: ClassVar[bool] = True
    """Whether files must be present; if so the root is ``--data-root`` (or the
    variable BENCH_DATA), or the folder of the dataset's name in it."""
    Options: ClassVar[type[Frozen]] = NoOptions
    published: Mapping[str, int] = {}
    """Number of images as published, by split, or by ``subset/split`` where subsets differ."""
    image_size: tuple[int, int] | None = None
    """Height and width of every image as published, where all have one."""
    shares: Mapping[str, float] = {}
    """Share of the pixels that each class has in the training split, as published for this set
    or, for other street scenes in the same classes, for Cityscapes; compared loosely."""

    def __init__(self, split: str, subset: str, root: Path | None, options: Frozen) -> None:
        self.split = split
        self.subset = subset or self.subsets[0]
        self.root = root
        self.options = options

    @classmethod
    def is_drawn(cls, options: Frozen) -> bool:
        """Whether the images come from code instead of the world: a stand-in."""
        return not cls.needs_root

    @property
    def parts(self) -> tuple[Dataset, ...]:
        """The splits that it is made of: itself, or those that it mixes."""
        return (self,)

    @property
    def published_images(self) -> int | None:
        """Number of images that the complete split has, if that was published."""
        return self.published.get(f"{self.subset}/{self.split}", self.published.get(self.split))

    @classmethod
    def splits_of(cls, options: Frozen) -> tuple[str, ...]:
        """Return the splits that there are with these options."""
        return cls.splits

    @classmethod
    def contents(cls, options: Frozen) -> str:
        """Say what it is made of, where its name does not."""
        return ""

    @property
    @abstractmethod
    def label_space(self) -> LabelSpace:
        """The label space of this subset."""

    @abstractmethod
    def check(self) -> None:
        """Verify the layout on disk.

        Raises:
            DatasetError: in one line, what is missing, where it was looked for, and what
                to do.
        """

    @abstractmethod
    def __len__(self) -> int:
        """Number of samples."""

    @abstractmethod
    def __getitem__(self, index: int) -> Sample:
        """Return one sample at its own size.

        Raises:
            DatasetError: if a file is damaged, sizes differ or a label is outside the space.
        """

    @abstractmethod
    def ids(self) -> tuple[str, ...]:
        """Image ids, unique within the dataset, in index order."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Hash of the content of every file of the split (or of what generates it)."""

    def domain(self, index: int) -> int:
        """Number of the data set that a sample is of, where several are mixed."""
        return 0

    def cluster(self, index: int) -> str:
        """Return the sequence, drive or city of a sample; by default its own id."""
        return self.ids()[index]

    def held_out(self, share: float) -> tuple[int, ...]:
        """Return the images that are held out of training, in order.

        They are a block at the end of each sequence, as frames of a video are too much alike to
        be drawn one by one. Images that belong to no sequence are taken as one.

        Args:
            share: of each sequence's images, rounded; in (0, 1).
        """
        ids = self.ids()
        sequences: dict[str, list[int]] = defaultdict(list)
        for index in range(len(ids)):
            sequences[self.cluster(index)].append(index)
        alone = [index for each in sequences.values() if len(each) == 1 for index in each]
        blocks = [sorted(alone), *(each for each in sequences.values() if len(each) > 1)]
        ordered = [sorted(block, key=lambda index: (ids[index], index)) for block in blocks]
        return tuple(sorted(i for b in ordered for i in b[len(b) - round(share * len(b)) :]))
