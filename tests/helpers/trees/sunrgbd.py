from pathlib import Path

from tests.helpers.trees import Tree, draw_pairs


def draw(root: Path) -> None:
    for split, numbers in (("train", ("000001", "005285")), ("test", ("000001",))):
        images = [f"image/{split}/img-{number}.jpg" for number in numbers]
        labels = [f"label38/{split}/00{number}.png" for number in numbers]
        draw_pairs(root, zip(images, labels, strict=True), range(38))


TREE = Tree(draw, "test", "image/test/img-000001.jpg", "label38/test/00000001.png")
