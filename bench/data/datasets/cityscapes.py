"""Cityscapes: streets of 50 cities in and near Germany, fine annotations, 19 classes.

Layout, counts and label values: github.com/mcordts/cityscapesScripts, ``README.md`` and
``cityscapesscripts/helpers/labels.py``. Labels of the test split are not public. Of its two
kinds of label image, ``labelIds`` ship with the data; ``labelTrainIds`` are made by
``csCreateTrainIdLabelImgs``. Things are numbered in ``instanceIds``, which ship beside them; a
copy without these has no instances. Depth is that of the disparities of
``disparity_trainvaltest.zip``, with the cameras of ``camera_trainvaltest.zip``; without the
latter, that of the camera which took most frames.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from bench.core.errors import DatasetError
from bench.data.datasets._cityscapes import ENCODINGS, GROUP_BELOW, SHARES, label_space
from bench.data.files.decode import read_depth, read_numbers
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout, Pair

_SPACE = label_space("cityscapes-19")
FOCAL_PX = 2262.52
BASELINE_M = 0.209313
"""Of the camera of most cities, such as Aachen's."""


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
    label_space = _SPACE
    """The 19 classes of the benchmark, in the order of their train ids."""
    where = (
        Layout(
            "leftImg8bit/{split}/{city}/{frame}_leftImg8bit.png",
            "gtFine/{split}/{city}/{frame}_gtFine_{subset}.png",
            depth="disparity/{split}/{city}/{frame}_disparity.png",
        ),
    )

    @property
    def encoding(self) -> str:
        """The kind of label image, which is the subset."""
        return self.subset

    def extra_files(self) -> tuple[Path, ...]:
        """Return the numbers of things, and the cameras of depth, where the copy has them."""
        paths = [self._instance_ids(pair) for pair in self.pairs]
        paths += [self._camera(pair) for pair in self.pairs if pair.depth is not None]
        return tuple(path for path in paths if path.exists())

    def read_depth(self, pair: Pair) -> np.ndarray | None:
        """Return the depth of stereo matching in metres, [H, W]; None without disparities.

        A stored p is a disparity of (p - 1) / 256 px, and 0 none (``README.md`` of the scripts);
        depth is the camera's focal length times its baseline by that.
        """
        if pair.depth is None:
            return None
        focal_px, baseline_m = self._focal_and_baseline(pair)
        return read_depth(pair.depth, lambda stored: focal_px * baseline_m * 256 / (stored - 1))

    def _focal_and_baseline(self, pair: Pair) -> tuple[float, float]:
        path = self._camera(pair)
        if not path.exists():
            return FOCAL_PX, BASELINE_M
        try:
            camera = json.loads(path.read_bytes())
            return float(camera["intrinsic"]["fx"]), float(camera["extrinsic"]["baseline"])
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(
                f"{path}: no camera ({error}); replace it from the original"
            ) from error

    def _camera(self, pair: Pair) -> Path:
        fields = dict(pair.fields)
        name = f"{fields['frame']}_camera.json"
        return self.folder / "camera" / self.split / fields["city"] / name

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
