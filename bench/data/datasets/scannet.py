"""ScanNet: rooms from hand-held video, the 20 classes of its 2D benchmark.

Layout: ``scannet_frames_25k.zip``, every hundredth frame; label values are the ids of NYU
Depth v2, of which 20 are evaluated. Classes: kaldir.vc.in.tum.de/scannet_benchmark,
``labelids.txt``, in the order of their ids. Split of the spaces: ScanNet v2, as in
github.com/mseg-dataset/mseg-api, ``mseg/dataset_lists/scannet-41``: 19,466 frames to train
and 5,436 to validate. Labels of the test spaces (707 and above) are not public.
Depth is that of the sensor, in millimetres and at its own size.
"""

from __future__ import annotations

import numpy as np

from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import LabelSpace
from bench.data.datasets._nyu40 import COLOURS, IDS
from bench.data.files.decode import read_depth
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout, Pair

_NOT_EVALUATED = {
    *("blinds", "shelves", "dresser", "pillow", "mirror", "floor mat", "clothes", "ceiling"),
    *("books", "television", "paper", "towel", "box", "whiteboard", "person", "night stand"),
    *("lamp", "bag", "otherstructure", "otherprop"),
}
_NAMES = tuple(name for name in COLOURS if name not in _NOT_EVALUATED)
_SPACE = LabelSpace(
    name="scannet-20", classes=_NAMES, palette=tuple(COLOURS[name] for name in _NAMES)
)
_FIRST_TEST_SPACE = "0707"
# fmt: off
_VALIDATION_SPACES = frozenset(f"{number:04d}" for number in (
    11, 15, 19, 25, 30, 46, 50, 63, 64, 77, 81, 84, 86, 88, 95, 100, 131, 139, 144, 146, 149,
    153, 164, 169, 187, 193, 196, 203, 207, 208, 217, 221, 222, 231, 246, 249, 251, 256, 257,
    277, 278, 300, 304, 307, 314, 316, 328, 329, 334, 338, 342, 343, 351, 353, 354, 355, 356,
    357, 377, 378, 382, 389, 406, 412, 414, 423, 426, 427, 430, 432, 435, 441, 458, 461, 462,
    474, 488, 490, 494, 496, 500, 518, 527, 535, 549, 550, 552, 553, 558, 559, 565, 568, 574,
    575, 578, 580, 583, 591, 593, 595, 598, 599, 606, 607, 608, 609, 616, 618, 621, 629, 633,
    643, 644, 645, 647, 648, 651, 652, 653, 655, 658, 660, 663, 664, 665, 670, 671, 678, 684,
    685, 686, 689, 690, 693, 695, 696, 697, 699, 700, 701, 702, 704,
))
# fmt: on


class ScanNet(FolderDataset):
    """The 25,000 frames of ScanNet's 2D benchmark."""

    title = "ScanNet (25k frames, 20 classes)"
    licence = "ScanNet Terms of Use: non-commercial research and teaching."
    homepage = "http://www.scan-net.org"
    access = "sign the terms of use at http://www.scan-net.org and download scannet_frames_25k.zip"
    citation = """\
@inproceedings{dai2017scannet,
  title = {{ScanNet}: Richly-annotated {3D} Reconstructions of Indoor Scenes},
  author = {Dai, Angela and Chang, Angel X. and Savva, Manolis and Halber, Maciej and
            Funkhouser, Thomas and Nießner, Matthias},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
  year = {2017}
}"""
    splits = ("train", "val")
    published = {"train": 19466, "val": 5436}
    folders = ("scannet", "scannet_frames_25k", "scannet/scannet_frames_25k")
    encodings = {
        "NYU ids": {
            **dict.fromkeys(range(len(IDS) + 1), IGNORE_INDEX),
            **{IDS[name]: index for index, name in enumerate(_NAMES)},
        }
    }
    label_space = _SPACE
    """The 20 classes in the order of their ids."""
    where = (
        Layout(
            "scene{space}_{scan}/color/{frame}.jpg",
            "scene{space}_{scan}/label/{frame}.png",
            depth="scene{space}_{scan}/depth/{frame}.png",
        ),
    )
    """One folder a scan of a space, such as ``scene0011_01``."""

    def read_depth(self, pair: Pair) -> np.ndarray | None:
        """Return the depth of the sensor in metres, float32 [480, 640]; None if there is none."""
        return None if pair.depth is None else read_depth(pair.depth, lambda stored: stored / 1000)

    def keeps(self, id: str) -> bool:
        """Split by space, so that no room is in two splits."""
        space = id.split("/")[0]
        validation = space in _VALIDATION_SPACES
        return validation if self.split == "val" else not validation and space < _FIRST_TEST_SPACE

    def cluster(self, index: int) -> str:
        """Return the space, of which there may be several scans."""
        return self.pairs[index].id.split("/")[0]
