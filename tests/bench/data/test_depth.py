"""Depth as data sets ship it, in metres, and what has it falls under fog by its distance."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.core.errors import DatasetError
from bench.core.schema import Condition, DataRef, Protocol
from bench.data.dataset import Dataset
from bench.data.datasets import load_dataset_class
from bench.data.split import Split
from tests.helpers.trees import SIZE, trees_in_files

TREES = trees_in_files()
CAMERA = {"extrinsic": {"baseline": 0.2}, "intrinsic": {"fx": 2000.0}}


def open_split(name: str, root: Path) -> Dataset:
    cls = load_dataset_class(name)
    return cls(TREES[name].split, "", root, cls.Options())


def rotated(millimetres: int) -> int:
    """As SUN RGB-D stores it: the lowest three bits of the file are the highest of the value."""
    return (millimetres << 3 | millimetres >> 13) & 0xFFFF


STORED = {
    "cityscapes": (
        "disparity/val/frankfurt/frankfurt_000000_000294_disparity.png",
        25601,
        4.735748,
    ),
    "kitti": ("training/disp_occ_0/000001_10.png", 25600, 3.843632),
    "scannet": ("scene0011_00/depth/000000.png", 2500, 2.5),
    "sunrgbd": ("depth/test/00000001.png", rotated(2500), 2.5),
}
"""By data set a file of depth, a value in it, and the metres that it stands for."""


def draw_depth(root: Path, name: str) -> Path:
    """Write the value into the left half of the depth of the first image; right is unknown."""
    path, value, _ = STORED[name]
    stored = np.zeros(SIZE, np.uint16)
    stored[:, : SIZE[1] // 2] = value
    places = [root / path]
    if name == "kitti":  # the folder is one for both splits
        places += [root / f"training/disp_occ_0/{n}_10.png" for n in ("000000", "000002", "000196")]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(stored).save(place)
    return places[0]


@pytest.mark.parametrize("name", STORED)
def test_depth_is_in_metres_and_unknown_depth_the_nearest(name, tmp_path):
    TREES[name].draw(tmp_path)
    without = open_split(name, tmp_path)
    assert without[0].depth is None
    before = without.fingerprint()
    draw_depth(tmp_path, name)
    data = open_split(name, tmp_path)
    depth = data[0].depth
    assert depth is not None
    assert depth.dtype == np.float32
    np.testing.assert_allclose(depth, STORED[name][2], rtol=1e-6)
    assert data.fingerprint() != before


def test_cityscapes_takes_the_camera_of_the_frame(tmp_path):
    TREES["cityscapes"].draw(tmp_path)
    draw_depth(tmp_path, "cityscapes")
    before = open_split("cityscapes", tmp_path).fingerprint()
    path = tmp_path / "camera/val/frankfurt/frankfurt_000000_000294_camera.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(CAMERA))
    data = open_split("cityscapes", tmp_path)
    np.testing.assert_allclose(data[0].depth, 2000 * 0.2 / 100, rtol=1e-6)
    assert data.fingerprint() != before
    path.write_text("{}")
    with pytest.raises(DatasetError, match=r"_camera.json: no camera.*replace it"):
        open_split("cityscapes", tmp_path)[0]


def test_depth_of_some_frames_alone_is_refused(tmp_path):
    TREES["kitti"].draw(tmp_path)
    draw_depth(tmp_path, "kitti").unlink()
    with pytest.raises(DatasetError, match=r"000001_10.png: depth missing.*copy it"):
        open_split("kitti", tmp_path).check()


def test_fog_follows_the_depth_of_the_data_set(tmp_path):
    TREES["scannet"].draw(tmp_path)
    protocol = Protocol(resize=SIZE)
    reference = DataRef(dataset="scannet", split="val")
    fog = Condition(corruption="depth_fog", severity=3)
    image = np.full((*SIZE, 3), 10, np.uint8)
    image[:8] = 240  # where fog takes its colour from
    Image.fromarray(image).save(tmp_path / "scene0011_00/color/000000.jpg", quality=95)

    def foggy() -> np.ndarray:
        return Split(open_split("scannet", tmp_path), reference, protocol).load(0, fog).image

    by_guess = foggy()
    depth = np.full(SIZE, 500, np.uint16)  # half a metre
    depth[:, SIZE[1] // 2 :] = 60_000
    (tmp_path / "scene0011_00/depth").mkdir()
    Image.fromarray(depth).save(tmp_path / "scene0011_00/depth/000000.png")
    by_sensor = foggy()
    assert (by_sensor != by_guess).any()
    near, far = by_sensor[16:, : SIZE[1] // 2], by_sensor[16:, SIZE[1] // 2 :]
    assert near.max() < far.min()
