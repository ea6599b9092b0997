"""A split in rows of the Hub says the same as one in files; no network is used."""

from pathlib import Path

import datasets
import numpy as np
import pytest
from PIL import Image

from bench.core.errors import DatasetError
from bench.data.dataset import Dataset
from bench.data.datasets.ade20k import ADE20K
from bench.data.files.hub import HubOptions
from tests.helpers.trees import trees_in_files

TREES = trees_in_files()


def ade20k(root: Path | None, hub: bool | str = False, split: str = "train") -> Dataset:
    return ADE20K(split, "", root, HubOptions(hub=hub))


def rows_of(data: Dataset) -> datasets.Dataset:
    """Put a split of files into rows, as the Hub's repository has them."""
    columns = {
        "image": [str(pair.image) for pair in data.pairs],
        "annotation": [str(pair.label) for pair in data.pairs],
    }
    features = {"image": datasets.Image(), "annotation": datasets.Image()}
    return datasets.Dataset.from_dict(columns, features=datasets.Features(features))


@pytest.fixture
def files(tmp_path):
    TREES["ade20k"].draw(tmp_path / "ade20k")
    return tmp_path


@pytest.fixture
def saved(files):
    splits = {"train": rows_of(ade20k(files)), "validation": rows_of(ade20k(files, split="val"))}
    datasets.DatasetDict(splits).save_to_disk(files / "saved")
    return str(files / "saved")


def test_rows_say_what_the_files_say(files, saved):
    in_files, in_rows = ade20k(files), ade20k(None, saved)
    in_rows.check()
    assert len(in_rows) == len(in_files) == 2
    for index in range(2):
        np.testing.assert_array_equal(in_rows[index].image, in_files[index].image)
        np.testing.assert_array_equal(in_rows[index].label, in_files[index].label)
    assert len(ade20k(None, saved, "val")) == 1


def test_rows_are_their_own_clusters(saved):
    data = ade20k(None, saved)
    assert [data.cluster(index) for index in range(2)] == list(data.ids())


def test_one_split_saved_alone_is_read_too(files):
    rows_of(ade20k(files)).save_to_disk(files / "alone")
    assert len(ade20k(None, str(files / "alone"))) == 2


def test_a_changed_pixel_in_a_row_changes_the_fingerprint(files, saved):
    before = ade20k(None, saved).fingerprint()
    assert ade20k(None, saved).fingerprint() == before
    path = ade20k(files).pairs[0].label
    label = np.array(Image.open(path))
    label[0, 0] += 1
    Image.fromarray(label).save(path)
    rows_of(ade20k(files)).save_to_disk(files / "changed")
    assert ade20k(None, str(files / "changed")).fingerprint() != before


def test_a_label_that_is_no_image_is_named_by_its_row(files):
    (files / "ade20k/annotations/training/ADE_train_00000002.png").write_bytes(b"no image")
    rows_of(ade20k(files)).save_to_disk(files / "broken")
    data = ade20k(None, str(files / "broken"))
    data[0]
    with pytest.raises(DatasetError, match=r"train/00000001, annotation: damaged image.*replace"):
        data[1]


def test_an_index_beyond_the_end_is_refused(saved):
    with pytest.raises(IndexError):
        ade20k(None, saved)[2]


@pytest.mark.parametrize("hub", ["nowhere", "."])
def test_a_folder_that_holds_no_rows_is_one_line_with_the_remedy(hub, tmp_path):
    with pytest.raises(DatasetError, match=r"no split 'train'.*save_to_disk") as raised:
        ade20k(None, str(tmp_path / hub)).check()
    assert "\n" not in str(raised.value)


def test_rows_without_the_columns_are_refused(tmp_path):
    datasets.Dataset.from_dict({"picture": [1]}).save_to_disk(tmp_path / "other")
    with pytest.raises(DatasetError, match="'image'"):
        ade20k(None, str(tmp_path / "other")).check()
