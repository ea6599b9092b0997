from pathlib import Path

from tests.helpers.trees import Tree, draw_pairs


def draw(root: Path) -> None:
    """Space 11 validates, space 707 has no public labels."""
    frames = ("scene0000_00 000000", "scene0000_01 000100", "scene0011_00 000000")
    for frame in (*frames, "scene0707_00 000000"):
        scan, number = frame.split()
        pair = (f"{scan}/color/{number}.jpg", f"{scan}/label/{number}.png")
        draw_pairs(root, [pair], range(41))


TREE = Tree(draw, "val", "scene0011_00/color/000000.jpg", "scene0011_00/label/000000.png")
