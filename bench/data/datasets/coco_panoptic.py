"""COCO panoptic: everyday scenes, 80 things and 53 stuff classes.

Layout: ``train2017/`` and ``val2017/`` (also below ``images/``), and from
``panoptic_annotations_trainval2017.zip`` ``annotations/panoptic_val2017.json`` and the folder
of the same name, which detectron2 keeps beside ``annotations/``. Classes,
category ids and colours: github.com/cocodataset/panopticapi, ``panoptic_coco_categories.json``.
"""

from __future__ import annotations

from pathlib import Path

from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import LabelSpace
from bench.data.files.layout import Layout
from bench.data.files.panoptic import PanopticFolder

_CLASSES = (  # name, category id, colour
    ("person", 1, (220, 20, 60)),
    ("bicycle", 2, (119, 11, 32)),
    ("car", 3, (0, 0, 142)),
    ("motorcycle", 4, (0, 0, 230)),
    ("airplane", 5, (106, 0, 228)),
    ("bus", 6, (0, 60, 100)),
    ("train", 7, (0, 80, 100)),
    ("truck", 8, (0, 0, 70)),
    ("boat", 9, (0, 0, 192)),
    ("traffic light", 10, (250, 170, 30)),
    ("fire hydrant", 11, (100, 170, 30)),
    ("stop sign", 13, (220, 220, 0)),
    ("parking meter", 14, (175, 116, 175)),
    ("bench", 15, (250, 0, 30)),
    ("bird", 16, (165, 42, 42)),
    ("cat", 17, (255, 77, 255)),
    ("dog", 18, (0, 226, 252)),
    ("horse", 19, (182, 182, 255)),
    ("sheep", 20, (0, 82, 0)),
    ("cow", 21, (120, 166, 157)),
    ("elephant", 22, (110, 76, 0)),
    ("bear", 23, (174, 57, 255)),
    ("zebra", 24, (199, 100, 0)),
    ("giraffe", 25, (72, 0, 118)),
    ("backpack", 27, (255, 179, 240)),
    ("umbrella", 28, (0, 125, 92)),
    ("handbag", 31, (209, 0, 151)),
    ("tie", 32, (188, 208, 182)),
    ("suitcase", 33, (0, 220, 176)),
    ("frisbee", 34, (255, 99, 164)),
    ("skis", 35, (92, 0, 73)),
    ("snowboard", 36, (133, 129, 255)),
    ("sports ball", 37, (78, 180, 255)),
    ("kite", 38, (0, 228, 0)),
    ("baseball bat", 39, (174, 255, 243)),
    ("baseball glove", 40, (45, 89, 255)),
    ("skateboard", 41, (134, 134, 103)),
    ("surfboard", 42, (145, 148, 174)),
    ("tennis racket", 43, (255, 208, 186)),
    ("bottle", 44, (197, 226, 255)),
    ("wine glass", 46, (171, 134, 1)),
    ("cup", 47, (109, 63, 54)),
    ("fork", 48, (207, 138, 255)),
    ("knife", 49, (151, 0, 95)),
    ("spoon", 50, (9, 80, 61)),
    ("bowl", 51, (84, 105, 51)),
    ("banana", 52, (74, 65, 105)),
    ("apple", 53, (166, 196, 102)),
    ("sandwich", 54, (208, 195, 210)),
    ("orange", 55, (255, 109, 65)),
    ("broccoli", 56, (0, 143, 149)),
    ("carrot", 57, (179, 0, 194)),
    ("hot dog", 58, (209, 99, 106)),
    ("pizza", 59, (5, 121, 0)),
    ("donut", 60, (227, 255, 205)),
    ("cake", 61, (147, 186, 208)),
    ("chair", 62, (153, 69, 1)),
    ("couch", 63, (3, 95, 161)),
    ("potted plant", 64, (163, 255, 0)),
    ("bed", 65, (119, 0, 170)),
    ("dining table", 67, (0, 182, 199)),
    ("toilet", 70, (0, 165, 120)),
    ("tv", 72, (183, 130, 88)),
    ("laptop", 73, (95, 32, 0)),
    ("mouse", 74, (130, 114, 135)),
    ("remote", 75, (110, 129, 133)),
    ("keyboard", 76, (166, 74, 118)),
    ("cell phone", 77, (219, 142, 185)),
    ("microwave", 78, (79, 210, 114)),
    ("oven", 79, (178, 90, 62)),
    ("toaster", 80, (65, 70, 15)),
    ("sink", 81, (127, 167, 115)),
    ("refrigerator", 82, (59, 105, 106)),
    ("book", 84, (142, 108, 45)),
    ("clock", 85, (196, 172, 0)),
    ("vase", 86, (95, 54, 80)),
    ("scissors", 87, (128, 76, 255)),
    ("teddy bear", 88, (201, 57, 1)),
    ("hair drier", 89, (246, 0, 122)),
    ("toothbrush", 90, (191, 162, 208)),
    ("banner", 92, (255, 255, 128)),
    ("blanket", 93, (147, 211, 203)),
    ("bridge", 95, (150, 100, 100)),
    ("cardboard", 100, (168, 171, 172)),
    ("counter", 107, (146, 112, 198)),
    ("curtain", 109, (210, 170, 100)),
    ("door-stuff", 112, (92, 136, 89)),
    ("floor-wood", 118, (218, 88, 184)),
    ("flower", 119, (241, 129, 0)),
    ("fruit", 122, (217, 17, 255)),
    ("gravel", 125, (124, 74, 181)),
    ("house", 128, (70, 70, 70)),
    ("light", 130, (255, 228, 255)),
    ("mirror-stuff", 133, (154, 208, 0)),
    ("net", 138, (193, 0, 92)),
    ("pillow", 141, (76, 91, 113)),
    ("platform", 144, (255, 180, 195)),
    ("playingfield", 145, (106, 154, 176)),
    ("railroad", 147, (230, 150, 140)),
    ("river", 148, (60, 143, 255)),
    ("road", 149, (128, 64, 128)),
    ("roof", 151, (92, 82, 55)),
    ("sand", 154, (254, 212, 124)),
    ("sea", 155, (73, 77, 174)),
    ("shelf", 156, (255, 160, 98)),
    ("snow", 159, (255, 255, 255)),
    ("stairs", 161, (104, 84, 109)),
    ("tent", 166, (169, 164, 131)),
    ("towel", 168, (225, 199, 255)),
    ("wall-brick", 171, (137, 54, 74)),
    ("wall-stone", 175, (135, 158, 223)),
    ("wall-tile", 176, (7, 246, 231)),
    ("wall-wood", 177, (107, 255, 200)),
    ("water-other", 178, (58, 41, 149)),
    ("window-blind", 180, (183, 121, 142)),
    ("window-other", 181, (255, 73, 97)),
    ("tree-merged", 184, (107, 142, 35)),
    ("fence-merged", 185, (190, 153, 153)),
    ("ceiling-merged", 186, (146, 139, 141)),
    ("sky-other-merged", 187, (70, 130, 180)),
    ("cabinet-merged", 188, (134, 199, 156)),
    ("table-merged", 189, (209, 226, 140)),
    ("floor-other-merged", 190, (96, 36, 108)),
    ("pavement-merged", 191, (96, 96, 96)),
    ("mountain-merged", 192, (64, 170, 64)),
    ("grass-merged", 193, (152, 251, 152)),
    ("dirt-merged", 194, (208, 229, 228)),
    ("paper-merged", 195, (206, 186, 171)),
    ("food-other-merged", 196, (152, 161, 64)),
    ("building-other-merged", 197, (116, 112, 0)),
    ("rock-merged", 198, (0, 114, 143)),
    ("wall-other-merged", 199, (102, 102, 156)),
    ("rug-merged", 200, (250, 141, 255)),
)
_LAST_THING = 90
"""Category ids up to this one are things, those above it stuff."""
_SPACE = LabelSpace(
    name="coco-panoptic-133",
    classes=tuple(entry[0] for entry in _CLASSES),
    palette=tuple(entry[2] for entry in _CLASSES),
    things=tuple(entry[0] for entry in _CLASSES if entry[1] <= _LAST_THING),
)


class CocoPanoptic(PanopticFolder):
    """The panoptic annotations of COCO 2017."""

    title = "COCO 2017 panoptic (133 classes)"
    licence = "Annotations: CC BY 4.0; images: Flickr terms of use."
    homepage = "https://cocodataset.org/#panoptic-2018"
    access = (
        "download train2017.zip, val2017.zip and panoptic_annotations_trainval2017.zip from "
        "https://cocodataset.org/#download, and unpack the archives inside the last"
    )
    citation = """\
@inproceedings{lin2014coco,
  title = {Microsoft {COCO}: Common Objects in Context},
  author = {Lin, Tsung-Yi and Maire, Michael and Belongie, Serge and Hays, James and Perona,
            Pietro and Ramanan, Deva and Dollár, Piotr and Zitnick, C. Lawrence},
  booktitle = {European Conference on Computer Vision (ECCV)},
  year = {2014}
}
@inproceedings{kirillov2019panoptic,
  title = {Panoptic Segmentation},
  author = {Kirillov, Alexander and He, Kaiming and Girshick, Ross and Rother, Carsten and
            Dollár, Piotr},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
  year = {2019}
}"""
    splits = ("train", "val")
    published = {"train": 118287, "val": 5000}
    folders = ("coco_panoptic", "coco", "COCOPanoptic")
    encodings = {
        "category ids": {
            0: IGNORE_INDEX,
            **{category: index for index, (_, category, _) in enumerate(_CLASSES)},
        }
    }
    label_space = _SPACE
    """The 133 classes in the order of their category ids."""
    where = tuple(
        Layout(
            f"{images}{{split}}2017/{{frame}}.jpg", f"{labels}panoptic_{{split}}2017/{{frame}}.png"
        )
        for labels in ("annotations/", "")
        for images in ("", "images/")
    )
    """As the archives unpack, or where MSeg and detectron2 have them."""

    @property
    def segments_file(self) -> Path:
        """One file a split, beside the folder of labels."""
        return self.folder / f"annotations/panoptic_{self.split}2017.json"

    def is_thing(self, category: int) -> bool:
        """Whether a category id is one of the 80 things."""
        return 0 < category <= _LAST_THING
