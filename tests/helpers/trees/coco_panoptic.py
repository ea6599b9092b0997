import json
from pathlib import Path

import numpy as np
from PIL import Image

from tests.helpers.trees import Tree, draw_image, some_of


def draw(root: Path) -> None:
    """Segments with ids beyond a byte, some of one category; black is void."""
    segments = {0: 0, 3226956: 1, 6979964: 1, 7106: 184, 263: 200}
    for split, names in (("train", ("000000000009", "000000000025")), ("val", ("000000000139",))):
        for seed, name in enumerate(names):
            draw_image(root / f"{split}2017/{name}.jpg", seed)
            ids = some_of(segments, seed)
            colours = np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=-1)
            path = root / f"annotations/panoptic_{split}2017/{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(colours.astype(np.uint8)).save(path)
        listed = [
            {"id": id, "category_id": category, "iscrowd": int(id == 6979964)}
            for id, category in segments.items()
            if category
        ]
        entries = [{"file_name": f"{name}.png", "segments_info": listed} for name in names]
        content = json.dumps({"annotations": entries})
        (root / f"annotations/panoptic_{split}2017.json").write_text(content)


TREE = Tree(
    draw,
    "val",
    "val2017/000000000139.jpg",
    "annotations/panoptic_val2017/000000000139.png",
)
