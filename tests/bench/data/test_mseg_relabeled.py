"""MSeg's relabelled masks: their layout, their classes, and the mixture that trains on them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.core.errors import DatasetMissing
from bench.core.schema import IGNORE_INDEX
from bench.data import taxonomy
from bench.data.dataset import Dataset, NoOptions
from bench.data.datasets import load_dataset_class
from bench.data.datasets.mixture import MixtureOptions

RELABELED = load_dataset_class("mseg_relabeled")
SUBSETS = RELABELED.subsets
FIELDS = {"frame": "one", "city": "ulm", "drive": "12"}


def open_subset(subset: str, root: Path) -> Dataset:
    return RELABELED("train", subset, root, NoOptions())


def draw(subset: str, root: Path) -> None:
    """Write an image and a label with the last class, the first and void."""
    data = open_subset(subset, root)
    (layout,) = data.layouts()
    label = np.zeros((6, 8), np.uint8)
    label[:2], label[4:] = len(data.label_space.classes) - 1, 255
    for path, content in ((layout.images, np.stack([label] * 3, -1)), (layout.labels, label)):
        file = root / "mseg_dataset" / path.format(**FIELDS)
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(content).save(file)


@pytest.mark.parametrize("subset", SUBSETS)
def test_a_label_value_is_the_place_of_its_class(subset: str, tmp_path: Path) -> None:
    draw(subset, tmp_path)
    data = open_subset(subset, tmp_path)
    data.check()
    last = len(data.label_space.classes) - 1
    assert sorted(set(data[0].label.ravel().tolist())) == [0, last, IGNORE_INDEX]
    assert list(data.label_space.classes) == sorted(data.label_space.classes)


@pytest.mark.parametrize("subset", SUBSETS)
def test_every_class_is_one_universal_class(subset: str, tmp_path: Path) -> None:
    universal = taxonomy.of_space("mseg-universal")
    assert universal is not None
    space = open_subset(subset, tmp_path).label_space
    assert {len(members) for members in universal.members(space)} == {1}


def test_what_is_missing_is_named_with_its_source(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissing, match="mseg-api"):
        open_subset("bdd", tmp_path).check()


def test_a_mixture_trains_on_all_of_them(tmp_path: Path) -> None:
    for subset in SUBSETS:
        draw(subset, tmp_path)
    parts = [{"dataset": "mseg_relabeled", "subset": subset} for subset in SUBSETS]
    options = MixtureOptions.model_validate({"taxonomy": "mseg", "parts": parts})
    mixture = load_dataset_class("mixture")("train", "", tmp_path, options)
    mixture.check()
    assert len(mixture) == 7
    for index, subset in enumerate(SUBSETS):
        data = open_subset(subset, tmp_path)
        top = mixture.label_space.classes[mixture[index].label[0, 0]]
        assert top.replace("_", " ") == data.label_space.classes[-1].replace("_", " ")
