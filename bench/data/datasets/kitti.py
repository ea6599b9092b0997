"""KITTI, pixel-level semantics: 200 frames of Karlsruhe, 19 classes.

Layout: ``data_semantics.zip``; labels are Cityscapes' label ids. The benchmark has no
validation split: GSS and MSeg test on the 50 frames that
github.com/mseg-dataset/mseg-api, ``mseg/dataset_lists/kitti-34/list/val.txt`` draws, and so
does this; the other 150 are ``train``. Labels of the test split are not public.

The frames are those of the stereo benchmark of 2015: where ``training/disp_occ_0`` of its
``data_scene_flow.zip`` lies beside them, there is depth, of a laser that sees the lower two
thirds. Deviation: all frames count as of the camera of most of them, which is within some 2% of
the others'.
"""

from __future__ import annotations

import numpy as np

from bench.data.datasets._cityscapes import LABEL_IDS, SHARES, TRAIN_IDS, label_space
from bench.data.files.decode import read_depth
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout, Pair

_SPACE = label_space("kitti-19")
FOCAL_PX = 721.5377
BASELINE_M = 0.5327
"""Between the two colour cameras, as rectified."""

# fmt: off
_VALIDATION = frozenset(f"{number:06d}" for number in (
    1, 3, 7, 8, 20, 22, 24, 25, 26, 30, 37, 43, 49, 50, 52, 57, 60, 61, 63, 68, 71, 72, 76, 79, 86,
    96, 101, 115, 121, 128, 129, 131, 133, 134, 137, 139, 140, 141, 142, 144, 146, 149, 156, 157,
    169, 175, 178, 190, 192, 196,
))
# fmt: on


class Kitti(FolderDataset):
    """The semantic segmentation benchmark of KITTI, split as MSeg splits it."""

    title = "KITTI (pixel-level semantics, 19 classes)"
    licence = "CC BY-NC-SA 3.0."
    homepage = "https://www.cvlibs.net/datasets/kitti/eval_semantics.php"
    access = (
        "register at https://www.cvlibs.net/datasets/kitti/eval_semantics.php and download "
        "data_semantics.zip"
    )
    citation = """\
@article{alhaija2018augmented,
  title = {Augmented Reality Meets Computer Vision: Efficient Data Generation for Urban Driving
           Scenes},
  author = {Abu Alhaija, Hassan and Mustikovela, Siva Karthik and Mescheder, Lars and Geiger,
            Andreas and Rother, Carsten},
  journal = {International Journal of Computer Vision},
  year = {2018}
}"""
    splits = ("train", "val")
    published = {"train": 150, "val": 50}
    shares = SHARES
    folders = ("kitti", "data_semantics", "kitti/data_semantics")
    encodings = {"label ids": LABEL_IDS, "train ids": TRAIN_IDS}
    label_space = _SPACE
    """Cityscapes' 19 classes."""
    where = (
        Layout(
            "training/image_2/{frame}_10.png",
            "training/semantic/{frame}_10.png",
            depth="training/disp_occ_0/{frame}_10.png",
        ),
    )
    """Both splits are in one folder; every frame is the tenth of its sequence."""

    def read_depth(self, pair: Pair) -> np.ndarray | None:
        """Return the depth of the laser in metres, [H, W]; None without disparities.

        A stored p is a disparity of p / 256 px, and 0 none (``readme.txt`` of the benchmark).
        """
        if pair.depth is None:
            return None
        return read_depth(pair.depth, lambda stored: FOCAL_PX * BASELINE_M * 256 / stored)

    def keeps(self, id: str) -> bool:
        """Split as MSeg does."""
        return (id in _VALIDATION) == (self.split == "val")
