"""PASCAL VOC 2012: photographs of 20 kinds of object, and background.

Layout: ``VOCtrainval_11-May-2012.tar``. Subset ``aug`` trains on the annotations that
Hariharan et al. added (``SegmentationClassAug``, listed by ``trainaug.txt``: 10,582 images, as
MSeg and most work since DeepLab use them), and validates on the same 1,449 images with VOC's own
labels. mmsegmentation's converter (``tools/dataset_converters/voc_aug.py``) writes the added
annotations alone, so that a label that is not in ``SegmentationClassAug`` is read from
``SegmentationClass``; without ``trainaug.txt``, its ``aug.txt`` is read beside ``train.txt``.
MSeg's copy has ``SegmentationClassAug`` alone and its lists elsewhere:
``mseg/dataset_lists/voc2012/list`` of github.com/mseg-dataset/mseg-api, put into its folder, is
read.
Object borders, 255, are void. Classes and colours: the development kit
(``VOClabelcolormap.m``).
"""

from __future__ import annotations

from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import LabelSpace
from bench.data.files.colours import colormap
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout

_CLASSES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat"),
    *("chair", "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant"),
    *("sheep", "sofa", "train", "tvmonitor"),
)
_SPACE = LabelSpace(name="voc2012", classes=_CLASSES, palette=((0, 0, 0), *colormap(20)))


class VOC2012(FolderDataset):
    """The segmentation challenge of PASCAL VOC 2012."""

    title = "PASCAL VOC 2012 (20 classes and background)"
    licence = "Images: Flickr terms of use; annotations: no formal licence."
    homepage = "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/"
    access = (
        "download http://host.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar; "
        "subset aug also needs SegmentationClassAug and ImageSets/Segmentation/trainaug.txt"
    )
    citation = """\
@misc{everingham2012voc,
  title = {The {PASCAL} Visual Object Classes Challenge 2012 ({VOC2012}) Results},
  author = {Everingham, Mark and Van Gool, Luc and Williams, Christopher K. I. and Winn, John
            and Zisserman, Andrew},
  year = {2012}
}
@inproceedings{hariharan2011semantic,
  title = {Semantic Contours from Inverse Detectors},
  author = {Hariharan, Bharath and Arbeláez, Pablo and Bourdev, Lubomir and Maji, Subhransu
            and Malik, Jitendra},
  booktitle = {IEEE International Conference on Computer Vision (ICCV)},
  year = {2011}
}"""
    splits = ("train", "val")
    subsets = ("original", "aug")
    published = {"original/train": 1464, "aug/train": 10582, "val": 1449}
    folders = ("voc2012", "VOCdevkit/VOC2012", "PASCAL_VOC_2012")
    encodings = {
        "class ids": {**{index: index for index in range(len(_CLASSES))}, 255: IGNORE_INDEX}
    }
    label_space = _SPACE
    """Background and the 20 classes in alphabetical order."""

    def layouts(self) -> tuple[Layout, ...]:
        """All years' images are in one folder; a list says which are in the split."""
        images, lists = "JPEGImages/{frame}.jpg", "ImageSets/Segmentation"
        own, added = (f"SegmentationClass{kind}/{{frame}}.png" for kind in ("", "Aug"))
        if self.subset == "original":
            return (Layout(images, own, (f"{lists}/{self.split}.txt",)),)
        of_mseg = Layout(images, added, (f"list/{self.split}.txt",))
        if self.split == "val":
            return (Layout(images, own, (f"{lists}/val.txt",), added), of_mseg)
        apart = (f"{lists}/train.txt", f"{lists}/aug.txt")
        return (
            Layout(images, added, (f"{lists}/trainaug.txt",), own),
            Layout(images, own, apart, added),
            of_mseg,
        )
