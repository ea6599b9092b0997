"""ACDC: Swiss streets in fog, rain and snow and at night, 19 classes.

Layout: ``rgb_anon_trainvaltest.zip`` and ``gt_trainval.zip``. A subset is a condition. The
clear-weather reference frames (``train_ref``, ``val_ref``) are never read: CAM-Seg's published
lists count 50 of them among the 150 frames of each condition, so that a third of its fog is
none (github.com/mahmed10/CAMSS, ``dataset/ACDC/vallist_fog.txt``). Counts: the paper, Table 2,
and those lists. Labels of the test split are not public.
"""

from __future__ import annotations

from bench.data.datasets._cityscapes import LABEL_IDS, SHARES, TRAIN_IDS, label_space
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout

_SPACE = label_space("cityscapes-19")


class ACDC(FolderDataset):
    """The adverse conditions of ACDC, one a subset."""

    title = "ACDC (adverse conditions, 19 classes)"
    licence = "Own licence: non-commercial research and teaching; no redistribution."
    homepage = "https://acdc.vision.ee.ethz.ch"
    access = (
        "register at https://acdc.vision.ee.ethz.ch and download rgb_anon_trainvaltest.zip and "
        "gt_trainval.zip"
    )
    citation = """\
@inproceedings{sakaridis2021acdc,
  title = {{ACDC}: The Adverse Conditions Dataset with Correspondences for Semantic Driving Scene
           Understanding},
  author = {Sakaridis, Christos and Dai, Dengxin and Van Gool, Luc},
  booktitle = {IEEE/CVF International Conference on Computer Vision (ICCV)},
  year = {2021}
}"""
    splits = ("train", "val")
    subsets = ("fog", "rain", "snow", "night")
    published = {"train": 400, "val": 100, "night/val": 106}
    image_size = (1080, 1920)
    shares = SHARES
    folders = ("acdc",)
    encodings = {"labelTrainIds": TRAIN_IDS, "labelIds": LABEL_IDS}
    label_space = _SPACE
    """Cityscapes' 19 classes."""
    where = (
        Layout(
            "rgb_anon/{subset}/{split}/{drive}/{frame}_rgb_anon.png",
            "gt/{subset}/{split}/{drive}/{frame}_gt_labelTrainIds.png",
        ),
    )
