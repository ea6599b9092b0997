import json
from pathlib import Path

import numpy as np
from PIL import Image

from tests.helpers.trees import Tree, draw_image, some_of

CATEGORIES = {0: 0, 1001: 7, 2002: 26, 70003: 26, 4004: 35, 5005: 41, 6006: 1}
"""By segment: road, two cars, a van, a manhole and the ego vehicle; black is void."""


def draw(root: Path) -> None:
    names = ("ar0000_100000", "zm0003_100000")
    for seed, name in enumerate(names):
        draw_image(root / f"images/{name}.jpg", seed)
        ids = some_of(CATEGORIES, seed)
        colours = np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=-1)
        path = root / f"panoptic/{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(colours.astype(np.uint8)).save(path)
    listed = [
        {"id": id, "category_id": category, "iscrowd": 0}
        for id, category in CATEGORIES.items()
        if category
    ]
    entries = [{"file_name": f"{name}.png", "segments_info": listed} for name in names]
    (root / "panoptic.json").write_text(json.dumps({"annotations": entries}))


TREE = Tree(draw, "public", "images/ar0000_100000.jpg", "panoptic/ar0000_100000.png")
