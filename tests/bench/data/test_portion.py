"""What is held out of training, and what is left."""

from pathlib import Path

import pytest

from bench.core.errors import DatasetError
from bench.core.schema import DataRef, Portion
from bench.data.dataset import Dataset, LabelSpace, NoOptions, Sample
from bench.data.opening import open_splits
from bench.data.portion import PartOfSplit
from tests.helpers.camvid_tree import draw_camvid

SEQUENCES = "aaaaaaaaaabbbbb"


class Films(Dataset):
    """Ten frames of one film, five of another, listed turn by turn; ``alone``: no films."""

    title, licence, citation, splits = "films", "none", "none", ("train",)

    def __init__(self, alone: bool = False) -> None:
        super().__init__("train", "", None, NoOptions())
        named = [f"{film}{at:02d}" for at, film in enumerate(SEQUENCES)]
        self.names = tuple(sorted(named, key=lambda name: name[1:]))
        self.alone = alone

    @property
    def label_space(self) -> LabelSpace:
        return LabelSpace(name="one", classes=("thing",), palette=((0, 0, 0),))

    def check(self) -> None: ...

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Sample:
        return Sample(self.names[index], None, None)

    def ids(self) -> tuple[str, ...]:
        return self.names

    def fingerprint(self) -> str:
        return "films"

    def cluster(self, index: int) -> str:
        return self.names[index] if self.alone else self.names[index][0]


def parts(dataset: Dataset, share: float) -> tuple[PartOfSplit, PartOfSplit]:
    kept, held = (Portion(held_out=share, side=side) for side in ("kept", "held_out"))
    return PartOfSplit(dataset, kept), PartOfSplit(dataset, held)


@pytest.mark.parametrize(
    ("alone", "held"), [(False, ("a08", "a09", "b14")), (True, ("b12", "b13", "b14"))]
)
def test_the_end_of_each_sequence_is_held_out_or_of_all_images(alone, held):
    kept, left = parts(Films(alone), 0.2)
    assert left.ids() == held
    assert sorted((*kept.ids(), *left.ids())) == sorted(Films().names)
    assert [left[at].id for at in range(len(left))] == list(held)
    assert [left.cluster(at)[0] for at in range(len(left))] == [name[0] for name in held]


def test_both_parts_have_their_own_fingerprint_and_the_files_of_the_whole():
    whole = Films()
    kept, left = parts(whole, 0.2)
    assert len({whole.fingerprint(), kept.fingerprint(), left.fingerprint()}) == 3
    assert kept.parts == left.parts == (whole,)


def test_a_share_that_leaves_nothing_is_refused():
    with pytest.raises(DatasetError, match=r"15 images, the 1% held out: none are left"):
        parts(Films(), 0.01)[1].check()


def test_copies_of_an_image_in_a_mixture_are_held_out_together():
    options = {
        "taxonomy": "mseg",
        "parts": [{"dataset": "scenes", "options": {"images": 4}, "repeat": 3}],
    }
    portion = Portion(held_out=0.25, side="held_out")
    held = DataRef(dataset="mixture", split="train", options=options, portion=portion)
    opened = open_splits([held], [], None)[held.key].dataset
    assert [name.partition("#")[0] for name in opened.ids()] == [opened.ids()[0]] * 3


def test_both_parts_share_the_opened_data_set_and_its_faults(tmp_path: Path):
    draw_camvid(tmp_path)
    sides = [
        DataRef(dataset="camvid", split="train", portion=Portion(held_out=0.5, side=side))
        for side in ("kept", "held_out")
    ]
    opened = open_splits(sides, [], tmp_path)
    kept, held = (opened[side.key].dataset for side in sides)
    assert kept.parts[0] is held.parts[0]
    assert not set(kept.ids()) & set(held.ids())
    missing = open_splits(sides, [], None)
    assert all(split.needs and not split.content for split in missing.values())
