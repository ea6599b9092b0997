from pathlib import Path

from tests.helpers.trees import LABEL_IDS, Tree, draw_pairs


def draw(root: Path) -> None:
    """Frames 1 and 196 validate."""
    numbers = ("000000", "000001", "000002", "000196")
    pairs = [(f"training/image_2/{n}_10.png", f"training/semantic/{n}_10.png") for n in numbers]
    draw_pairs(root, pairs, LABEL_IDS)


TREE = Tree(draw, "val", "training/image_2/000001_10.png", "training/semantic/000001_10.png")
