"""IDD, the Indian Driving Dataset: unstructured streets, 39 classes.

Layout: ``idd-segmentation.tar.gz`` (IDD 20k part I), with label images that the dataset's own
``preperation/createLabels.py --id-type id`` draws from its polygons. Names, ids and colours:
github.com/AutoNUE/public-code, ``helpers/anue_labels.py``; id 35 is unlabelled. The published
benchmark scores 26 classes (``level3Id``); these are the 39 that MSeg uses.

Deviation: where the published palette gives classes one colour (pole and polegroup, and the
black of all that is not scored), the later ones have colours of their own.
"""

from __future__ import annotations

from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import LabelSpace
from bench.data.files.colours import distinct
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout

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
_SPACE = LabelSpace(name="idd-39", classes=_NAMES, palette=distinct(entry[1] for entry in _CLASSES))


class IDD(FolderDataset):
    """The segmentation part of the Indian Driving Dataset."""

    title = "IDD (20k part I, 39 classes)"
    licence = "Own licence: research and teaching; see the download page."
    homepage = "https://idd.insaan.iiit.ac.in"
    access = (
        "register at https://idd.insaan.iiit.ac.in, download IDD Segmentation (IDD 20k part I) and "
        "run createLabels.py --id-type id of github.com/AutoNUE/public-code"
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
    folders = ("idd", "IDD_Segmentation")
    encodings = {
        "ids": {
            index: IGNORE_INDEX if name == _UNLABELLED else _NAMES.index(name)
            for index, (name, _) in enumerate(_IDS)
        }
    }

    @property
    def label_space(self) -> LabelSpace:
        """The 39 labelled classes in the order of their ids."""
        return _SPACE

    def layouts(self) -> tuple[Layout, ...]:
        """One folder a drive."""
        images = f"leftImg8bit/{self.split}/{{drive}}/{{frame}}_leftImg8bit.png"
        labels = f"gtFine/{self.split}/{{drive}}/{{frame}}_gtFine_labelids.png"
        return (Layout(images, labels),)
