"""Copies as other programs leave them on disk are read as they are."""

import shutil
from pathlib import Path

import pytest

from bench.data.dataset import Dataset
from bench.data.datasets import load_dataset_class
from tests.helpers.trees import draw_image, draw_label, trees_in_files, write_list

TREES = trees_in_files()

MMSEGMENTATION = {
    "acdc": "acdc",
    "ade20k": "ade/ADEChallengeData2016",
    "bdd": "bdd100k",
    "cityscapes": "cityscapes",
    "coco_stuff": "coco_stuff164k",
    "dark_zurich": "dark_zurich",
    "mapillary": "mapillary",
    "pascal_context": "VOCdevkit/VOC2010",
    "voc2012": "VOCdevkit/VOC2012",
}
"""Below ``data``, by ``docs/en/user_guides/2_dataset_prepare.md``."""
MSEG = {
    "ade20k": "ADE20K/ADEChallengeData2016",
    "bdd": "BDD/bdd100k",
    "camvid": "Camvid",
    "cityscapes": "Cityscapes",
    "coco_panoptic": "COCOPanoptic",
    "idd": "IDD/IDD_Segmentation",
    "kitti": "KITTI",
    "mapillary": "MapillaryVistasPublic",
    "pascal_context": "PASCAL_Context",
    "scannet": "ScanNet/scannet_frames_25k",
    "sunrgbd": "SUNRGBD",
    "voc2012": "PASCAL_VOC_2012",
    "wilddash": "WildDash",
}
"""Below ``mseg_dataset``, by ``mseg/utils/dataset_config.py``."""
DETECTRON2 = {
    "ade20k": "ADEChallengeData2016",
    "cityscapes": "cityscapes",
    "coco_panoptic": "coco",
    "mapillary": "mapillary_vistas",
}
"""Below ``datasets``, by ``datasets/README.md``, and Mask2Former's."""
PLACES = [
    *(("mmsegmentation", *entry) for entry in MMSEGMENTATION.items()),
    *(("mseg", *entry) for entry in MSEG.items()),
    *(("detectron2", *entry) for entry in DETECTRON2.items()),
]


def open_split(name: str, root: Path, split: str = "", subset: str = "") -> Dataset:
    cls = load_dataset_class(name)
    return cls(split or TREES[name].split, subset, root, cls.Options())


@pytest.mark.parametrize(("program", "name", "place"), PLACES)
def test_a_copy_is_found_where_a_program_keeps_it(program, name, place, tmp_path):
    TREES[name].draw(tmp_path / place)
    data = open_split(name, tmp_path)
    data.check()
    assert len(data) > 0
    assert data.folder.samefile(tmp_path / place)


@pytest.mark.parametrize("name", TREES)
def test_files_that_a_mac_leaves_are_no_images(name, tmp_path):
    TREES[name].draw(tmp_path)
    before = open_split(name, tmp_path)
    ids, fingerprint = before.ids(), before.fingerprint()
    for path in sorted(p for p in tmp_path.rglob("*") if p.is_file()):
        path.with_name(f"._{path.name}").write_bytes(b"\x00\x05\x16\x07")
    for folder in sorted(p for p in tmp_path.rglob("*") if p.is_dir()):
        (folder / ".DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1")
    after = open_split(name, tmp_path)
    assert after.ids() == ids
    assert after.fingerprint() == fingerprint


def test_detectron2_keeps_panoptic_labels_beside_the_annotations(tmp_path):
    TREES["coco_panoptic"].draw(tmp_path / "coco")
    for split in ("train", "val"):
        folder = tmp_path / f"coco/annotations/panoptic_{split}2017"
        shutil.move(folder, tmp_path / f"coco/panoptic_{split}2017")
    data = open_split("coco_panoptic", tmp_path)
    assert data.pairs[0].label.match("coco/panoptic_val2017/*.png")
    assert data[0].label.shape == data[0].image.shape[:2]


def test_mmsegmentation_writes_the_added_annotations_of_voc_alone(tmp_path):
    root = tmp_path / "VOCdevkit/VOC2012"
    for frame, folder in (("2007_000032", "SegmentationClass"), ("2008_1", "SegmentationClassAug")):
        draw_image(root / f"JPEGImages/{frame}.jpg")
        draw_label(root / f"{folder}/{frame}.png", (0, 20, 255))
    write_list(root / "ImageSets/Segmentation/train.txt", ["2007_000032"])
    write_list(root / "ImageSets/Segmentation/aug.txt", ["2008_1"])
    data = open_split("voc2012", tmp_path, "train", "aug")
    assert data.ids() == ("2007_000032", "2008_1")
    assert [pair.label.parent.name for pair in data.pairs] == [
        "SegmentationClass",
        "SegmentationClassAug",
    ]


def test_msegs_lists_name_images_and_labels(tmp_path):
    root = tmp_path / "PASCAL_VOC_2012"
    for frame in ("2007_000032", "2007_000033"):
        draw_image(root / f"JPEGImages/{frame}.jpg")
        draw_label(root / f"SegmentationClassAug/{frame}.png", (0, 20, 255))
    line = "JPEGImages/2007_000033.jpg SegmentationClassAug/2007_000033.png"
    write_list(root / "list/val.txt", [line])
    assert open_split("voc2012", tmp_path, "val", "aug").ids() == ("2007_000033",)
