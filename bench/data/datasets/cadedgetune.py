"""CAD-EdgeTune: a campus from a small ground robot, 19 classes.

Layout and label ids: github.com/mahmed10/CAMSS, ``README.md``, ``data/cadedgetune.py`` and
``dataset/CADEdgeTune/cadedgetune.yaml``, which are Cityscapes' label ids. Validation: the four
sequences that CAM-Seg's ``vallist.txt`` holds, 445 frames.

Deviation: CAM-Seg's ``trainlist.txt`` names the frames of these four sequences too; here they
are not trained on, which leaves 1,063 of its 1,508 frames.
"""

from __future__ import annotations

from bench.data.datasets._cityscapes import LABEL_IDS, SHARES, TRAIN_IDS, label_space
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout

_SPACE = label_space("cityscapes-19")
_VALIDATION = frozenset(("1", "11", "12", "13"))


class CADEdgeTune(FolderDataset):
    """CAD-EdgeTune, split by sequence."""

    title = "CAD-EdgeTune (campus from a ground robot, 19 classes)"
    licence = "Terms of IEEE DataPort."
    homepage = "https://ieee-dataport.org/documents/cad-edgetune"
    access = "log in at https://ieee-dataport.org/documents/cad-edgetune and download it"
    citation = """\
@misc{cadedgetune,
  title = {{CAD-EdgeTune}},
  howpublished = {IEEE DataPort, https://ieee-dataport.org/documents/cad-edgetune}
}"""
    splits = ("train", "val")
    published = {"train": 1063, "val": 445}
    shares = SHARES
    folders = ("cadedgetune",)
    encodings = {"label ids": LABEL_IDS, "train ids": TRAIN_IDS}
    label_space = _SPACE
    """Cityscapes' 19 classes."""
    where = (
        Layout(
            "SEQ{sequence}/Images/{frame}.jpg",
            "SEQ{sequence}/LabelMasks/{frame}_label_mask.png",
        ),
    )

    def keeps(self, id: str) -> bool:
        """Split by sequence."""
        return (id.split("/")[0] in _VALIDATION) == (self.split == "val")
