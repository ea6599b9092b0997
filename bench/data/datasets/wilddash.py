"""WildDash 1: difficult street scenes of the whole world, 19 classes.

Layout: ``wd_val_01.zip``, 70 frames with Cityscapes' label ids, which GSS and MSeg test on
(github.com/mseg-dataset/mseg-api, ``mseg/dataset_lists/wilddash-34``; MSeg's list ``train`` is
these same frames, repeated). WildDash 2, the current release, has other frames and ids, and is
not read here.
"""

from __future__ import annotations

from bench.data.datasets._cityscapes import LABEL_IDS, SHARES, TRAIN_IDS, label_space
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout

_SPACE = label_space("wilddash-19")


class WildDash(FolderDataset):
    """The public validation frames of WildDash 1."""

    title = "WildDash 1 (public validation frames, 19 classes)"
    licence = "Own licence: non-commercial; see the download page."
    homepage = "https://wilddash.cc"
    access = "register at https://wilddash.cc and download wd_val_01.zip of WildDash 1"
    citation = """\
@inproceedings{zendel2018wilddash,
  title = {{WildDash} - Creating Hazard-Aware Benchmarks},
  author = {Zendel, Oliver and Honauer, Katrin and Murschitz, Markus and Steininger, Daniel and
            Fernandez Dominguez, Gustavo},
  booktitle = {European Conference on Computer Vision (ECCV)},
  year = {2018}
}"""
    splits = ("val",)
    published = {"val": 70}
    shares = SHARES
    folders = ("wilddash",)
    encodings = {"label ids": LABEL_IDS, "train ids": TRAIN_IDS}
    label_space = _SPACE
    """Cityscapes' 19 classes."""
    where = (Layout("wd_val_01/{frame}_100000.png", "wd_val_01/{frame}_100000_labelIds.png"),)
    """Images and labels share one folder; a frame's number is always 100000."""
