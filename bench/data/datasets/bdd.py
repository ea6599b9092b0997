"""BDD100K, semantic segmentation: drives across the United States, 19 classes.

Two releases differ in their folders: ``bdd100k_seg.zip`` (``seg/labels/train/*_train_id.png``,
the one that MSeg uses) and the current 10K images with their masks
(``labels/sem_seg/masks``). Both store Cityscapes' train ids. Layouts: MSeg's
``mseg/dataset_lists/bdd`` and doc.bdd100k.com.
"""

from __future__ import annotations

from bench.data.datasets._cityscapes import LABEL_IDS, SHARES, TRAIN_IDS, label_space
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout

_SPACE = label_space("bdd")


class BDD(FolderDataset):
    """The semantic segmentation part of BDD100K."""

    title = "BDD100K (semantic segmentation, 19 classes)"
    licence = "Own licence: educational, research and not-for-profit use."
    homepage = "https://bdd-data.berkeley.edu"
    access = (
        "register at https://bdd-data.berkeley.edu and download the 10K images and their "
        "semantic segmentation labels"
    )
    citation = """\
@inproceedings{yu2020bdd100k,
  title = {{BDD100K}: A Diverse Driving Dataset for Heterogeneous Multitask Learning},
  author = {Yu, Fisher and Chen, Haofeng and Wang, Xin and Xian, Wenqi and Chen, Yingying and
            Liu, Fangchen and Madhavan, Vashisht and Darrell, Trevor},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
  year = {2020}
}"""
    splits = ("train", "val")
    published = {"train": 7000, "val": 1000}
    image_size = (720, 1280)
    shares = SHARES
    folders = ("bdd", "bdd100k", "BDD/bdd100k")
    encodings = {"train ids": TRAIN_IDS, "label ids": LABEL_IDS}
    label_space = _SPACE
    """Cityscapes' 19 classes."""
    where = (
        Layout("seg/images/{split}/{frame}.jpg", "seg/labels/{split}/{frame}_train_id.png"),
        Layout("images/10k/{split}/{frame}.jpg", "labels/sem_seg/masks/{split}/{frame}.png"),
    )
