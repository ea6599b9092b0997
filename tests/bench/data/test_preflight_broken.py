"""Broken copies, each named by preflight: what is wrong, and which file shows it.

Every copy is of drawn streets or rooms in the layout of a real data set, and was sound before it
was broken.
"""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from bench.core.errors import DatasetError
from bench.data.dataset import Dataset
from bench.data.datasets import load_dataset_class
from bench.data.datasets._cityscapes import CITYSCAPES_IDS
from bench.data.preflight import inspect, require, require_apart
from bench.data.preflight.copies import check_apart
from bench.data.preflight.finding import Finding

COUNT = 8
STREET, ROOM = (64, 128), (72, 96)
IDD_IDS = {
    **{"road": 0, "sidewalk": 3, "terrain": 5, "person": 6, "rider": 8, "motorcycle": 9},
    **{"bicycle": 10, "car": 12, "truck": 13, "bus": 14, "train": 17, "wall": 20, "fence": 21},
    **{"traffic sign": 24, "traffic light": 25, "pole": 26, "building": 29, "vegetation": 32},
    **{"sky": 33, "void": 35},
}
IDD_LEVEL3 = {
    **{"road": 0, "sidewalk": 2, "terrain": 3, "person": 4, "rider": 5, "motorcycle": 6},
    **{"bicycle": 7, "car": 9, "truck": 10, "bus": 11, "train": 12, "wall": 14, "fence": 15},
    **{"traffic sign": 18, "traffic light": 19, "pole": 20, "building": 22, "vegetation": 24},
    **{"sky": 25, "void": 255},
}
MAPILLARY_IDS = {
    **{"road": 13, "sidewalk": 15, "building": 17, "wall": 6, "fence": 3, "pole": 45},
    **{"traffic light": 48, "traffic sign": 50, "vegetation": 30, "terrain": 29, "sky": 27},
    **{"person": 19, "rider": 20, "car": 55, "truck": 61, "bus": 54, "train": 58},
    **{"motorcycle": 57, "bicycle": 52, "void": 65},
}
VOC_IDS = {
    **{"person": 15, "rider": 15, "car": 7, "truck": 7, "bus": 6, "train": 19, "motorcycle": 14},
    **{"bicycle": 2, "void": 255},
}
SUN_IDS = {
    **{"wall": 1, "floor": 2, "cabinet": 3, "bed": 4, "chair": 5, "sofa": 6, "table": 7, "door": 8},
    **{"window": 9, "bookshelf": 10, "picture": 11, "curtain": 16, "rug": 20, "ceiling": 22},
    **{"television": 25, "person": 31, "lamp": 35, "void": 0},
}
TRAIN_IDS = {**{name: value for value, name in enumerate(CITYSCAPES_IDS)}, "void": 255}
LABEL_IDS = {**CITYSCAPES_IDS, "void": 0}


class Pictures(NamedTuple):
    """Drawn images with their labels."""

    classes: tuple[str, ...]
    images: tuple[np.ndarray, ...]
    labels: tuple[np.ndarray, ...]

    def stored(self, values: Mapping[str, int], other: int) -> list[np.ndarray]:
        """Return labels as a data set stores its classes; ``other`` for those it has not."""
        table = np.full(256, values["void"], np.uint8)
        table[: len(self.classes)] = [values.get(name, other) for name in self.classes]
        return [table[label] for label in self.labels]


def open_scenes(domain: str, size: tuple[int, int]) -> Dataset:
    scenes = load_dataset_class("scenes")
    options = scenes.Options(images=COUNT, height=size[0], width=size[1])
    return scenes("train", domain, None, options)


def draw(domain: str, size: tuple[int, int]) -> Pictures:
    data = open_scenes(domain, size)
    samples = [data[index] for index in range(COUNT)]
    images, labels = ([getattr(s, part) for s in samples] for part in ("image", "label"))
    return Pictures(data.label_space.classes, tuple(images), tuple(labels))


@pytest.fixture(scope="module", autouse=True)
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Pictures]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield {"street": draw("city", STREET), "room": draw("home", ROOM)}


class Copy(NamedTuple):
    """A copy on disk, and how to open it."""

    root: Path
    dataset: str
    images: tuple[Path, ...]
    labels: tuple[Path, ...]
    subset: str = ""
    options: Mapping[str, Any] = {}

    def open(self, split: str = "train") -> Dataset:
        cls = load_dataset_class(self.dataset)
        options = cls.Options.model_validate(self.options)
        return cls(split, self.subset, self.root, options)

    def findings(self) -> list[Finding]:
        """Ask for all that is wrong with the copy, splits against each other included."""
        splits = [self.open(split) for split in self.open().splits_of(self.open().options)]
        found = [finding for split in splits for finding in inspect(split).findings]
        listed = [split for split in splits if inspect(split).reading is not None]
        return found + [finding for _, finding in check_apart(listed)]

    def rewrite_labels(self, change: Callable[[np.ndarray], np.ndarray]) -> None:
        for path in self.labels:
            Image.fromarray(change(np.array(Image.open(path))).astype(np.uint8)).save(path)

    def rewrite_images(self, change: Callable[[np.ndarray], np.ndarray]) -> None:
        for path in self.images:
            Image.fromarray(change(np.array(Image.open(path)))).save(path, quality=95)


LAYOUTS = {
    "cityscapes": (
        "leftImg8bit/{split}/ulm/ulm_{n:06d}_000019_leftImg8bit.png",
        "gtFine/{split}/ulm/ulm_{n:06d}_000019_gtFine_labelIds.png",
    ),
    "idd": (
        "leftImg8bit/{split}/1/{n:06d}_leftImg8bit.png",
        "gtFine/{split}/1/{n:06d}_gtFine_labelids.png",
    ),
    "mapillary": ("{split}/images/{n}.jpg", "{split}/labels/{n}.png"),
    "sunrgbd": ("image/{split}/img-{n:06d}.jpg", "label38/{split}/{n:08d}.png"),
    "voc2012": ("JPEGImages/{split}_{n}.jpg", "SegmentationClass/{split}_{n}.png"),
    "folder": ("img/{split}/{n}.png", "gt/{split}/{n}.png"),
}
VALUES = {
    "cityscapes": (LABEL_IDS, 0),
    "idd": (IDD_IDS, 35),
    "mapillary": (MAPILLARY_IDS, 65),
    "sunrgbd": (SUN_IDS, 0),
    "voc2012": (VOC_IDS, 0),
    "folder": (TRAIN_IDS, 255),
}
OPTIONS = {
    "folder": {
        "images": "img/{split}/{id}.png",
        "labels": "gt/{split}/{id}.png",
        "classes": list(CITYSCAPES_IDS),
    }
}
FOLDERS = {"sunrgbd": ("train", "test"), "mapillary": ("training", "validation")}


def write(root: Path, dataset: str, drawn: Pictures) -> Copy:
    """Write a sound copy: three quarters to train on."""
    images, labels = [], []
    train, test = FOLDERS.get(dataset, ("train", "val"))
    stored = drawn.stored(*VALUES[dataset])
    lists: dict[str, list[str]] = {train: [], test: []}
    for n, (image, label) in enumerate(zip(drawn.images, stored, strict=True)):
        split = test if n % 4 == 3 else train
        paths = [root / part.format(split=split, n=n) for part in LAYOUTS[dataset]]
        for path, content in zip(paths, (image, label), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(content).save(path, quality=95)
        images.append(paths[0])
        labels.append(paths[1])
        lists[split].append(paths[0].stem)
    if dataset == "voc2012":
        for split, names in lists.items():
            path = root / f"ImageSets/Segmentation/{split}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(f"{name}\n" for name in names))
    return Copy(root, dataset, tuple(images), tuple(labels), options=OPTIONS.get(dataset, {}))


def shuffle(copy: Copy) -> None:
    contents = [path.read_bytes() for path in copy.labels]
    for path, content in zip(copy.labels, contents[3:] + contents[:3], strict=True):
        path.write_bytes(content)


def exchange(one: int, other: int) -> Callable[[Copy], None]:
    """Make two stored values change places."""
    table = np.arange(256)
    table[[one, other]] = other, one
    return lambda copy: copy.rewrite_labels(lambda label: table[label])


def store_as(values: Mapping[str, int]) -> Callable[[Copy], None]:
    """Store another kind of ids in the same files."""

    def change(copy: Copy) -> None:
        own, _ = VALUES[copy.dataset]
        table = np.full(256, values["void"])
        for name, value in own.items():
            table[value] = values.get(name, values["void"])
        copy.rewrite_labels(lambda label: table[label])

    return change


def cut(paths: str) -> Callable[[Copy], None]:
    """Leave the first half of a file."""

    def change(copy: Copy) -> None:
        path = getattr(copy, paths)[1]
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return change


def train_on_val(copy: Copy) -> None:
    """Put the images of the test split into the training split, and nothing else."""
    for kind in (copy.images, copy.labels):
        for path in kind:
            if "/train/" in path.as_posix():
                path.unlink()
        for path in kind:
            if "/val/" in path.as_posix():
                shutil.copy(path, path.as_posix().replace("/val/", "/train/"))


def leak_one(copy: Copy) -> None:
    for kind in (copy.images, copy.labels):
        shutil.copy(kind[3], kind[3].as_posix().replace("/val/", "/train/"))


def repeat_images(copy: Copy) -> None:
    for path, label in zip(copy.images[1:], copy.labels[1:], strict=True):
        if "/train/" in path.as_posix():
            shutil.copy(copy.images[0], path)
            shutil.copy(copy.labels[0], label)


def paint(copy: Copy) -> None:
    """Store colours, as viewers show them, in place of ids."""
    copy.rewrite_labels(lambda label: np.stack([label, 255 - label, label // 2], axis=-1))


def blend(copy: Copy) -> None:
    """Store labels that were resized as if they were photographs."""

    def change(label: np.ndarray) -> np.ndarray:
        small = Image.fromarray(label).resize((STREET[1] // 2, STREET[0] // 2), Image.NEAREST)
        return np.array(small.resize(STREET[::-1], Image.BILINEAR))

    copy.rewrite_labels(change)


def roll(label: np.ndarray) -> np.ndarray:
    return np.roll(label, STREET[1] // 10, axis=1)


BROKEN = {
    "labels of other images": ("cityscapes", shuffle, "wrong", "seem to be of other images"),
    "labels mirrored": (
        "cityscapes",
        lambda c: c.rewrite_labels(lambda label: label[:, ::-1]),
        "wrong",
        "seem to be mirrored against their images",
    ),
    "labels upside down": (
        "cityscapes",
        lambda c: c.rewrite_labels(lambda label: label[::-1]),
        "wrong",
        "upside down",
    ),
    "images turned by 180 degrees": (
        "cityscapes",
        lambda c: c.rewrite_images(lambda image: image[::-1, ::-1].copy()),
        "wrong",
        "turned by 180 degrees against their images",
    ),
    "labels moved to the side": (
        "cityscapes",
        lambda c: c.rewrite_labels(roll),
        "wrong",
        "moved (left|right) by about 10%",
    ),
    "two frequent classes swapped": (
        "cityscapes",
        exchange(LABEL_IDS["road"], LABEL_IDS["wall"]),
        "wrong",
        "'road' and 'wall' seem to be swapped",
    ),
    "sky and road swapped, no published shares": (
        "folder",
        exchange(TRAIN_IDS["road"], TRAIN_IDS["sky"]),
        "wrong",
        "'sky' lies at .* 'road' at .* swapped",
    ),
    "black images": (
        "cityscapes",
        lambda c: c.rewrite_images(np.zeros_like),
        "wrong",
        "leftImg8bit.png is of one colour throughout",
    ),
    "trained on what is tested": ("cityscapes", train_on_val, "wrong", "learnt by heart"),
    "one image in both splits": (
        "cityscapes",
        leak_one,
        "note",
        r"ulm_000003_000019_leftImg8bit.png is .*\(1 of 2 images are in both\)",
    ),
    "one image many times": ("cityscapes", repeat_images, "wrong", "has the same pixels as"),
    "zero-based SUN RGB-D": (
        "sunrgbd",
        lambda c: c.rewrite_labels(lambda label: label - 1),
        "wrong",
        "seem to be 'zero is the first class'",
    ),
    "IDD, level 3 in place of 39": ("idd", store_as(IDD_LEVEL3), "wrong", "'level3Ids'"),
    "Mapillary with train ids": (
        "mapillary",
        store_as(TRAIN_IDS),
        "wrong",
        '"Cityscapes\' train ids"',
    ),
    "VOC shifted up": (
        "voc2012",
        lambda c: c.rewrite_labels(lambda label: label + 1),
        "wrong",
        r"'class ids shifted by \+1'",
    ),
    "VOC with its zero reduced": (
        "voc2012",
        lambda c: c.rewrite_labels(lambda label: label - 1),
        "wrong",
        "'class ids shifted by -1'",
    ),
    "Cityscapes with train ids": (
        "cityscapes",
        store_as(TRAIN_IDS),
        "wrong",
        "seem to be 'labelTrainIds'",
    ),
    "labels of a test split": (
        "cityscapes",
        lambda c: c.rewrite_labels(np.zeros_like),
        "wrong",
        "every pixel is void",
    ),
    "labels in colours": ("cityscapes", paint, "wrong", "a label must be one number a pixel"),
    "labels resized as photographs": (
        "cityscapes",
        blend,
        "wrong",
        "lie values between those of their neighbours",
    ),
    "labels of another size": (
        "cityscapes",
        lambda c: c.rewrite_labels(lambda label: label[::2, ::2]),
        "wrong",
        "label is 32x64, its image .* is 64x128",
    ),
    "an image truncated": ("cityscapes", cut("images"), "wrong", "leftImg8bit.png: damaged image"),
    "a label truncated": ("cityscapes", cut("labels"), "wrong", "labelIds.png: damaged image"),
    "a label missing": (
        "cityscapes",
        lambda c: c.labels[0].unlink(),
        "wrong",
        "labelIds.png: label missing",
    ),
    "a listed image missing": (
        "voc2012",
        lambda c: c.images[0].unlink(),
        "wrong",
        "image 'train_0' missing",
    ),
}


def drawn_for(dataset: str, pictures: dict[str, Pictures]) -> Pictures:
    return pictures["room" if dataset == "sunrgbd" else "street"]


@pytest.mark.parametrize("dataset", LAYOUTS)
def test_a_sound_copy_draws_no_remark(dataset, pictures, tmp_path):
    copy = write(tmp_path / "copy", dataset, drawn_for(dataset, pictures))
    remarks = [f for f in copy.findings() if f.level != "ok" and "published" not in f.text]
    assert remarks == []


@pytest.mark.parametrize(("domain", "size"), [("city", STREET), ("home", ROOM)])
def test_drawn_scenes_draw_no_remark(domain, size, pictures):
    found = inspect(open_scenes(domain, size)).findings
    assert [finding for finding in found if finding.level != "ok"] == []


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_copy_is_named(fault, pictures, tmp_path):
    dataset, damage, level, says = BROKEN[fault]
    copy = write(tmp_path / "copy", dataset, drawn_for(dataset, pictures))
    damage(copy)
    found = copy.findings()
    assert [f for f in found if f.level == level and re.search(says, f.text)], found


@pytest.mark.parametrize("fault", ["labels mirrored", "black images"])
def test_what_is_wrong_stops_a_run(fault, pictures, tmp_path):
    dataset, damage, _, says = BROKEN[fault]
    copy = write(tmp_path / "copy", dataset, drawn_for(dataset, pictures))
    said: list[str] = []
    require(copy.open(), said.append)
    damage(copy)
    with pytest.raises(DatasetError, match=says):
        require(copy.open(), said.append)


def test_a_leak_stops_a_run_and_a_single_image_is_said(pictures, tmp_path):
    copy = write(tmp_path / "one", "cityscapes", pictures["street"])
    leak_one(copy)
    said: list[str] = []
    require_apart([copy.open("train"), copy.open("val")], said.append)
    assert "ulm_000003_000019_leftImg8bit.png" in said[0]
    copy = write(tmp_path / "all", "cityscapes", pictures["street"])
    train_on_val(copy)
    with pytest.raises(DatasetError, match="learnt by heart"):
        require_apart([copy.open("train"), copy.open("val")], said.append)
