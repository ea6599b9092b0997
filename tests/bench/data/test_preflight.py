"""Preflight names what is wrong with a copy, and lets a good one pass."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.cli.main import main
from bench.core.errors import DatasetError
from bench.data.dataset import Dataset, LabelSpace
from bench.data.datasets import load_dataset_class
from bench.data.preflight import inspect, require
from bench.data.preflight.finding import Finding
from bench.data.preflight.spaces import check_palette, check_space
from tests.helpers.trees import SIZE, draw_image, trees_in_files

TREES = trees_in_files()

TRAIN = "train/aachen"
PIXELS = SIZE[0] * SIZE[1]


def realistic(name: str, subset: str = "") -> np.ndarray:
    """Draw stored label values with a dataset's published class shares, roads below; [H, W]."""
    data = open_split(name, None, subset=subset)
    shares = np.array(list(data.shares.values()))
    classes = np.repeat(
        np.arange(len(shares)), np.round(shares / shares.sum() * PIXELS).astype(int)
    )
    classes = np.resize(classes, PIXELS)
    values = [int(np.flatnonzero(data.table == k)[0]) for k in range(len(shares))]
    return np.array(values)[classes].reshape(SIZE)[::-1]


def open_split(name: str, root: Path | None, split: str = "train", subset: str = "") -> Dataset:
    found = load_dataset_class(name)
    return found(split, subset, root, found.Options())


def write(root: Path, stored: np.ndarray, kind: str = "labelIds") -> None:
    """Draw three frames of Cityscapes that all store the same label."""
    for number in range(3):
        frame = f"{TRAIN}/aachen_{number:06d}_000019"
        draw_image(root / f"leftImg8bit/{frame}_leftImg8bit.png", number)
        label = root / f"gtFine/{frame}_gtFine_{kind}.png"
        label.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(stored.astype(np.uint8)).save(label)


def by_check(dataset: Dataset, full: bool = False) -> dict[str, Finding]:
    return {finding.check: finding for finding in inspect(dataset, full).findings}


@pytest.fixture
def cityscapes(tmp_path) -> Callable[..., Dataset]:
    def draw(stored: np.ndarray, subset: str = "labelIds") -> Dataset:
        write(tmp_path, stored, subset)
        return open_split("cityscapes", tmp_path, subset=subset)

    return draw


def test_a_good_copy_passes_every_check_but_the_published_numbers(cityscapes):
    found = by_check(cityscapes(realistic("cityscapes")))
    assert found["label values"].level == found["void"].level == found["class shares"].level == "ok"
    assert found["images"].level == "differs"
    assert found["images"].text == "3 of 2,975 published: 2,972 missing"
    assert found["sizes"].text == "24x32 in 3 images; published are 1024x2048"


def test_train_ids_in_place_of_label_ids_are_named(cityscapes):
    data = cityscapes(realistic("cityscapes", "labelTrainIds"))
    finding = by_check(data)["label values"]
    assert finding.level == "wrong"
    assert "these seem to be 'labelTrainIds', not 'labelIds'" in finding.text
    with pytest.raises(DatasetError, match="labelTrainIds"):
        require(data, print)


def test_label_ids_in_place_of_train_ids_are_named(cityscapes):
    finding = by_check(cityscapes(realistic("cityscapes"), "labelTrainIds"))["label values"]
    assert finding.level == "wrong"
    assert "these seem to be 'labelIds'" in finding.text
    assert "first in " in finding.text
    assert "aachen_000000_000019_gtFine_labelTrainIds.png" in finding.text


@pytest.mark.parametrize("shift", [1, -1])
def test_shifted_ids_are_named(cityscapes, shift):
    stored = realistic("cityscapes")
    finding = by_check(cityscapes(np.clip(stored + shift, 0, 33)))["label values"]
    assert finding.level == "wrong"
    assert f"'labelIds shifted by {shift:+d}'" in finding.text


def test_ade20k_whose_zero_was_reduced_already_is_named(tmp_path):
    TREES["ade20k"].draw(tmp_path)
    stored = realistic("ade20k")
    stored[0] = 0  # void, which becomes 255
    for path in tmp_path.glob("annotations/*/*.png"):
        Image.fromarray((stored - 1).astype(np.uint8)).save(path)
    finding = by_check(open_split("ade20k", tmp_path))["label values"]
    assert "these seem to be 'zero is the first class'" in finding.text


@pytest.mark.parametrize(("subset", "void"), [("labelIds", 0), ("labelTrainIds", 255)])
def test_a_split_that_is_all_void_is_named(cityscapes, subset, void):
    found = by_check(cityscapes(np.full(SIZE, void), subset))
    assert found["void"].level == "wrong"
    assert "every pixel is void" in found["void"].text
    assert found["label values"].level == "ok"


def test_much_void_is_worth_a_note(cityscapes):
    stored = realistic("cityscapes")
    stored[: SIZE[0] * 3 // 4] = 0
    assert by_check(cityscapes(stored))["void"].level == "note"


def test_unusual_class_shares_are_worth_a_note(cityscapes):
    stored = np.where(realistic("cityscapes") == 7, 32, 33)  # two-wheelers only
    found = by_check(cityscapes(stored))
    assert found["label values"].level == "ok"
    assert found["class shares"].level == "note"


@pytest.mark.parametrize("name", TREES)
def test_the_small_tree_of_every_dataset_has_no_faulty_file(name, tmp_path):
    TREES[name].draw(tmp_path)
    found = by_check(open_split(name, tmp_path, TREES[name].split))
    assert "files" not in found
    assert found["images"].level == "differs"
    assert found["void"].level in ("ok", "note")


def test_a_damaged_file_is_found_in_the_sample(cityscapes, tmp_path):
    data = cityscapes(realistic("cityscapes"))
    data.pairs[1].image.write_bytes(b"no image")
    finding = by_check(data)["files"]
    assert finding.level == "wrong"
    assert str(data.pairs[1].image) in finding.text
    assert "damaged image" in finding.text


def test_full_finds_a_change_behind_an_old_time_stamp(cityscapes, monkeypatch):
    import os

    data = cityscapes(realistic("cityscapes"))
    for path in data.files():
        os.utime(path, ns=(1, 1))
    before = data.fingerprint()
    assert by_check(data, full=True)["content"].level == "ok"
    path = data.pairs[0].label
    content = bytearray(path.read_bytes())
    content[-1] ^= 1  # of the checksum of the end: decodes as before
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))
    assert data.fingerprint() == before
    finding = by_check(data, full=True)["content"]
    assert finding.level == "wrong"
    assert str(path) in finding.text
    assert data.fingerprint() != before


def test_equal_colours_are_wrong_and_the_nearest_are_named():
    space = LabelSpace(
        name="s", classes=("a", "b", "c"), palette=((0, 0, 0), (9, 0, 0), (90, 0, 0))
    )
    assert check_palette(space).text.endswith("the nearest are 9 apart (a, b)")
    twice = space.model_copy(update={"palette": ((0, 0, 0), (9, 0, 0), (9, 0, 0))})
    assert check_palette(twice).level == "wrong"
    assert "b and c have one colour" in check_palette(twice).text


def test_the_taxonomy_says_what_is_lost():
    def of(name: str, subset: str = "") -> Finding:
        space = open_split(name, None, subset=subset).label_space
        return next(f for f in check_space(space) if f.check in ("taxonomy", "taxonomy mseg"))

    assert of("cityscapes").text == "can be trained on; can be tested on, all classes"
    assert of("pascal_context").level == "note"
    assert "all classes but flower, wood" in of("pascal_context").text
    assert of("pascal_context", "59").level == "note"
    assert "none has the label space pascal-context-59" in of("pascal_context", "59").text


class TestCommand:
    def test_a_good_copy_ends_with_0(self, cityscapes, tmp_path, capsys, monkeypatch):
        data = cityscapes(realistic("cityscapes"))
        monkeypatch.setattr(type(data), "published", {"train": 3})
        monkeypatch.setattr(type(data), "image_size", SIZE)
        arguments = ["data", "check", "cityscapes", "--root", str(tmp_path), "--split", "train"]
        assert main(arguments) == 0
        out = capsys.readouterr().out
        assert "complete and sane" in out
        assert "road" in out
        assert "36." in out

    def test_an_incomplete_copy_ends_with_2(self, cityscapes, tmp_path, capsys):
        cityscapes(realistic("cityscapes"))
        assert main(["data", "check", "cityscapes", "--root", str(tmp_path)]) == 2
        out = " ".join(capsys.readouterr().out.split())
        assert "2,972 missing" in out
        assert "cityscapes has no folder" in out  # of val
        assert "register at https://www.cityscapes-dataset.com" in out

    def test_the_root_may_come_from_the_environment(
        self, cityscapes, tmp_path, monkeypatch, capsys
    ):
        cityscapes(realistic("cityscapes"))
        monkeypatch.setenv("BENCH_DATA", str(tmp_path))
        assert main(["data", "check", "cityscapes", "--split", "train", "--full"]) == 2
        assert "every digest holds" in " ".join(capsys.readouterr().out.split())

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["cityscape"], "did you mean 'cityscapes'"),
            (["cityscapes", "--subset", "ids"], "no subset 'ids'"),
            (
                ["mixture"],
                "parts: Field required; give its options as in a suite with --options",
            ),
            (["cityscapes", "--split", "test"], "no split 'test'; known are train, val"),
        ],
    )
    def test_unknown_names_are_refused(self, arguments, says, tmp_path, capsys):
        assert main(["data", "check", *arguments, "--root", str(tmp_path)]) == 2
        assert says in capsys.readouterr().err
