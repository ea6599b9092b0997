"""Small copies of the datasets that lie in files, in the layouts of their authors.

Every path is written out as the dataset's documentation has it, so that these trees do not
depend on the layouts that they test. A builder returns nothing and draws all subsets, so that
one root serves a whole dataset.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from tests.helpers.camvid_tree import draw_camvid

SIZE = (24, 32)
LABEL_IDS = tuple(range(34))
TRAIN_IDS = (*range(19), 255)


class Tree(NamedTuple):
    """How to draw a small copy, and one image and label of the default subset in it."""

    draw: Callable[[Path], object]
    split: str
    image: str
    label: str


def draw_image(path: Path, seed: int = 0) -> None:
    """Draw an RGB image of noise; JPEG where the name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)


def some_of(values: Iterable[int], seed: int = 0) -> np.ndarray:
    """Return numbers [H, W] in which every value occurs, if there are pixels enough."""
    values = np.array(list(values))
    order = (np.arange(SIZE[0] * SIZE[1]) + seed) % len(values)
    return values[order].reshape(SIZE)


def draw_label(path: Path, values: Iterable[int], seed: int = 0) -> None:
    """Draw a greyscale label."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(some_of(values, seed).astype(np.uint8)).save(path)


def draw_pairs(root: Path, pairs: Iterable[tuple[str, str]], values: Iterable[int]) -> None:
    """Draw images and their labels, by their paths."""
    values = list(values)
    for seed, (image, label) in enumerate(pairs):
        draw_image(root / image, seed)
        draw_label(root / label, values, seed)


def write_list(path: Path, names: Iterable[str]) -> None:
    """Write names, one a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}\n" for name in names))


CITIES = {
    "train": ("aachen/aachen_000000_000019", "bochum/bochum_000000_000313"),
    "val": ("frankfurt/frankfurt_000000_000294",),
}


def cityscapes(root: Path) -> None:
    for split, frames in CITIES.items():
        for kind, values in (("labelIds", LABEL_IDS), ("labelTrainIds", TRAIN_IDS)):
            images = [f"leftImg8bit/{split}/{frame}_leftImg8bit.png" for frame in frames]
            labels = [f"gtFine/{split}/{frame}_gtFine_{kind}.png" for frame in frames]
            draw_pairs(root, zip(images, labels, strict=True), values)
        for frame in frames:
            draw_instances(root / f"gtFine/{split}/{frame}_gtFine_instanceIds.png")


def draw_instances(path: Path) -> None:
    """Number every thing of the label ids beside it, but bicycles: these are one group."""
    with Image.open(path.with_name(path.name.replace("instanceIds", "labelIds"))) as file:
        ids = np.array(file).astype(np.uint16)
    Image.fromarray(np.where((ids >= 24) & (ids < 33), 1000 * ids + 1, ids)).save(path)


def foggy_cityscapes(root: Path) -> None:
    for split, frames in CITIES.items():
        for frame in frames:
            draw_label(root / f"gtFine/{split}/{frame}_gtFine_labelIds.png", LABEL_IDS)
            for number, beta in enumerate(("0.02", "0.01", "0.005")):
                name = f"{frame}_leftImg8bit_foggy_beta_{beta}.png"
                draw_image(root / "leftImg8bit_foggy" / split / name, number)


def ade20k(root: Path) -> None:
    frames = {"training": ("ADE_train_00000001", "ADE_train_00000002")}
    frames["validation"] = ("ADE_val_00000001",)
    for folder, names in frames.items():
        pairs = [(f"images/{folder}/{n}.jpg", f"annotations/{folder}/{n}.png") for n in names]
        draw_pairs(root, pairs, range(151))


def coco_panoptic(root: Path) -> None:
    """Segments with ids beyond a byte, some of one category; black is void."""
    segments = {0: 0, 3226956: 1, 6979964: 1, 7106: 184, 263: 200}
    for split, names in (("train", ("000000000009", "000000000025")), ("val", ("000000000139",))):
        for seed, name in enumerate(names):
            draw_image(root / f"{split}2017/{name}.jpg", seed)
            ids = some_of(segments, seed)
            colours = np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=-1)
            path = root / f"annotations/panoptic_{split}2017/{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(colours.astype(np.uint8)).save(path)
        listed = [
            {"id": id, "category_id": category, "iscrowd": int(id == 6979964)}
            for id, category in segments.items()
            if category
        ]
        entries = [{"file_name": f"{name}.png", "segments_info": listed} for name in names]
        content = json.dumps({"annotations": entries})
        (root / f"annotations/panoptic_{split}2017.json").write_text(content)


def mapillary(root: Path) -> None:
    frames = {"training": ("--NSVcUgfVhFd6uzkqHOOg", "-0-hPzSlaBvVMPoTeMVFLA")}
    frames["validation"] = ("--BJs76vloEaiH-wppzWNA",)
    for folder, names in frames.items():
        pairs = [(f"{folder}/images/{n}.jpg", f"{folder}/labels/{n}.png") for n in names]
        draw_pairs(root, pairs, range(66))


def idd(root: Path) -> None:
    for split, frames in (("train", ("0/005506", "0/005626")), ("val", ("119/035471",))):
        images = [f"leftImg8bit/{split}/{frame}_leftImg8bit.png" for frame in frames]
        labels = [f"gtFine/{split}/{frame}_gtFine_labelids.png" for frame in frames]
        draw_pairs(root, zip(images, labels, strict=True), range(40))


def bdd(root: Path) -> None:
    frames = {"train": ("0004a4c0-d4dff0ad", "00054602-3bf57337"), "val": ("7d06fefd-f7be05a6",)}
    for split, names in frames.items():
        images = [f"seg/images/{split}/{name}.jpg" for name in names]
        labels = [f"seg/labels/{split}/{name}_train_id.png" for name in names]
        draw_pairs(root, zip(images, labels, strict=True), TRAIN_IDS)


def sunrgbd(root: Path) -> None:
    for split, numbers in (("train", ("000001", "005285")), ("test", ("000001",))):
        images = [f"image/{split}/img-{number}.jpg" for number in numbers]
        labels = [f"label38/{split}/00{number}.png" for number in numbers]
        draw_pairs(root, zip(images, labels, strict=True), range(38))


def voc2012(root: Path) -> None:
    lists = {"train": ("2007_000032", "2007_000039"), "val": ("2007_000033",)}
    lists["trainaug"] = (*lists["train"], "2008_000008")
    for name, frames in lists.items():
        write_list(root / f"ImageSets/Segmentation/{name}.txt", frames)
        for folder in ("SegmentationClass", "SegmentationClassAug"):
            pairs = [(f"JPEGImages/{frame}.jpg", f"{folder}/{frame}.png") for frame in frames]
            draw_pairs(root, pairs, (*range(21), 255))
    (root / "SegmentationClass/2008_000008.png").unlink()
    draw_image(root / "JPEGImages/2007_000027.jpg")  # of another task


def pascal_context(root: Path) -> None:
    for split, frames in (("train", ("2008_000008", "2008_000015")), ("val", ("2008_000002",))):
        write_list(root / f"ImageSets/SegmentationContext/{split}.txt", frames)
        labels = [f"SegmentationClassContext/{frame}.png" for frame in frames]
        images = [f"JPEGImages/{frame}.jpg" for frame in frames]
        draw_pairs(root, zip(images, labels, strict=True), range(60))


CAMVID_COLOURS = ((128, 64, 128), (0, 0, 192), (192, 0, 128), (0, 0, 0), (128, 0, 0))
"""Of the original labels: Road, Sidewalk, Archway, Void and Building."""


def camvid(root: Path) -> None:
    """SegNet's folders, and the original ones beside them."""
    draw_camvid(root)
    for frame in ("0001TP_006690", "0016E5_00390", "0016E5_07959", "0001TP_008550"):
        draw_image(root / f"701_StillsRaw_full/{frame}.png")
        path = root / f"LabeledApproved_full/{frame}_L.png"
        path.parent.mkdir(exist_ok=True)
        colours = np.array(CAMVID_COLOURS, dtype=np.uint8)[some_of(range(5))]
        Image.fromarray(colours).save(path)


def wilddash(root: Path) -> None:
    frames = [f"wd_val_01/{name}_100000" for name in ("au0000", "zm0003")]
    draw_pairs(root, [(f"{f}.png", f"{f}_labelIds.png") for f in frames], LABEL_IDS)


def kitti(root: Path) -> None:
    """Frames 1 and 196 validate."""
    numbers = ("000000", "000001", "000002", "000196")
    pairs = [(f"training/image_2/{n}_10.png", f"training/semantic/{n}_10.png") for n in numbers]
    draw_pairs(root, pairs, LABEL_IDS)


def scannet(root: Path) -> None:
    """Space 11 validates, space 707 has no public labels."""
    frames = ("scene0000_00 000000", "scene0000_01 000100", "scene0011_00 000000")
    for frame in (*frames, "scene0707_00 000000"):
        scan, number = frame.split()
        pair = (f"{scan}/color/{number}.jpg", f"{scan}/label/{number}.png")
        draw_pairs(root, [pair], range(41))


def acdc(root: Path) -> None:
    """A clear-weather reference beside every frame."""
    pairs = []
    for condition in ("fog", "rain", "snow", "night"):
        for split, drive in (("train", "GOPR0475"), ("val", "GOPR0476")):
            for number in ("000041", "000061"):
                frame = f"{drive}/{drive}_frame_{number}"
                for tag in ("", "_ref"):
                    place = f"{condition}/{split}{tag}/{frame}"
                    image = f"rgb_anon/{place}_rgb{tag}_anon.png"
                    pairs.append((image, f"gt/{place}_gt{tag}_labelTrainIds.png"))
    draw_pairs(root, pairs, TRAIN_IDS)


def kitti_step(root: Path) -> None:
    """Train ids in red, instances in green and blue."""
    for split, frames in (("train", ("0000/000000", "0001/000000")), ("val", ("0002/000000",))):
        for frame in frames:
            draw_image(root / f"training/image_02/{frame}.png")
            path = root / f"panoptic_maps/{split}/{frame}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            ids = some_of(TRAIN_IDS)
            Image.fromarray(np.stack([ids, ids * 0, ids * 0 + 7], -1).astype(np.uint8)).save(path)


def cadedgetune(root: Path) -> None:
    """Sequences 1 and 11 to 13 validate."""
    frames = {"SEQ2": "frame0513", "SEQ9": "frame0527", "SEQ13": "frame0309"}
    for folder, name in frames.items():
        pair = (f"{folder}/Images/{name}.jpg", f"{folder}/LabelMasks/{name}_label_mask.png")
        draw_pairs(root, [pair], LABEL_IDS)


_CITY = "val/frankfurt/frankfurt_000000_000294"
_FOG = "fog/val/GOPR0476/GOPR0476_frame_000041"

TREES = {
    "acdc": Tree(acdc, "val", f"rgb_anon/{_FOG}_rgb_anon.png", f"gt/{_FOG}_gt_labelTrainIds.png"),
    "ade20k": Tree(
        ade20k,
        "val",
        "images/validation/ADE_val_00000001.jpg",
        "annotations/validation/ADE_val_00000001.png",
    ),
    "bdd": Tree(
        bdd,
        "val",
        "seg/images/val/7d06fefd-f7be05a6.jpg",
        "seg/labels/val/7d06fefd-f7be05a6_train_id.png",
    ),
    "cadedgetune": Tree(
        cadedgetune,
        "val",
        "SEQ13/Images/frame0309.jpg",
        "SEQ13/LabelMasks/frame0309_label_mask.png",
    ),
    "camvid": Tree(camvid, "val", "val/0016E5_07959.png", "valannot/0016E5_07959.png"),
    "cityscapes": Tree(
        cityscapes,
        "val",
        f"leftImg8bit/{_CITY}_leftImg8bit.png",
        f"gtFine/{_CITY}_gtFine_labelIds.png",
    ),
    "coco_panoptic": Tree(
        coco_panoptic,
        "val",
        "val2017/000000000139.jpg",
        "annotations/panoptic_val2017/000000000139.png",
    ),
    "foggy_cityscapes": Tree(
        foggy_cityscapes,
        "val",
        f"leftImg8bit_foggy/{_CITY}_leftImg8bit_foggy_beta_0.02.png",
        f"gtFine/{_CITY}_gtFine_labelIds.png",
    ),
    "idd": Tree(
        idd,
        "val",
        "leftImg8bit/val/119/035471_leftImg8bit.png",
        "gtFine/val/119/035471_gtFine_labelids.png",
    ),
    "kitti": Tree(
        kitti, "val", "training/image_2/000001_10.png", "training/semantic/000001_10.png"
    ),
    "kitti_step": Tree(
        kitti_step,
        "val",
        "training/image_02/0002/000000.png",
        "panoptic_maps/val/0002/000000.png",
    ),
    "mapillary": Tree(
        mapillary,
        "val",
        "validation/images/--BJs76vloEaiH-wppzWNA.jpg",
        "validation/labels/--BJs76vloEaiH-wppzWNA.png",
    ),
    "pascal_context": Tree(
        pascal_context,
        "val",
        "JPEGImages/2008_000002.jpg",
        "SegmentationClassContext/2008_000002.png",
    ),
    "scannet": Tree(
        scannet, "val", "scene0011_00/color/000000.jpg", "scene0011_00/label/000000.png"
    ),
    "sunrgbd": Tree(sunrgbd, "test", "image/test/img-000001.jpg", "label38/test/00000001.png"),
    "voc2012": Tree(
        voc2012, "val", "JPEGImages/2007_000033.jpg", "SegmentationClass/2007_000033.png"
    ),
    "wilddash": Tree(
        wilddash,
        "val",
        "wd_val_01/au0000_100000.png",
        "wd_val_01/au0000_100000_labelIds.png",
    ),
}
