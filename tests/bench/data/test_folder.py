"""Data of one's own, declared in a suite: the four layouts of the documentation, each from nothing
to a scored run."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError
from ruamel.yaml import YAML

from bench.cli.main import main
from bench.core.errors import DatasetError, DatasetMissing
from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import NoOptions
from bench.data.datasets.folder import Folder, FolderOptions
from bench.store.load import load_results
from tests.helpers.trees import tree_of
from tests.helpers.trees.folder import FRAMES

CLASSES = ("road", "building", "sky")
COLOURS = np.array([(128, 64, 128), (70, 70, 70), (70, 130, 180)], np.uint8)
SIZE = (48, 64)


def picture(number: int) -> tuple[np.ndarray, np.ndarray]:
    """A road under a building under the sky, whose borders move: image and classes."""
    label = np.zeros(SIZE, np.uint8)
    label[: 30 + number % 7] = 1
    label[: 10 + number % 9] = 2
    texture = np.random.default_rng(number).normal(0, 6, (*SIZE, 3))
    return np.clip(COLOURS[label] + texture, 0, 255).astype(np.uint8), label


def save(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def split_of(number: int) -> str:
    return "train" if number < 14 else "val"


def plain(root: Path) -> None:
    """Folders of splits; PNG and JPEG mixed; ids of a list."""
    for number in range(20):
        image, label = picture(number)
        kind = "jpg" if number % 2 else "PNG"
        save(root / f"img/{split_of(number)}/{number:03d}.{kind}", image)
        save(root / f"gt/{split_of(number)}/{number:03d}.png", label)


def listed(root: Path) -> None:
    """One folder of frames; lists of ids; classes with stored ids in a file."""
    for number in range(20):
        image, label = picture(number)
        save(root / f"JPEGImages/{number:03d}.jpg", image)
        save(root / f"Masks/{number:03d}_mask.png", np.array([7, 11, 23], np.uint8)[label])
    for split in ("train", "val"):
        names = [f"{number:03d}\n" for number in range(20) if split_of(number) == split]
        (root / f"{split}.txt").write_text("".join(names))
    (root / "classes.yaml").write_text("road: 7\nbuilding: {id: 11}\nsky: 23\n")


def coloured(root: Path) -> None:
    """Labels in colours, folders of another name, black for void."""
    for number in range(20):
        image, label = picture(number)
        colours = COLOURS[label]
        colours[:3] = 0
        folder = {"train": "training", "val": "validation"}[split_of(number)]
        save(root / f"{folder}/{number:03d}_rgb.png", image)
        save(root / f"{folder}/{number:03d}_color.png", colours)


def sequences(root: Path) -> None:
    """Sequences below a folder of the data root; a value map; everything else void."""
    for number in range(20):
        image, label = picture(number)
        drive = f"own/drive{number // 5}"
        save(root / f"{drive}/{split_of(number)}/cam_{number:03d}.jpg", image)
        save(root / f"{drive}/labels/{number:03d}.png", np.array([1, 2, 40], np.uint8)[label])


DOCUMENTED = [
    YAML(typ="safe").load(text)
    for text in re.findall(r"```yaml\n(.*?)```", Path("docs/own_data.md").read_text(), re.DOTALL)
]
SUITE, OTHERS = DOCUMENTED[0], DOCUMENTED[1:4]
LAYOUTS = dict(zip((plain, listed, coloured, sequences), (None, *OTHERS), strict=True))
"""By what draws it, how the documentation declares it; None: in the suite that it begins with."""


@pytest.mark.parametrize("draw", LAYOUTS, ids=lambda draw: draw.__name__)
def test_a_new_users_folder_is_scored_without_python(
    draw: Callable[[Path], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    draw(tmp_path / "data")
    suite = {**SUITE, "methods": SUITE["methods"][:1]}  # the floor: a network takes minutes
    if (options := LAYOUTS[draw]) is not None:
        suite["train_on"] = suite["test_on"] = [{"dataset": "folder", "options": options}]
    path = tmp_path / "own.yaml"
    YAML().dump(suite, path)
    where = ["--data-root", str(tmp_path / "data")]
    declared = ["--options", str(path)]
    assert main(["data", "check", "folder", *where, *declared]) == 0, capsys.readouterr().out
    assert main(["run", str(path), *where, "--output", str(tmp_path / "out")]) == 0
    score = load_results(tmp_path / "out/own").query("metric == 'mIoU'")["value"]
    assert score.between(0.5, 1).all(), score
    assert len(score)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree_of("folder").draw(tmp_path)
    return tmp_path


def folder(root: Path | None, split: str = "train", **changes: Any) -> Folder:
    options = {**tree_of("folder").options, **changes}
    return Folder(split, "", root, FolderOptions.model_validate(options))


def test_sequences_are_clusters(tree: Path) -> None:
    data = folder(tree)
    assert data.ids() == FRAMES["train"]
    assert [data.cluster(index) for index in range(3)] == ["a", "a", "b"]


def test_instances_and_depth_are_read(tree: Path) -> None:
    sample = folder(tree)[0]
    assert sample.instance is not None
    assert sample.depth is not None
    assert sample.instance.dtype == np.uint16
    assert set(np.unique(sample.instance)) == {0, 1, 2}
    assert sample.depth.dtype == np.float32
    assert set(np.unique(sample.depth)) <= {10, 100}  # half metres; unknown takes the nearest


def test_unknown_depth_is_that_of_the_nearest_pixel(tree: Path) -> None:
    stored = np.zeros((24, 32), np.uint16)
    stored[:, 3], stored[:, 28] = 10, 5000
    cv2.imwrite(str(tree / "depth/train/a/001.png"), stored)
    depth = folder(tree)[0].depth
    assert depth is not None
    assert (depth[:, :15] == 5).all()
    assert (depth[:, 17:] == 300).all()


def test_a_label_space_of_a_taxonomy_can_be_named(tree: Path) -> None:
    from bench.data import taxonomy

    space = folder(tree, label_space="cityscapes-19").label_space
    assert len(taxonomy.load("mseg").members(space)) == 3


def test_classes_of_universal_names_need_no_space(tree: Path) -> None:
    from bench.data import taxonomy

    universal = taxonomy.load("mseg")
    space = folder(tree, classes=["road", "building", "sky"]).label_space
    assert universal.from_space(space)[2] == universal.classes.index("sky")


def test_macs_own_files_are_no_images(tree: Path) -> None:
    (tree / "img/train/a/._001.jpg").write_bytes(b"\x00\x05\x16\x07")
    (tree / "gt/train/a/._001.png").write_bytes(b"\x00\x05\x16\x07")
    assert folder(tree).ids() == FRAMES["train"]


def test_what_labels_mean_is_in_the_fingerprint(tree: Path) -> None:
    prints = {
        folder(tree).fingerprint(),
        folder(tree, depth_unit=2.0).fingerprint(),
        folder(tree, values={0: "road", 1: "sky", 2: "building"}).fingerprint(),
        folder(tree, depth="").fingerprint(),
    }
    assert len(prints) == 4


def test_colours_without_a_class_are_named(tmp_path: Path) -> None:
    coloured(tmp_path)
    options = LAYOUTS[coloured]
    data = Folder(
        "val", "", tmp_path, FolderOptions.model_validate({**options, "void": [[9, 9, 9]]})
    )
    with pytest.raises(DatasetError, match=r"014_color.png: holds the colour \[0, 0, 0\]"):
        data[0]
    data = Folder("val", "", tmp_path, FolderOptions.model_validate({**options, "void": "rest"}))
    assert (data[0].label[:3] == IGNORE_INDEX).all()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"images": "img/a.png"}, "names no field"),
        ({"labels": "gt/{split}/{frame}.png"}, "labels has {frame}, which images has not"),
        ({"images": "img/{city}/{id}.*"}, r"labels has \{split\}|no \{split\}"),
        ({"stored": "colours", "values": {1: "road"}}, "values map stored numbers"),
        ({"void": [[0, 0, 0]]}, "stored: ids it lists numbers"),
        ({"imges": "x"}, "Extra inputs"),
        ({"depth_unit": 0}, "greater than 0"),
    ],
)
def test_options_that_contradict_each_other_are_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        FolderOptions.model_validate({**tree_of("folder").options, **changes})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"classes": "classes.yaml"}, r"classes.yaml: no such file; .* write it"),
        ({"classes": []}, "0 classes; there must be 1 to 255"),
        ({"classes": {"road": 1, "sky": 1}}, "road and sky both have the id 1"),
        ({"classes": {"road": 255}}, "road has the id 255, which is void too"),
        ({"classes": {"road": 0}, "stored": "colours", "void": "rest"}, "road has no colour"),
        ({"values": {1: "raod"}}, "no class 'raod'.*did you mean 'road'"),
        ({"depth": "nowhere/{split}/{city}/{id}.png"}, "nowhere/train: no such folder"),
        ({"splits": {"test": "test"}}, "no /train; it has test"),
        ({"folder": "elsewhere"}, "elsewhere: no such folder; copy"),
    ],
)
def test_what_is_wrong_with_a_folder_is_one_line(
    tree: Path, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(DatasetError, match=says) as raised:
        folder(tree, **changes).check()
    assert "\n" not in str(raised.value)


def test_a_folder_without_a_root_is_missing() -> None:
    with pytest.raises(DatasetMissing, match="--data-root DIR or set BENCH_DATA"):
        folder(None).check()


def test_two_images_of_one_id_are_refused(tree: Path) -> None:
    save(tree / "img/train/a/001.png", np.zeros((24, 32, 3), np.uint8))
    with pytest.raises(DatasetError, match="has the id 'a/001' of"):
        folder(tree).check()


def test_options_may_come_from_a_suite_that_names_the_data_set(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tree / "own.yaml"
    YAML().dump({**SUITE, "train_on": ["scenes"], "test_on": ["camvid"]}, path)
    assert main(["data", "check", "folder", "--root", str(tree), "--options", str(path)]) == 2
    assert "is a suite without a dataset folder" in capsys.readouterr().err


def test_the_documented_data_set_is_one_file(tmp_path: Path) -> None:
    text = Path("docs/own_data.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    save(tmp_path / "lanes/images/train/a.jpg", np.zeros((4, 6, 3), np.uint8))
    save(tmp_path / "lanes/labels/train/a.png", np.full((4, 6), 1, np.uint8))
    data = names["Lanes"]("train", "", tmp_path, NoOptions())
    data.check()
    assert data.published_images == 900
    assert (data[0].label == 1).all()
