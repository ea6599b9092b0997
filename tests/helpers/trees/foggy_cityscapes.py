from pathlib import Path

from tests.helpers.trees import LABEL_IDS, Tree, draw_image, draw_label
from tests.helpers.trees.cityscapes import CITIES


def draw(root: Path) -> None:
    for split, frames in CITIES.items():
        for frame in frames:
            draw_label(root / f"gtFine/{split}/{frame}_gtFine_labelIds.png", LABEL_IDS)
            for number, beta in enumerate(("0.02", "0.01", "0.005")):
                name = f"{frame}_leftImg8bit_foggy_beta_{beta}.png"
                draw_image(root / "leftImg8bit_foggy" / split / name, number)


_CITY = "val/frankfurt/frankfurt_000000_000294"
TREE = Tree(
    draw,
    "val",
    f"leftImg8bit_foggy/{_CITY}_leftImg8bit_foggy_beta_0.02.png",
    f"gtFine/{_CITY}_gtFine_labelIds.png",
)
