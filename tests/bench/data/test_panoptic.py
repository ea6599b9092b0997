"""Labels in COCO's panoptic format: classes by category, numbers of things, void and crowds."""

from pathlib import Path

import numpy as np
import pytest

from bench.core.errors import DatasetError
from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import Dataset
from bench.data.datasets import load_dataset_class
from bench.data.files.panoptic import PanopticFolder
from tests.helpers.trees import tree_of


def open_split(name: str, root: Path, split: str) -> PanopticFolder:
    cls = load_dataset_class(name)
    data = cls(split, "", root, cls.Options())
    assert isinstance(data, PanopticFolder)
    return data


@pytest.fixture
def tree(tmp_path):
    def draw(name: str, split: str) -> PanopticFolder:
        tree_of(name).draw(tmp_path)
        return open_split(name, tmp_path, split)

    return draw


def instances_of(data: Dataset, name: str) -> list[int]:
    """List the numbers of a class's pixels in the first image."""
    sample = data[0]
    assert sample.instance is not None
    k = data.label_space.classes.index(name)
    return sorted(set(sample.instance[sample.label == k].tolist()))


def test_coco_numbers_things_and_leaves_crowds_without_number(tree):
    data = tree("coco_panoptic", "val")
    assert len(data.label_space.things) == 80
    crowd, person = instances_of(data, "person")
    assert crowd == 0 < person
    assert instances_of(data, "tree-merged") == [0]


def test_coco_gives_segments_the_class_of_their_category(tree):
    data = tree("coco_panoptic", "val")
    names = data.label_space.classes
    found = {names[value] for value in np.unique(data[0].label) if value != IGNORE_INDEX}
    assert found == {"person", "tree-merged", "rug-merged"}


def test_coco_fingerprints_the_categories_too(tree, tmp_path):
    before = tree("coco_panoptic", "val").fingerprint()
    path = tmp_path / "annotations/panoptic_val2017.json"
    path.write_text(path.read_text().replace('"category_id": 200', '"category_id": 1'))
    assert open_split("coco_panoptic", tmp_path, "val").fingerprint() != before


def test_coco_without_its_categories_says_so(tree, tmp_path):
    data = tree("coco_panoptic", "val")
    (tmp_path / "annotations/panoptic_val2017.json").unlink()
    with pytest.raises(DatasetError, match=r"panoptic_val2017.json: no such file.*copy it"):
        data[0]


def test_wilddash2_numbers_its_things_and_merges_its_classes(tree):
    data = tree("wilddash2", "public")
    assert len(data.label_space.classes) == 26
    assert len(instances_of(data, "car")) == 2
    assert instances_of(data, "road") == [0]
    names = [data.label_space.classes[k] for k in np.unique(data[0].label) if k != IGNORE_INDEX]
    assert names == ["egovehicle", "road", "car", "van"]
