"""Every dataset of files on five broken trees: one line, with the path and the remedy."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.core.errors import DatasetError
from bench.data.dataset import Dataset
from bench.data.datasets import load_dataset_class
from tests.helpers.trees import SIZE, Tree, trees_in_files

TREES = trees_in_files()

REMEDY = re.compile(r"copy|replace")


def open_split(name: str, root: Path) -> Dataset:
    found = load_dataset_class(name)
    return found(TREES[name].split, "", root, found.Options())


def read_all(data: Dataset) -> None:
    data.check()
    for index in range(len(data)):
        data[index]


def folder_missing(root: Path, tree: Tree) -> Path:
    shutil.rmtree((root / tree.image).parent)
    return root


def label_missing(root: Path, tree: Tree) -> Path:
    (root / tree.label).unlink()
    return root / tree.label


def ids_wrong(root: Path, tree: Tree) -> Path:
    colour = len(np.array(Image.open(root / tree.label)).shape) == 3
    shape = (*SIZE, 3) if colour else SIZE
    Image.fromarray(np.full(shape, 254, dtype=np.uint8)).save(root / tree.label)
    return root / tree.label


def size_wrong(root: Path, tree: Tree) -> Path:
    Image.open(root / tree.label).crop((0, 0, SIZE[1] - 2, SIZE[0])).save(root / tree.label)
    return root / tree.label


def file_truncated(root: Path, tree: Tree) -> Path:
    content = (root / tree.image).read_bytes()
    (root / tree.image).write_bytes(content[: len(content) // 2])
    return root / tree.image


@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (folder_missing, "has no folder|holds no|no such folder|missing"),
        (label_missing, "label missing"),
        (ids_wrong, "label holds 254|holds segment"),
        (size_wrong, "label is 24x30.*is 24x32"),
        (file_truncated, "damaged image"),
    ],
)
def test_a_broken_tree_is_one_line_with_the_path_and_the_remedy(tmp_path, name, damage, says):
    tree = TREES[name]
    tree.draw(tmp_path)
    read_all(open_split(name, tmp_path))
    path = damage(tmp_path, tree)
    with pytest.raises(DatasetError, match=says) as raised:
        read_all(open_split(name, tmp_path))
    message = str(raised.value)
    assert "\n" not in message
    assert str(path) in message
    assert REMEDY.search(message)


@pytest.mark.parametrize("name", TREES)
def test_a_missing_root_says_where_a_copy_comes_from(name):
    found = load_dataset_class(name)
    with pytest.raises(DatasetError, match=r"--data-root DIR or set BENCH_DATA \(.+\)") as raised:
        found(found.splits[0], "", None, found.Options()).check()
    assert found.access in str(raised.value)


@pytest.mark.parametrize("name", TREES)
def test_the_root_may_hold_the_datasets_folder_in_any_case(name, tmp_path):
    TREES[name].draw(tmp_path / name.upper())
    assert open_split(name, tmp_path).ids() == open_split(name, tmp_path / name.upper()).ids()
