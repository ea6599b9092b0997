from pathlib import Path

from tests.helpers.trees import LABEL_IDS, Tree, draw_pairs


def draw(root: Path) -> None:
    frames = [f"wd_val_01/{name}_100000" for name in ("au0000", "zm0003")]
    draw_pairs(root, [(f"{f}.png", f"{f}_labelIds.png") for f in frames], LABEL_IDS)


TREE = Tree(
    draw,
    "val",
    "wd_val_01/au0000_100000.png",
    "wd_val_01/au0000_100000_labelIds.png",
)
