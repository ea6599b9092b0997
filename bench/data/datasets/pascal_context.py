"""PASCAL-Context: every pixel of the VOC 2010 photographs, the 59 frequent classes.

Layout: VOC 2010 with the labels that mmsegmentation's converter writes
(github.com/open-mmlab/mmsegmentation, ``tools/dataset_converters/pascal_context.py``); the
authors publish MATLAB files only. Values are 0 for background and 1..59 for the classes in
this order. Subset ``60`` counts background as a class, ``59`` as void; ``mseg`` reads MSeg's
copy, ``Segmentation_GT_60cls``, whose values are the 60 names in alphabetical order, with
``mseg/dataset_lists/pascal-context-60/list`` of github.com/mseg-dataset/mseg-api in its
folder. Classes: the same
repository, ``mmseg/datasets/pascal_context.py``. Counts: Mottaghi et al., CVPR 2014.
"""

from __future__ import annotations

from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import LabelSpace
from bench.data.files.colours import colormap
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout

_CLASSES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat"),
    *("chair", "cow", "table", "dog", "horse", "motorbike", "person", "pottedplant", "sheep"),
    *("sofa", "train", "tvmonitor", "bag", "bed", "bench", "book", "building", "cabinet"),
    *("ceiling", "cloth", "computer", "cup", "door", "fence", "floor", "flower", "food"),
    *("grass", "ground", "keyboard", "light", "mountain", "mouse", "curtain", "platform"),
    *("sign", "plate", "road", "rock", "shelves", "sidewalk", "sky", "snow", "bedclothes"),
    *("track", "tree", "truck", "wall", "water", "window", "wood"),
)
_PALETTE = ((0, 0, 0), *colormap(59))
"""The authors publish no colours; these are VOC's, continued."""

_SPACES = {
    "60": LabelSpace(name="pascal-context-60", classes=_CLASSES, palette=_PALETTE),
    "59": LabelSpace(name="pascal-context-59", classes=_CLASSES[1:], palette=_PALETTE[1:]),
}
_SPACES["mseg"] = _SPACES["60"]


class PascalContext(FolderDataset):
    """PASCAL-Context with or without background."""

    title = "PASCAL-Context (59 classes, or 60 with background)"
    licence = "Images: Flickr terms of use; annotations: no formal licence."
    homepage = "https://cs.stanford.edu/~roozbeh/pascal-context/"
    access = (
        "download VOC 2010 from http://host.robots.ox.ac.uk/pascal/VOC/voc2010/, its labels from "
        "https://cs.stanford.edu/~roozbeh/pascal-context/, and convert them with mmsegmentation"
    )
    citation = """\
@inproceedings{mottaghi2014context,
  title = {The Role of Context for Object Detection and Semantic Segmentation in the Wild},
  author = {Mottaghi, Roozbeh and Chen, Xianjie and Liu, Xiaobai and Cho, Nam-Gyu and Lee,
            Seong-Whan and Fidler, Sanja and Urtasun, Raquel and Yuille, Alan},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
  year = {2014}
}"""
    splits = ("train", "val")
    subsets = ("60", "59", "mseg")
    published = {"train": 4998, "val": 5105}
    folders = ("pascal_context", "VOCdevkit/VOC2010", "PASCAL_Context")
    encodings = {
        "60": {**{index: index for index in range(60)}, 255: IGNORE_INDEX},
        "59": {0: IGNORE_INDEX, **{index + 1: index for index in range(59)}, 255: IGNORE_INDEX},
        "mseg": {
            **{value: _CLASSES.index(name) for value, name in enumerate(sorted(_CLASSES))},
            255: IGNORE_INDEX,
        },
    }

    @property
    def label_space(self) -> LabelSpace:
        """The classes with or without background."""
        return _SPACES[self.subset]

    @property
    def encoding(self) -> str:
        """What value 0 means follows from the subset."""
        return self.subset

    def layouts(self) -> tuple[Layout, ...]:
        """All images are in one folder; a list says which are in the split."""
        if self.subset == "mseg":
            labels, listed = "Segmentation_GT_60cls/{frame}.png", (f"list/{self.split}.txt",)
            return (Layout("JPEGImages/{frame}.jpg", labels, listed),)
        listed = (f"ImageSets/SegmentationContext/{self.split}.txt",)
        return (Layout("JPEGImages/{frame}.jpg", "SegmentationClassContext/{frame}.png", listed),)
