"""Foggy Cityscapes: Cityscapes with fog drawn from its depth, at three densities.

Layout: ``leftImg8bit_trainvaltest_foggy.zip`` of the Cityscapes site, beside Cityscapes' own
``gtFine``. A subset is the attenuation coefficient, in 1/m: at 0.02 one sees 150 m, at 0.01
and 0.005 300 m and 600 m (Sakaridis et al., IJCV 2018).
"""

from __future__ import annotations

from bench.data.datasets._cityscapes import ENCODINGS, SHARES, label_space
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout

_SPACE = label_space("cityscapes-19")


class FoggyCityscapes(FolderDataset):
    """Cityscapes in synthetic fog."""

    title = "Foggy Cityscapes (synthetic fog, 19 classes)"
    licence = "That of Cityscapes: non-commercial research and teaching only."
    homepage = "https://people.ee.ethz.ch/~csakarid/SFSU_synthetic/"
    access = (
        "register at https://www.cityscapes-dataset.com and download "
        "leftImg8bit_trainvaltest_foggy.zip and gtFine_trainvaltest.zip"
    )
    citation = """\
@article{sakaridis2018foggy,
  title = {Semantic Foggy Scene Understanding with Synthetic Data},
  author = {Sakaridis, Christos and Dai, Dengxin and Van Gool, Luc},
  journal = {International Journal of Computer Vision},
  volume = {126},
  number = {9},
  pages = {973--992},
  year = {2018}
}"""
    splits = ("train", "val")
    subsets = ("beta_0.02", "beta_0.01", "beta_0.005")
    published = {"train": 2975, "val": 500}
    image_size = (1024, 2048)
    shares = SHARES
    folders = ("foggy_cityscapes", "cityscapes")
    encodings = ENCODINGS
    label_space = _SPACE
    """Cityscapes' 19 classes."""
    where = (
        Layout(
            "leftImg8bit_foggy/{split}/{city}/{frame}_leftImg8bit_foggy_{subset}.png",
            "gtFine/{split}/{city}/{frame}_gtFine_labelIds.png",
        ),
    )
    """One folder a city; labels are those of Cityscapes."""
