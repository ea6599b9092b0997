"""COCO-Stuff: every pixel of the COCO 2017 photographs, 80 kinds of thing and 91 of stuff.

Layout: ``stuffthingmaps_trainval2017.zip`` beside COCO's images, as ``README.md`` of
github.com/nightrome/cocostuff unpacks them. Subset ``ids`` reads what the archive has: an id of
``labels.txt`` there less one, and 255 for unlabelled; ``labelTrainIds`` what mmsegmentation's
``tools/dataset_converters/coco_stuff164k.py`` writes beside it. Eleven of the 182 ids were never
annotated. The authors' colours come from a MATLAB script; these are VOC's, continued.
"""

from __future__ import annotations

from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import LabelSpace
from bench.data.files.colours import colormap
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout

_LISTED = (
    *("person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"),
    *("traffic light", "fire hydrant", "street sign", "stop sign", "parking meter", "bench"),
    *("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"),
    *("hat", "backpack", "umbrella", "shoe", "eye glasses", "handbag", "tie", "suitcase"),
    *("frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove"),
    *("skateboard", "surfboard", "tennis racket", "bottle", "plate", "wine glass", "cup"),
    *("fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli"),
    *("carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed"),
    *("mirror", "dining table", "window", "desk", "toilet", "door", "tv", "laptop", "mouse"),
    *("remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink"),
    *("refrigerator", "blender", "book", "clock", "vase", "scissors", "teddy bear"),
    *("hair drier", "toothbrush", "hair brush", "banner", "blanket", "branch", "bridge"),
    *("building-other", "bush", "cabinet", "cage", "cardboard", "carpet", "ceiling-other"),
    *("ceiling-tile", "cloth", "clothes", "clouds", "counter", "cupboard", "curtain"),
    *("desk-stuff", "dirt", "door-stuff", "fence", "floor-marble", "floor-other"),
    *("floor-stone", "floor-tile", "floor-wood", "flower", "fog", "food-other", "fruit"),
    *("furniture-other", "grass", "gravel", "ground-other", "hill", "house", "leaves"),
    *("light", "mat", "metal", "mirror-stuff", "moss", "mountain", "mud", "napkin", "net"),
    *("paper", "pavement", "pillow", "plant-other", "plastic", "platform", "playingfield"),
    *("railing", "railroad", "river", "road", "rock", "roof", "rug", "salad", "sand", "sea"),
    *("shelf", "sky-other", "skyscraper", "snow", "solid-other", "stairs", "stone", "straw"),
    *("structural-other", "table", "tent", "textile-other", "towel", "tree", "vegetable"),
    *("wall-brick", "wall-concrete", "wall-other", "wall-panel", "wall-stone", "wall-tile"),
    *("wall-wood", "water-other", "waterdrops", "window-blind", "window-other", "wood"),
)
"""By id from 1."""
_NEVER = {
    *("street sign", "hat", "shoe", "eye glasses", "plate", "mirror", "window", "desk", "door"),
    *("blender", "hair brush"),
}
_NAMES = tuple(name for name in _LISTED if name not in _NEVER)


class CocoStuff(FolderDataset):
    """COCO-Stuff 164k; a subset is the kind of label image that is read."""

    title = "COCO-Stuff 164k (171 classes)"
    licence = "Annotations: CC BY 4.0; images: Flickr terms of use."
    homepage = "https://github.com/nightrome/cocostuff"
    access = (
        "download train2017.zip, val2017.zip and stuffthingmaps_trainval2017.zip as "
        "https://github.com/nightrome/cocostuff says"
    )
    citation = """\
@inproceedings{caesar2018cocostuff,
  title = {{COCO-Stuff}: Thing and Stuff Classes in Context},
  author = {Caesar, Holger and Uijlings, Jasper and Ferrari, Vittorio},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
  year = {2018}
}"""
    splits = ("train", "val")
    subsets = ("ids", "labelTrainIds")
    published = {"train": 118287, "val": 5000}
    folders = ("coco_stuff", "coco_stuff164k", "cocostuff/dataset", "coco")
    label_space = LabelSpace(name="coco-stuff-171", classes=_NAMES, palette=colormap(len(_NAMES)))
    encodings = {
        "ids": {
            **{
                value: _NAMES.index(name)
                for value, name in enumerate(_LISTED)
                if name not in _NEVER
            },
            255: IGNORE_INDEX,
        },
        "labelTrainIds": {**{value: value for value in range(len(_NAMES))}, 255: IGNORE_INDEX},
    }

    @property
    def encoding(self) -> str:
        """The kind of label image, which is the subset."""
        return self.subset

    def layouts(self) -> tuple[Layout, ...]:
        """Images and labels as the authors unpack them, or beside COCO's own folders."""
        tag = "" if self.subset == "ids" else "_labelTrainIds"
        return tuple(
            Layout(
                f"{images}{self.split}2017/{{frame}}.jpg",
                f"{labels}/{self.split}2017/{{frame}}{tag}.png",
            )
            for labels in ("annotations", "stuffthingmaps")
            for images in ("images/", "")
        )
