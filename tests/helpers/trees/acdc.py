from pathlib import Path

from tests.helpers.trees import TRAIN_IDS, Tree, draw_pairs


def draw(root: Path) -> None:
    """A clear-weather reference beside every frame."""
    pairs = []
    for condition in ("fog", "rain", "snow", "night"):
        for split, drive in (("train", "GOPR0475"), ("val", "GOPR0476")):
            for number in ("000041", "000061"):
                frame = f"{drive}/{drive}_frame_{number}"
                for tag in ("", "_ref"):
                    place = f"{condition}/{split}{tag}/{frame}"
                    image = f"rgb_anon/{place}_rgb{tag}_anon.png"
                    pairs.append((image, f"gt/{place}_gt{tag}_labelTrainIds.png"))
    draw_pairs(root, pairs, TRAIN_IDS)


_FOG = "fog/val/GOPR0476/GOPR0476_frame_000041"
TREE = Tree(draw, "val", f"rgb_anon/{_FOG}_rgb_anon.png", f"gt/{_FOG}_gt_labelTrainIds.png")
