"""WildDash 2: hazardous streets of the whole world, 26 classes, or Cityscapes' 19.

Layout: ``wd_public_v2p0.zip`` (or ``wd_public_02.zip``): ``images``, and labels in COCO's panoptic
format in ``panoptic`` and ``panoptic.json``. Its 4,256 public frames are not split; the labels of
the benchmark's are not public. Subset ``26`` has the classes of the benchmark, ``19`` those of
Cityscapes, both as the unified label policy merges the 81 stored ones
(github.com/ozendelait/wilddash_scripts, ``wd2_unified_label_policy.json``). Count: Zendel et al.,
CVPR 2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import LabelSpace
from bench.data.datasets._cityscapes import label_space
from bench.data.files.layout import Layout
from bench.data.files.panoptic import PanopticFolder
from bench.data.files.raw import Encoding

_STORED = (
    *("unlabeled", "egovehicle", "overlay", "outofroi", "static", "dynamic", "ground", "road"),
    *("sidewalk", "parking", "railtrack", "building", "wall", "fence", "guardrail", "bridge"),
    *("tunnel", "pole", "polegroup", "trafficlight", "trafficsign", "vegetation", "terrain"),
    *("sky", "person", "rider", "car", "truck", "bus", "caravan", "trailer", "onrails"),
    *("motorcycle", "bicycle", "pickup", "van", "billboard", "streetlight", "roadmarking"),
    *("junctionbox", "mailbox", "manhole", "phonebooth", "pothole", "bikerack"),
    *("trafficsignframe", "utilitypole", "motorcyclist", "bicyclist", "otherrider", "bird"),
    *("groundanimal", "curb", "trafficsignany", "trafficsignback", "trashcan", "otherbarrier"),
    *("othervehicle", "autorickshaw", "bench", "mountain", "tramtrack", "wheeledslow", "boat"),
    *("bikelane", "bikelanesidewalk", "banner", "dashcammount", "water", "sand"),
    *("pedestrianarea", "firehydrant", "cctvcamera", "snow", "catchbasin", "crosswalkplain"),
    *("crosswalkzebra", "manholesidewalk", "curbterrain", "servicelane", "curbcut"),
)
"""By id."""
_EVALUATED = (  # name, colour, whether its objects are told apart
    ("egovehicle", (0, 20, 50), True),
    ("road", (128, 64, 128), False),
    ("sidewalk", (244, 35, 232), False),
    ("building", (70, 70, 70), False),
    ("wall", (102, 102, 156), False),
    ("fence", (190, 153, 153), False),
    ("guardrail", (180, 165, 180), False),
    ("pole", (152, 152, 152), True),
    ("trafficlight", (250, 170, 30), True),
    ("trafficsign", (220, 220, 0), True),
    ("vegetation", (107, 142, 35), False),
    ("terrain", (152, 251, 152), False),
    ("sky", (70, 130, 180), False),
    ("person", (220, 20, 60), True),
    ("rider", (255, 0, 0), True),
    ("car", (0, 0, 142), True),
    ("truck", (0, 0, 70), True),
    ("bus", (0, 60, 100), True),
    ("onrails", (0, 80, 100), True),
    ("motorcycle", (0, 0, 230), True),
    ("bicycle", (119, 11, 32), True),
    ("pickup", (40, 0, 100), True),
    ("van", (0, 40, 120), True),
    ("billboard", (174, 64, 67), True),
    ("streetlight", (210, 170, 100), True),
    ("roadmarking", (196, 176, 128), False),
)
_MERGED = {
    **{name: name for name, _, _ in _EVALUATED},
    **dict.fromkeys(("polegroup", "trafficsignframe", "utilitypole"), "pole"),
    **dict.fromkeys(
        [
            "manhole",
            "pothole",
            "tramtrack",
            "bikelane",
            "pedestrianarea",
            "catchbasin",
            "crosswalkplain",
            "crosswalkzebra",
            "servicelane",
        ],
        "road",
    ),
    **dict.fromkeys(("motorcyclist", "bicyclist", "otherrider"), "rider"),
    **dict.fromkeys(("curb", "bikelanesidewalk", "manholesidewalk", "curbcut"), "sidewalk"),
    "otherbarrier": "wall",
    "autorickshaw": "motorcycle",
    "dashcammount": "egovehicle",
    "curbterrain": "terrain",
}
"""By stored class, that of the benchmark; absent: none."""
_NOT_IN_CITYSCAPES = {"egovehicle", "guardrail", "billboard", "streetlight", "polegroup"}
_CITYSCAPES = {
    **{"trafficlight": "traffic light", "trafficsign": "traffic sign", "onrails": "train"},
    **{"pickup": "truck", "van": "car", "roadmarking": "road"},
}
"""By class of the benchmark, that of Cityscapes where its name is another."""
_SPACES = {
    "26": LabelSpace(
        name="wilddash2-26",
        classes=tuple(entry[0] for entry in _EVALUATED),
        palette=tuple(entry[1] for entry in _EVALUATED),
        things=tuple(entry[0] for entry in _EVALUATED if entry[2]),
    ),
    "19": label_space("cityscapes-19"),
}


def _class_of(stored: str, subset: str) -> int:
    name = _MERGED.get(stored)
    if name is None or (subset == "19" and {stored, name} & _NOT_IN_CITYSCAPES):
        return IGNORE_INDEX
    name = _CITYSCAPES.get(name, name) if subset == "19" else name
    return _SPACES[subset].classes.index(name)


class WildDash2(PanopticFolder):
    """The public frames of WildDash 2."""

    title = "WildDash 2 (26 classes, or Cityscapes' 19)"
    licence = "Own licence: non-commercial; see https://wilddash.cc/license/wilddash."
    homepage = "https://wilddash.cc"
    access = "register at https://wilddash.cc and download wd_public_v2p0.zip"
    citation = """\
@inproceedings{zendel2022unifying,
  title = {Unifying Panoptic Segmentation for Autonomous Driving},
  author = {Zendel, Oliver and Schörghuber, Matthias and Rainer, Bernhard and Murschitz, Markus
            and Beleznai, Csaba},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
  year = {2022}
}"""
    splits = ("public",)
    subsets = ("26", "19")
    published = {"public": 4256}
    image_size = (1080, 1920)
    folders = ("wilddash2", "wd_public_v2p0", "wd_public_02", "wilddash")
    where = (Layout("images/{frame}.jpg", "panoptic/{frame}.png"),)

    @property
    def label_space(self) -> LabelSpace:
        """The subset's classes in the order of their ids."""
        return _SPACES[self.subset]

    @property
    def encodings(self) -> Mapping[str, Encoding]:  # type: ignore[override]
        """What a stored category is in the subset's classes."""
        return {
            "category ids": {
                value: _class_of(name, self.subset) for value, name in enumerate(_STORED)
            }
        }

    @property
    def segments_file(self) -> Path:
        """One file for all frames."""
        return self.folder / "panoptic.json"

    def is_thing(self, category: int) -> bool:
        """Whether a stored category is of a class whose objects are told apart."""
        k = self.encodings["category ids"].get(category, IGNORE_INDEX)
        return k != IGNORE_INDEX and self.label_space.classes[k] in self.label_space.things

    def cluster(self, index: int) -> str:
        """Return the frame's own id: every frame is of another video."""
        return self.pairs[index].id
