from pathlib import Path

from tests.helpers.trees import LABEL_IDS, Tree, draw_pairs


def draw(root: Path) -> None:
    """Sequences 1 and 11 to 13 validate."""
    frames = {"SEQ2": "frame0513", "SEQ9": "frame0527", "SEQ13": "frame0309"}
    for folder, name in frames.items():
        pair = (f"{folder}/Images/{name}.jpg", f"{folder}/LabelMasks/{name}_label_mask.png")
        draw_pairs(root, [pair], LABEL_IDS)


TREE = Tree(
    draw,
    "val",
    "SEQ13/Images/frame0309.jpg",
    "SEQ13/LabelMasks/frame0309_label_mask.png",
)
