"""IDD, the Indian Driving Dataset: unstructured streets, 39 classes or 26.

Layout: ``idd-segmentation.tar.gz`` (IDD 20k part I), with label images that the dataset's own
``preperation/createLabels.py`` draws from its polygons. Names, ids and colours:
github.com/AutoNUE/public-code, ``helpers/anue_labels.py``. Subset ``39`` has the classes that
MSeg uses (``--id-type id``; id 35 is unlabelled), ``26`` those of the published benchmark
(``--id-type level3Id``; 255 is unlabelled), each under the name of its largest member.

Deviation: where the published palette gives classes one colour (pole and polegroup, and the
black of all that is not scored), the later ones have colours of their own.
"""

from __future__ import annotations

from collections.abc import Mapping

from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import LabelSpace
from bench.data.files.colours import distinct
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout
from bench.data.files.raw import Encoding

_UNLABELLED = "unlabeled"

_IDS = (
    ("road", (128, 64, 128)),
    ("parking", (250, 170, 160)),
    ("drivable fallback", (81, 0, 81)),
    ("sidewalk", (244, 35, 232)),
    ("rail track", (230, 150, 140)),
    ("non-drivable fallback", (152, 251, 152)),
    ("person", (220, 20, 60)),
    ("animal", (246, 198, 145)),
    ("rider", (255, 0, 0)),
    ("motorcycle", (0, 0, 230)),
    ("bicycle", (119, 11, 32)),
    ("autorickshaw", (255, 204, 54)),
    ("car", (0, 0, 142)),
    ("truck", (0, 0, 70)),
    ("bus", (0, 60, 100)),
    ("caravan", (0, 0, 90)),
    ("trailer", (0, 0, 110)),
    ("train", (0, 80, 100)),
    ("vehicle fallback", (136, 143, 153)),
    ("curb", (220, 190, 40)),
    ("wall", (102, 102, 156)),
    ("fence", (190, 153, 153)),
    ("guard rail", (180, 165, 180)),
    ("billboard", (174, 64, 67)),
    ("traffic sign", (220, 220, 0)),
    ("traffic light", (250, 170, 30)),
    ("pole", (153, 153, 153)),
    ("polegroup", (153, 153, 153)),
    ("obs-str-bar-fallback", (169, 187, 214)),
    ("building", (70, 70, 70)),
    ("bridge", (150, 100, 100)),
    ("tunnel", (150, 120, 90)),
    ("vegetation", (107, 142, 35)),
    ("sky", (70, 130, 180)),
    ("fallback background", (169, 187, 214)),
    ("unlabeled", (0, 0, 0)),
    ("ego vehicle", (0, 0, 0)),
    ("rectification border", (0, 0, 0)),
    ("out of roi", (0, 0, 0)),
    ("license plate", (0, 0, 142)),
)
_CLASSES = tuple(entry for entry in _IDS if entry[0] != _UNLABELLED)
_NAMES = tuple(entry[0] for entry in _CLASSES)
_LEVEL3 = (
    *("road", "drivable fallback", "sidewalk", "non-drivable fallback", "person", "rider"),
    *("motorcycle", "bicycle", "autorickshaw", "car", "truck", "bus", "vehicle fallback"),
    *("curb", "wall", "fence", "guard rail", "billboard", "traffic sign", "traffic light"),
    *("pole", "obs-str-bar-fallback", "building", "bridge", "vegetation", "sky"),
)
_MERGED = {
    **{name: name for name in _LEVEL3},
    **{"parking": "drivable fallback", "rail track": "non-drivable fallback"},
    **{"animal": "person", "polegroup": "pole", "tunnel": "bridge"},
    **dict.fromkeys(("caravan", "trailer", "train"), "vehicle fallback"),
    "fallback background": "sky",
}
"""By class of the 39, that of the 26; absent: none, as for the ego vehicle."""
_COLOURS = dict(_IDS)
_SPACES = {
    "39": LabelSpace(
        name="idd-39", classes=_NAMES, palette=distinct(entry[1] for entry in _CLASSES)
    ),
    "26": LabelSpace(
        name="idd-26", classes=_LEVEL3, palette=distinct(_COLOURS[name] for name in _LEVEL3)
    ),
}
_ENCODINGS = {
    "39": {
        "ids": {
            value: IGNORE_INDEX if name == _UNLABELLED else _NAMES.index(name)
            for value, (name, _) in enumerate(_IDS)
        },
        "level3Ids": {
            **{value: _NAMES.index(name) for value, name in enumerate(_LEVEL3)},
            255: IGNORE_INDEX,
        },
    },
    "26": {
        "level3Ids": {**{value: value for value in range(len(_LEVEL3))}, 255: IGNORE_INDEX},
        "ids": {
            value: _LEVEL3.index(_MERGED[name]) if name in _MERGED else IGNORE_INDEX
            for value, (name, _) in enumerate(_IDS)
        },
    },
}
_FILES = {"39": "labelids", "26": "labellevel3Ids"}


class IDD(FolderDataset):
    """The segmentation part of the Indian Driving Dataset."""

    title = "IDD (20k part I, 39 classes, or 26 of the benchmark)"
    licence = "Own licence: research and teaching; see the download page."
    homepage = "https://idd.insaan.iiit.ac.in"
    access = (
        "register at https://idd.insaan.iiit.ac.in, download IDD Segmentation (IDD 20k part I) and "
        "run createLabels.py of github.com/AutoNUE/public-code, --id-type id for 39 classes and "
        "level3Id for 26"
    )
    citation = """\
@inproceedings{varma2019idd,
  title = {{IDD}: A Dataset for Exploring Problems of Autonomous Navigation in Unconstrained
           Environments},
  author = {Varma, Girish and Subramanian, Anbumani and Namboodiri, Anoop and Chandraker,
            Manmohan and Jawahar, C. V.},
  booktitle = {IEEE Winter Conference on Applications of Computer Vision (WACV)},
  year = {2019}
}"""
    splits = ("train", "val")
    published = {"train": 6993, "val": 981}
    subsets = ("39", "26")
    folders = ("idd", "IDD_Segmentation", "IDD/IDD_Segmentation")

    @property
    def label_space(self) -> LabelSpace:
        """The labelled classes in the order of their ids."""
        return _SPACES[self.subset]

    @property
    def encodings(self) -> Mapping[str, Encoding]:  # type: ignore[override]
        """The subset's own ids, and the other one's."""
        return _ENCODINGS[self.subset]

    def layouts(self) -> tuple[Layout, ...]:
        """One folder a drive; images are PNG, and in part II of the 20k JPEG."""
        labels = f"gtFine/{self.split}/{{drive}}/{{frame}}_gtFine_{_FILES[self.subset]}.png"
        return (Layout(f"leftImg8bit/{self.split}/{{drive}}/{{frame}}_leftImg8bit.*", labels),)
