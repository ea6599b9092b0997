"""MSeg's relabelled masks of the seven sets that it trains on: one subset a set.

More than 220,000 masks were relabelled so that every class is one universal class, which the
sets' own labels are not (arXiv:1912.13193; in its authors' README worth 1.6 points of harmonic
mean). GSS's tables 6 to 8 train on these.

Layout: as mseg-dataset/mseg-api writes it below ``mseg_dataset`` and fudan-zvg/GSS,
``configs/gss/_base_/datasets/mseg_512x512.py``, reads it. A label value is the place of its class
in ``mseg/dataset_lists/<set>-relabeled/<set>-relabeled_names.txt``, whose order
``bench/data/taxonomies/mseg.tsv`` has. Counts: those of the sets themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from bench.core.schema import IGNORE_INDEX
from bench.data import taxonomy
from bench.data.dataset import LabelSpace
from bench.data.files.colours import colormap
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout


class _MaskLayout(NamedTuple):
    """One set's training images and masks, below ``mseg_dataset``."""

    name: str
    """Of its label space in MSeg's taxonomy, which ends in ``-relabeled``."""
    folder: str
    images: str
    labels: str
    published: int


_SETS: Mapping[str, _MaskLayout] = {
    "ade20k": _MaskLayout(
        "ade20k-150",
        "ADE20K/ADEChallengeData2016",
        "images/training/{frame}.jpg",
        "annotations_semseg150_relabeled/training/{frame}.png",
        20210,
    ),
    "bdd": _MaskLayout(
        "bdd",
        "BDD/bdd100k",
        "seg/images/train/{frame}.jpg",
        "seg_relabeled/labels/train/{frame}_train_id.png",
        7000,
    ),
    "cityscapes": _MaskLayout(
        "cityscapes-19",
        "Cityscapes",
        "leftImg8bit/train/{city}/{frame}_leftImg8bit.png",
        "gtFine_19cls_relabeled/train/{city}/{frame}_gtFine_labelIds.png",
        2975,
    ),
    "coco_panoptic": _MaskLayout(
        "coco-panoptic-133",
        "COCOPanoptic",
        "images/train2017/{frame}.jpg",
        "semantic_relabeled133/train2017/{frame}.png",
        118287,
    ),
    "idd": _MaskLayout(
        "idd-39",
        "IDD/IDD_Segmentation",
        "leftImg8bit/train/{drive}/{frame}_leftImg8bit.png",
        "gtFine39_relabeled/train/{drive}/{frame}_gtFine_labelids.png",
        6993,
    ),
    "mapillary": _MaskLayout(
        "mapillary-public65",
        "MapillaryVistasPublic",
        "training/images/{frame}.jpg",
        "training_semseg65_relabeled/labels/{frame}.png",
        18000,
    ),
    "sunrgbd": _MaskLayout(
        "sunrgbd-37",
        "SUNRGBD",
        "image/train/img-{frame}.jpg",
        "semseg-relabeled37/train/00{frame}.png",
        5285,
    ),
}


@cache
def _space(name: str) -> LabelSpace:
    """Return the classes of a relabelled set in the order of their label values."""
    spaces = taxonomy.load("mseg").spaces
    classes = tuple(entry.names[0] for entry in spaces[f"{name}-relabeled"])
    palette = colormap(len(classes))
    return LabelSpace(name=f"{name}-relabeled", classes=classes, palette=palette)


class MSegRelabeled(FolderDataset):
    """The relabelled masks; a subset is the set that the images are of."""

    title = "MSeg, relabelled masks of its seven training sets"
    licence = "That of each set, and of MSeg's masks; see the download page."
    homepage = "https://github.com/mseg-dataset/mseg-api"
    access = (
        "follow download_scripts/README.md of https://github.com/mseg-dataset/mseg-api, with every "
        "set's own registration, to the end of its relabelling"
    )
    citation = """\
@inproceedings{lambert2020mseg,
  title = {{MSeg}: A Composite Dataset for Multi-domain Semantic Segmentation},
  author = {Lambert, John and Liu, Zhuang and Sener, Ozan and Hays, James and Koltun, Vladlen},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
  year = {2020}
}"""
    splits = ("train",)
    subsets = tuple(_SETS)
    published = {f"{subset}/train": masks.published for subset, masks in _SETS.items()}
    folders = ("mseg_dataset", "mseg_relabeled")
    encodings = {
        subset: {
            **{index: index for index in range(len(_space(masks.name).classes))},
            255: IGNORE_INDEX,
        }
        for subset, masks in _SETS.items()
    }

    @property
    def label_space(self) -> LabelSpace:
        """The subset's classes, each of which is one universal class."""
        return _space(_SETS[self.subset].name)

    @property
    def encoding(self) -> str:
        """The subset's own, as every subset has other classes."""
        return self.subset

    def layouts(self) -> tuple[Layout, ...]:
        """As GSS's configuration reads them."""
        masks = _SETS[self.subset]
        return (Layout(f"{masks.folder}/{masks.images}", f"{masks.folder}/{masks.labels}"),)
