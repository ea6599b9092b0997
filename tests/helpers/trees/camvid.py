from pathlib import Path

import numpy as np
from PIL import Image

from tests.helpers.camvid_tree import draw_camvid
from tests.helpers.trees import Tree, draw_image, some_of

CAMVID_COLOURS = ((128, 64, 128), (0, 0, 192), (192, 0, 128), (0, 0, 0), (128, 0, 0))
"""Of the original labels: Road, Sidewalk, Archway, Void and Building."""


def draw(root: Path) -> None:
    """SegNet's folders, and the original ones beside them."""
    draw_camvid(root)
    for frame in ("0001TP_006690", "0016E5_00390", "0016E5_07959", "0001TP_008550"):
        draw_image(root / f"701_StillsRaw_full/{frame}.png")
        path = root / f"LabeledApproved_full/{frame}_L.png"
        path.parent.mkdir(exist_ok=True)
        colours = np.array(CAMVID_COLOURS, dtype=np.uint8)[some_of(range(5))]
        Image.fromarray(colours).save(path)


TREE = Tree(draw, "val", "val/0016E5_07959.png", "valannot/0016E5_07959.png")
