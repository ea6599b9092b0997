"""A CAM-Seg that runs in a fraction of a second; weights are random."""

from typing import Any

import torch

from bench.core.registry import merge, resolve_config
from bench.core.schema import DataSpec
from bench.core.seeding import seeded
from methods.cam_seg.config import Config
from methods.cam_seg.method import CamSeg

SMALL: dict[str, Any] = {
    "autoencoder": {"width": 8, "multipliers": [1, 1], "patch": 4, "latent_channels": 4},
    "encoder": {"width": 16, "depth": 1, "heads": 2},
    "decoder": {"width": 16, "depth": 1, "heads": 2},
    "patch": 1,
    "shortcuts": {"stem_blocks": 0, "aligned": False},
    "head": {
        "width": 16,
        "depth": 1,
        "repeats": 2,
        "target": "noise",
        "variational_weight": 1.0,
    },
    "inference": {"steps": 4, "iterations": 3, "sampler": "ancestral", "temperature": 1.0},
}
DATA = DataSpec(
    classes=("road", "sky", "car"),
    palette=((128, 64, 128), (70, 130, 180), (0, 0, 142)),
    size=(16, 32),
)


def build(data: DataSpec = DATA, **changes: Any) -> CamSeg:
    config = resolve_config("cam_seg", "tiny", merge(SMALL, changes))
    assert isinstance(config, Config)
    with seeded(3):
        method = CamSeg(config, data).eval()
        # The last layers start at zero; a sampler must be seen to depend on its condition.
        for parameter in method.head.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
    return method
