"""Splits of a suite, opened: an optional one never stands in the way of the others."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.core.errors import DatasetError
from bench.core.schema import DataRef
from bench.data.opening import OpenedSplit, open_splits
from tests.helpers.trees import tree_of

REFERENCE = DataRef(dataset="voc2012", split="val")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tree_of("voc2012").draw(tmp_path / "data")
    return tmp_path / "data"


def open_optional(root: Path | None) -> OpenedSplit:
    return open_splits((), (REFERENCE,), root)[REFERENCE.key]


def remove_label(root: Path) -> None:
    (root / tree_of("voc2012").label).unlink()


def truncate_image(root: Path) -> None:
    path = root / tree_of("voc2012").image
    path.write_bytes(path.read_bytes()[:100])


def label_nothing(root: Path) -> None:
    Image.fromarray(np.full((24, 32), 255, np.uint8)).save(root / tree_of("voc2012").label)


def test_a_sound_optional_split_is_used(root: Path) -> None:
    opened = open_optional(root)
    assert opened.needs == ()
    assert opened.content == open_splits((REFERENCE,), (), root)[REFERENCE.key].content


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (remove_label, "2007_000033.png: label missing"),
        (truncate_image, "2007_000033.jpg: damaged image"),
        (label_nothing, "every pixel is void"),
    ],
)
def test_a_wrong_optional_split_is_left_out_with_the_reason(root, damage, says):
    damage(root)
    opened = open_optional(root)
    (need,) = opened.needs
    assert says in need.remedy
    assert opened.space is not None


def test_a_missing_optional_split_says_where_to_get_it() -> None:
    (need,) = open_optional(None).needs
    assert "VOCtrainval_11-May-2012.tar" in need.remedy


def test_a_wrong_split_that_is_needed_is_refused(root: Path) -> None:
    remove_label(root)
    with pytest.raises(DatasetError, match="label missing"):
        open_splits((REFERENCE,), (), root)
