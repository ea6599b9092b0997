"""A part of a split: what is trained on, or what is held out of training."""

from __future__ import annotations

from bench.core.errors import DatasetError
from bench.core.schema import Portion, fingerprint
from bench.data.dataset import Dataset, LabelSpace, Sample


class PartOfSplit(Dataset):
    """The kept or the held-out images of another data set, in its order."""

    splits = ()

    def __init__(self, whole: Dataset, portion: Portion) -> None:
        super().__init__(whole.split, whole.subset, whole.root, whole.options)
        self.whole, self.portion = whole, portion
        self.title, self.licence, self.citation = whole.title, whole.licence, whole.citation
        self.homepage, self.access = whole.homepage, whole.access
        held = set(whole.held_out(portion.held_out))
        chosen = portion.side == "held_out"
        self._indices = [i for i in range(len(whole)) if (i in held) == chosen]

    @property
    def parts(self) -> tuple[Dataset, ...]:
        """The parts of the whole, which is what its files are checked by."""
        return self.whole.parts

    @property
    def label_space(self) -> LabelSpace:
        """That of the whole."""
        return self.whole.label_space

    def check(self) -> None:
        """Check the whole, and that this part of it has images.

        Raises:
            DatasetError: if it has none.
        """
        self.whole.check()
        if not self._indices:
            images = f"{self.title}, {self.split}: {len(self.whole)} images"
            raise DatasetError(f"{images}, {self.portion}: none are left; hold out another share")

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Sample:
        return self.whole[self._indices[index]]

    def ids(self) -> tuple[str, ...]:
        """Ids of the whole."""
        ids = self.whole.ids()
        return tuple(ids[index] for index in self._indices)

    def fingerprint(self) -> str:
        """Hash the content of the whole, and which images of it these are."""
        return fingerprint("part of split", self.whole.fingerprint(), self.ids())

    def cluster(self, index: int) -> str:
        """Return the cluster of the image in the whole."""
        return self.whole.cluster(self._indices[index])
