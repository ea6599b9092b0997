"""Dark Zurich: the same city at night, 19 classes; its 50 annotated night frames.

Layout: ``Dark_Zurich_val_anon.zip``, which mmsegmentation reads in the same folders. The 2,416
night frames to train on have no labels, and those of the 151 test frames are not public. Counts:
Sakaridis, Dai and Van Gool, ICCV 2019, section 4.
"""

from __future__ import annotations

from bench.data.datasets._cityscapes import LABEL_IDS, SHARES, TRAIN_IDS, label_space
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout


class DarkZurich(FolderDataset):
    """The validation frames of Dark Zurich."""

    title = "Dark Zurich (night, 19 classes)"
    licence = "Own licence: non-commercial research and teaching; no redistribution."
    homepage = "https://www.trace.ethz.ch/publications/2019/GCMA_UIoU/"
    access = (
        "download Dark_Zurich_val_anon.zip from "
        "https://www.trace.ethz.ch/publications/2019/GCMA_UIoU/"
    )
    citation = """\
@inproceedings{sakaridis2019guided,
  title = {Guided Curriculum Model Adaptation and Uncertainty-Aware Evaluation for Semantic
           Nighttime Image Segmentation},
  author = {Sakaridis, Christos and Dai, Dengxin and Van Gool, Luc},
  booktitle = {IEEE/CVF International Conference on Computer Vision (ICCV)},
  year = {2019}
}"""
    splits = ("val",)
    published = {"val": 50}
    image_size = (1080, 1920)
    shares = SHARES
    folders = ("dark_zurich", "Dark_Zurich_val_anon")
    encodings = {"labelTrainIds": TRAIN_IDS, "labelIds": LABEL_IDS}
    label_space = label_space("cityscapes-19")
    where = (
        Layout(
            "rgb_anon/{split}/night/{drive}/{frame}_rgb_anon.png",
            "gt/{split}/night/{drive}/{frame}_gt_labelTrainIds.png",
        ),
    )
