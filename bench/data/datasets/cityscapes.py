"""Cityscapes: streets of 50 cities in and near Germany, fine annotations, 19 classes.

Layout, counts and label values: github.com/mcordts/cityscapesScripts, ``README.md`` and
``cityscapesscripts/helpers/labels.py``. Labels of the test split are not public. Of its two
kinds of label image, ``labelIds`` ship with the data; ``labelTrainIds`` are made by
``csCreateTrainIdLabelImgs``. Things are numbered in ``instanceIds``, which ship beside them; a
copy without these has no instances.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.data.dataset import LabelSpace
from bench.data.datasets._cityscapes import ENCODINGS, GROUP_BELOW, SHARES, label_space
from bench.data.files.decode import read_numbers
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout, Pair

_SPACE = label_space("cityscapes-19")


class Cityscapes(FolderDataset):
    """Cityscapes, fine annotations; a subset is the kind of label image that is read."""

    title = "Cityscapes (fine annotations, 19 classes)"
    licence = "Non-commercial research and teaching only; no redistribution."
    homepage = "https://www.cityscapes-dataset.com"
    access = (
        "register at https://www.cityscapes-dataset.com and download "
        "leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip"
    )
    citation = """\
@inproceedings{cordts2016cityscapes,
  title = {The {Cityscapes} Dataset for Semantic Urban Scene Understanding},
  author = {Cordts, Marius and Omran, Mohamed and Ramos, Sebastian and Rehfeld, Timo and
            Enzweiler, Markus and Benenson, Rodrigo and Franke, Uwe and Roth, Stefan and
            Schiele, Bernt},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
  year = {2016}
}"""
    splits = ("train", "val")
    subsets = ("labelIds", "labelTrainIds")
    published = {"train": 2975, "val": 500}
    image_size = (1024, 2048)
    shares = SHARES
    folders = ("cityscapes",)
    encodings = ENCODINGS

    @property
    def label_space(self) -> LabelSpace:
        """The 19 classes of the benchmark, in the order of their train ids."""
        return _SPACE

    @property
    def encoding(self) -> str:
        """The kind of label image, which is the subset."""
        return self.subset

    def layouts(self) -> tuple[Layout, ...]:
        """One folder a city."""
        labels = f"gtFine/{self.split}/{{city}}/{{frame}}_gtFine_{self.subset}.png"
        images = f"leftImg8bit/{self.split}/{{city}}/{{frame}}_leftImg8bit.png"
        return (Layout(images, labels),)

    def extra_files(self) -> tuple[Path, ...]:
        """Return the numbers of things, where the copy has them."""
        return tuple(path for path in map(self._instance_ids, self.pairs) if path.exists())

    def read_instance(self, pair: Pair) -> np.ndarray | None:
        """Return the numbers of things, int32 [H, W]; 0 of a group that was not told apart."""
        path = self._instance_ids(pair)
        if not path.exists():
            return None
        stored = read_numbers(path).astype(np.int32)
        return np.where(stored < GROUP_BELOW, 0, stored)

    def _instance_ids(self, pair: Pair) -> Path:
        name = pair.label.name.replace(self.subset, "instanceIds")
        return pair.label.with_name(name)
