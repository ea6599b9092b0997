"""KITTI-STEP: every frame of KITTI's 21 tracking sequences, 19 classes.

This is what CAM-Seg evaluates and calls SemanticKITTI (a set of lidar scans, which it is not):
github.com/mahmed10/CAMSS, ``data/semantickitti.py`` reads ``panoptic_maps``, and its list has
the 2,981 frames of the 9 validation sequences.

Layout: KITTI's ``data_tracking_image_2.zip`` and ``kitti-step.tar.gz``. A label stores the
train id in red and the instance in the other channels, 256 G + B, 0 of stuff and of groups
(github.com/google-research/deeplab2, ``data/utils/create_step_panoptic_maps.py``). Counts:
CAM-Seg's lists.
"""

from __future__ import annotations

import numpy as np

from bench.data.datasets._cityscapes import SHARES, TRAIN_IDS, label_space
from bench.data.files.decode import read_image
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout, Pair

_SPACE = label_space("cityscapes-19").model_copy(update={"things": ("person", "car")})
"""Only these have instances (Weber et al., section 3.1)."""
_VALIDATION = frozenset(f"{number:04d}" for number in (2, 6, 7, 8, 10, 13, 14, 16, 18))


class KittiStep(FolderDataset):
    """KITTI-STEP, frame by frame."""

    title = "KITTI-STEP (tracking sequences, 19 classes)"
    licence = "CC BY-NC-SA 3.0."
    homepage = "https://www.cvlibs.net/datasets/kitti/eval_step.php"
    access = (
        "register at https://www.cvlibs.net/datasets/kitti/eval_step.php and download the left "
        "colour images of the tracking benchmark and the KITTI-STEP annotations"
    )
    citation = """\
@inproceedings{weber2021step,
  title = {{STEP}: Segmenting and Tracking Every Pixel},
  author = {Weber, Mark and Xie, Jun and Collins, Maxwell and Zhu, Yukun and Voigtlaender, Paul
            and Adam, Hartwig and Green, Bradley and Geiger, Andreas and Leibe, Bastian and
            Cremers, Daniel and Ošep, Aljoša and Leal-Taixé, Laura and Chen,
            Liang-Chieh},
  booktitle = {NeurIPS Datasets and Benchmarks},
  year = {2021}
}"""
    splits = ("train", "val")
    published = {"train": 5027, "val": 2981}
    shares = SHARES
    folders = ("kitti_step", "kitti-step", "SemanticKitti")
    encodings = {"train ids": TRAIN_IDS}
    label_space = _SPACE
    """Cityscapes' 19 classes."""
    where = tuple(
        Layout(
            "training/image_02/{sequence}/{frame}.png",
            f"{folder}panoptic_maps/{{split}}/{{sequence}}/{{frame}}.png",
        )
        for folder in ("", "kitti-step/")
    )
    """One folder a sequence; CAM-Seg keeps the labels in a folder of their own."""

    def keeps(self, id: str) -> bool:
        """Split by sequence."""
        return (id.split("/")[0] in _VALIDATION) == (self.split == "val")

    def read_values(self, pair: Pair) -> np.ndarray:
        """Return the red channel: train ids."""
        return read_image(pair.label)[..., 0]

    def read_instance(self, pair: Pair) -> np.ndarray:
        """Return the numbers of things, int32 [H, W]; 0 of a group that was not told apart."""
        colours = read_image(pair.label).astype(np.int32)
        return np.asarray(256 * colours[..., 1] + colours[..., 2])
