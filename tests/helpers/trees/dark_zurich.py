from pathlib import Path

from tests.helpers.trees import TRAIN_IDS, Tree, draw_pairs

_NIGHT = "val/night/GOPR0356/GOPR0356_frame_000321"


def draw(root: Path) -> None:
    frames = [_NIGHT, _NIGHT.replace("321", "324")]
    images = [f"rgb_anon/{frame}_rgb_anon.png" for frame in frames]
    labels = [f"gt/{frame}_gt_labelTrainIds.png" for frame in frames]
    draw_pairs(root, zip(images, labels, strict=True), TRAIN_IDS)


TREE = Tree(draw, "val", f"rgb_anon/{_NIGHT}_rgb_anon.png", f"gt/{_NIGHT}_gt_labelTrainIds.png")
