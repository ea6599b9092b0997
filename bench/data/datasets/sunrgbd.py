"""SUN RGB-D: indoor scenes, 37 classes.

Layout: ``sun_rgbd.tgz`` of cvgl.stanford.edu, as MSeg uses it (github.com/mseg-dataset/mseg-api,
``mseg/dataset_lists/sunrgbd-38``), which renames ``label37`` to ``label38``; both names are
read. Values are 0 for unlabelled and 1..37, the first 37 classes of NYU Depth v2. Counts:
github.com/ankurhanda/sunrgbd-meta-data. MSeg evaluates on 475 images of the test split.
Its ``depth`` (github.com/chrischoy/SUN_RGBD, ``README.md``), which MSeg's scripts delete, is read
where it is: millimetres, the lowest three bits moved to the top (``read3dPoints.m`` of
``SUNRGBDtoolbox``).
"""

from __future__ import annotations

import numpy as np

from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import LabelSpace
from bench.data.datasets._nyu40 import COLOURS
from bench.data.files.decode import read_depth
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout, Pair

_NAMES = tuple(COLOURS)[:37]
_SPACE = LabelSpace(
    name="sunrgbd-37", classes=_NAMES, palette=tuple(COLOURS[name] for name in _NAMES)
)


class SunRGBD(FolderDataset):
    """SUN RGB-D in the folders of its reorganised copy."""

    title = "SUN RGB-D (37 classes)"
    licence = "For research, with citation; the authors publish no formal licence."
    homepage = "https://rgbd.cs.princeton.edu"
    access = "download http://cvgl.stanford.edu/data2/sun_rgbd.tgz"
    citation = """\
@inproceedings{song2015sunrgbd,
  title = {{SUN RGB-D}: A {RGB-D} Scene Understanding Benchmark Suite},
  author = {Song, Shuran and Lichtenberg, Samuel P. and Xiao, Jianxiong},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
  year = {2015}
}"""
    splits = ("train", "test")
    published = {"train": 5285, "test": 5050}
    folders = ("sunrgbd", "sun_rgbd")
    encodings = {
        "zero is unlabelled": {
            0: IGNORE_INDEX,
            **{index + 1: index for index in range(len(_NAMES))},
        },
        "zero is the first class": {
            **{index: index for index in range(len(_NAMES))},
            255: IGNORE_INDEX,
        },
    }
    label_space = _SPACE
    """The first 37 classes of NYU Depth v2."""

    def layouts(self) -> tuple[Layout, ...]:
        """Both splits number from 1; labels have two digits more than images."""
        return tuple(
            Layout(
                "image/{split}/img-{frame}.jpg",
                f"{labels}/{{split}}/00{{frame}}.png",
                depth="depth/{split}/00{frame}.png",
            )
            for labels in ("label38", "label37")
        )

    def read_depth(self, pair: Pair) -> np.ndarray | None:
        """Return the depth of the sensor in metres, float32 [H, W]; None if there is none."""
        return None if pair.depth is None else read_depth(pair.depth, _metres)

    def keeps(self, id: str) -> bool:
        """Split by folder."""
        return id.split("/")[0] == self.split

    def cluster(self, index: int) -> str:
        """Return the image's own id: which room it is from is not known."""
        return self.pairs[index].id


def _metres(stored: np.ndarray) -> np.ndarray:
    """Undo the rotation of the stored bits; millimetres to metres."""
    bits = stored.astype(np.uint16)
    return ((bits >> 3) | (bits << 13)).astype(np.float64) / 1000
