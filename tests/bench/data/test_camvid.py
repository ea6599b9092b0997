"""CamVid and what all datasets of files share: broken trees, digests, roots."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.core.errors import DatasetError
from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import NoOptions
from bench.data.datasets.camvid import CamVid
from bench.data.files import digests as _digests
from bench.data.files.digests import file_digests
from tests.helpers.camvid_tree import FRAMES, draw_camvid

LABEL = Path("trainannot/0006R0_f00930.png")
IMAGE = Path("train/0006R0_f00930.png")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return draw_camvid(tmp_path / "CamVid")


def camvid(root: Path | None, split: str = "train") -> CamVid:
    return CamVid(split, "", root, NoOptions())


def read_all(data: CamVid) -> None:
    data.check()
    for index in range(len(data)):
        data[index]


def test_labels_are_read_as_stored_and_unlabelled_is_ignored(root):
    stored = np.array(Image.open(root / LABEL))
    label = camvid(root)[1].label
    np.testing.assert_array_equal(label[stored < 11], stored[stored < 11])
    assert set(label[stored == 11].tolist()) == {IGNORE_INDEX}


def test_clusters_are_films(root):
    assert [camvid(root).cluster(i) for i in range(3)] == ["0001TP", "0006R0", "0016E5"]
    assert camvid(root, "test").cluster(1) == "Seq05VD"


@pytest.mark.parametrize("name", ["CamVid", "camvid", "CAMVID"])
def test_the_root_may_be_the_folder_or_hold_it(root, name):
    root = root.rename(root.with_name(name))
    assert camvid(root).ids() == camvid(root.parent).ids() == FRAMES["train"]


def cut_short(root: Path) -> None:
    content = (root / IMAGE).read_bytes()
    (root / IMAGE).write_bytes(content[: len(content) // 2])


def value_outside(root: Path) -> None:
    label = np.array(Image.open(root / LABEL))
    label[0, :3] = (12, 40, 200)
    Image.fromarray(label).save(root / LABEL)


def colours_for_labels(root: Path) -> None:
    Image.new("RGB", (32, 24)).save(root / LABEL)


def other_size(root: Path) -> None:
    Image.new("L", (30, 24)).save(root / LABEL)


def label_missing(root: Path) -> None:
    (root / LABEL).unlink()


def folder_empty(root: Path) -> None:
    for path in (root / "train").iterdir():
        path.unlink()


def labels_gone(root: Path) -> None:
    shutil.rmtree(root / "trainannot")


def split_gone(root: Path) -> None:
    shutil.rmtree(root / "train")


@pytest.mark.parametrize(
    ("damage", "named", "says", "remedy"),
    [
        (cut_short, IMAGE, "damaged image", "replace it"),
        (value_outside, LABEL, r"holds 12, 40, 200; this dataset has 0\.\.11", "replace the file"),
        (colours_for_labels, LABEL, "one number a pixel", "label ids"),
        (other_size, LABEL, "24x30.*24x32", "replace them"),
        (label_missing, LABEL, "label missing", "copy it"),
        (folder_empty, Path("train"), r"holds no \*\.png", "copy the images"),
        (labels_gone, Path("trainannot"), "no such folder", "belong there"),
        (split_gone, Path("train"), "no folder train/", "copy the split"),
    ],
)
def test_a_broken_tree_is_one_line_with_the_file_and_the_remedy(root, damage, named, says, remedy):
    damage(root)
    with pytest.raises(DatasetError, match=says) as raised:
        read_all(camvid(root))
    message = str(raised.value)
    assert "\n" not in message
    assert str(root / named) in message
    assert remedy in message


def test_a_missing_root_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"--data-root.*BENCH_DATA"):
        camvid(None).check()
    with pytest.raises(DatasetError, match=r"nowhere: no such folder"):
        camvid(tmp_path / "nowhere").check()


def test_a_changed_pixel_changes_the_fingerprint_of_its_split_only(root):
    before = {split: camvid(root, split).fingerprint() for split in CamVid.splits}
    label = np.array(Image.open(root / LABEL))
    label[5, 5] = (label[5, 5] + 1) % 11
    Image.fromarray(label).save(root / LABEL)
    after = {split: camvid(root, split).fingerprint() for split in CamVid.splits}
    assert after["train"] != before["train"]
    assert (after["val"], after["test"]) == (before["val"], before["test"])


def test_the_fingerprint_does_not_depend_on_the_place(root, tmp_path):
    copy = shutil.copytree(root, tmp_path / "elsewhere")
    assert camvid(copy).fingerprint() == camvid(root).fingerprint()


class TestDigests:
    @pytest.fixture
    def old_file(self, tmp_path: Path) -> Path:
        path = tmp_path / "data" / "a.bin"
        path.parent.mkdir()
        path.write_bytes(b"one")
        os.utime(path, ns=(1, 1))
        return path

    @pytest.fixture
    def read(self, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
        """The files whose content was read."""
        calls: list[Path] = []
        digest = _digests._digest
        monkeypatch.setattr(_digests, "_digest", lambda path: calls.append(path) or digest(path))
        return calls

    def test_an_unchanged_file_is_read_once(self, old_file, read):
        assert file_digests([old_file]) == file_digests([old_file])
        assert read == [old_file]

    def test_a_file_of_another_time_is_read_again(self, old_file, read):
        before = file_digests([old_file])
        old_file.write_bytes(b"two")
        os.utime(old_file, ns=(2, 2))
        assert file_digests([old_file]) != before
        assert read == [old_file, old_file]

    def test_a_file_just_written_is_not_trusted_to_keep_its_time(self, old_file, read):
        old_file.touch()
        file_digests([old_file])
        file_digests([old_file])
        assert read == [old_file, old_file]

    def test_a_damaged_index_only_costs_time(self, old_file, cache, read):
        before = file_digests([old_file])
        (index,) = cache.rglob("*.json")
        index.write_text("{")
        assert file_digests([old_file]) == before
        assert read == [old_file, old_file]
