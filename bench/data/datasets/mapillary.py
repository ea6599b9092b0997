"""Mapillary Vistas, research edition: streets of six continents, 65 classes or 116.

Layout: ``mapillary-vistas-dataset_public`` 1.1 and 1.2 (``training/labels``), and release 2.0
with the labels of both versions (``training/v1.2/labels``, ``training/v2.0/labels``). A subset
is the version of the labels. Of 1.2 the values are the 65 public classes in this order, and 65 is
unlabelled; names and colours as github.com/mseg-dataset/mseg-api lists them,
``mseg/dataset_lists/mapillary-public66``. Of 2.0 they are 124, of which 116 are evaluated and the
others void (``_mapillary2.py``).
"""

from __future__ import annotations

from collections.abc import Mapping

from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import LabelSpace
from bench.data.datasets._mapillary2 import CLASSES
from bench.data.files.colours import distinct
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout
from bench.data.files.raw import Encoding

_CLASSES = (
    ("Bird", (165, 42, 42)),
    ("Ground Animal", (0, 192, 0)),
    ("Curb", (196, 196, 196)),
    ("Fence", (190, 153, 153)),
    ("Guard Rail", (180, 165, 180)),
    ("Barrier", (90, 120, 150)),
    ("Wall", (102, 102, 156)),
    ("Bike Lane", (128, 64, 255)),
    ("Crosswalk - Plain", (140, 140, 200)),
    ("Curb Cut", (170, 170, 170)),
    ("Parking", (250, 170, 160)),
    ("Pedestrian Area", (96, 96, 96)),
    ("Rail Track", (230, 150, 140)),
    ("Road", (128, 64, 128)),
    ("Service Lane", (110, 110, 110)),
    ("Sidewalk", (244, 35, 232)),
    ("Bridge", (150, 100, 100)),
    ("Building", (70, 70, 70)),
    ("Tunnel", (150, 120, 90)),
    ("Person", (220, 20, 60)),
    ("Bicyclist", (255, 0, 0)),
    ("Motorcyclist", (255, 0, 100)),
    ("Other Rider", (255, 0, 200)),
    ("Lane Marking - Crosswalk", (200, 128, 128)),
    ("Lane Marking - General", (255, 255, 255)),
    ("Mountain", (64, 170, 64)),
    ("Sand", (230, 160, 50)),
    ("Sky", (70, 130, 180)),
    ("Snow", (190, 255, 255)),
    ("Terrain", (152, 251, 152)),
    ("Vegetation", (107, 142, 35)),
    ("Water", (0, 170, 30)),
    ("Banner", (255, 255, 128)),
    ("Bench", (250, 0, 30)),
    ("Bike Rack", (100, 140, 180)),
    ("Billboard", (220, 220, 220)),
    ("Catch Basin", (220, 128, 128)),
    ("CCTV Camera", (222, 40, 40)),
    ("Fire Hydrant", (100, 170, 30)),
    ("Junction Box", (40, 40, 40)),
    ("Mailbox", (33, 33, 33)),
    ("Manhole", (100, 128, 160)),
    ("Phone Booth", (142, 0, 0)),
    ("Pothole", (70, 100, 150)),
    ("Street Light", (210, 170, 100)),
    ("Pole", (153, 153, 153)),
    ("Traffic Sign Frame", (128, 128, 128)),
    ("Utility Pole", (0, 0, 80)),
    ("Traffic Light", (250, 170, 30)),
    ("Traffic Sign (Back)", (192, 192, 192)),
    ("Traffic Sign (Front)", (220, 220, 0)),
    ("Trash Can", (140, 140, 20)),
    ("Bicycle", (119, 11, 32)),
    ("Boat", (150, 0, 255)),
    ("Bus", (0, 60, 100)),
    ("Car", (0, 0, 142)),
    ("Caravan", (0, 0, 90)),
    ("Motorcycle", (0, 0, 230)),
    ("On Rails", (0, 80, 100)),
    ("Other Vehicle", (128, 64, 64)),
    ("Trailer", (0, 0, 110)),
    ("Truck", (0, 0, 70)),
    ("Wheeled Slow", (0, 0, 192)),
    ("Car Mount", (32, 32, 32)),
    ("Ego Vehicle", (120, 10, 10)),
)
_EVALUATED = tuple((name, colour) for name, colour in CLASSES if colour is not None)
_SPACES = {
    "1.2": LabelSpace(
        name="mapillary-public65",
        classes=tuple(entry[0] for entry in _CLASSES),
        palette=tuple(entry[1] for entry in _CLASSES),
    ),
    "2.0": LabelSpace(
        name="mapillary-116",
        classes=tuple(entry[0] for entry in _EVALUATED),
        palette=distinct(entry[1] for entry in _EVALUATED),
    ),
}
_CITYSCAPES = (
    *("Road", "Sidewalk", "Building", "Wall", "Fence", "Pole", "Traffic Light"),
    *("Traffic Sign (Front)", "Vegetation", "Terrain", "Sky", "Person", "Bicyclist", "Car"),
    *("Truck", "Bus", "On Rails", "Motorcycle", "Bicycle"),
)
"""What Cityscapes' train ids become: work on domain shift stores labels so."""
_MANY_LIGHTS = {"Traffic Light": "Traffic Light - General (Upright)"}


def _encodings(version: str) -> dict[str, Encoding]:
    classes = _SPACES[version].classes
    names = [_MANY_LIGHTS.get(name, name) if version == "2.0" else name for name in _CITYSCAPES]
    train_ids = {value: classes.index(name) for value, name in enumerate(names)}
    old = {**{index: index for index in range(len(_CLASSES))}, 65: IGNORE_INDEX}
    evaluated = iter(range(len(_EVALUATED)))
    new = {
        value: IGNORE_INDEX if colour is None else next(evaluated)
        for value, (_, colour) in enumerate(CLASSES)
    }
    own = {"public ids": old} if version == "1.2" else {"ids of 2.0": new}
    return {**own, "Cityscapes' train ids": {**train_ids, 255: IGNORE_INDEX}}


_ENCODINGS = {version: _encodings(version) for version in _SPACES}
_FOLDERS = {"train": "training", "val": "validation"}


class Mapillary(FolderDataset):
    """Mapillary Vistas; a subset is the version of the labels."""

    title = "Mapillary Vistas (65 classes of version 1.2, or 116 of 2.0)"
    licence = "CC BY-NC-SA 4.0 (research edition)."
    homepage = "https://www.mapillary.com/dataset/vistas"
    access = "request the research edition at https://www.mapillary.com/dataset/vistas"
    citation = """\
@inproceedings{neuhold2017mapillary,
  title = {The {Mapillary Vistas} Dataset for Semantic Understanding of Street Scenes},
  author = {Neuhold, Gerhard and Ollmann, Tobias and Rota Bulò, Samuel and Kontschieder,
            Peter},
  booktitle = {IEEE International Conference on Computer Vision (ICCV)},
  year = {2017}
}"""
    splits = ("train", "val")
    published = {"train": 18000, "val": 2000}
    subsets = ("1.2", "2.0")
    folders = ("mapillary", "MapillaryVistasPublic", "mapillary-vistas", "mapillary_vistas")

    @property
    def label_space(self) -> LabelSpace:
        """The evaluated classes in the order of their ids."""
        return _SPACES[self.subset]

    @property
    def encodings(self) -> Mapping[str, Encoding]:  # type: ignore[override]
        """The version's own ids, and Cityscapes' train ids."""
        return _ENCODINGS[self.subset]

    def layouts(self) -> tuple[Layout, ...]:
        """Release 1, or the labels of either version within release 2."""
        folder = _FOLDERS[self.split]
        within = ("labels", "v1.2/labels") if self.subset == "1.2" else ("v2.0/labels",)
        return tuple(
            Layout(f"{folder}/images/{{frame}}.jpg", f"{folder}/{labels}/{{frame}}.png")
            for labels in within
        )
