"""Architectures by their published names, with the training that their papers have.

Configurations as transformers' conversion scripts have them (``convert_segformer_original_to_
pytorch.py``, ``convert_swin_upernet_to_pytorch.py``, ``convert_maskformer_swin_to_pytorch.py``,
``convert_mask2former_original_pytorch_checkpoint_to_pytorch.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bench import Augment, ParameterGroup, Stage


class Size(NamedTuple):
    """A model of a paper."""

    architecture: Mapping[str, Any]
    stage: Stage


def _stage(steps: int, batch_size: int, **settings: Any) -> Stage:
    published = {"augment": Augment(scale=(0.5, 2.0)), "lr": 6e-5, **settings}
    return Stage(
        name="network", modules=("network",), steps=steps, batch_size=batch_size, **published
    )


def tiny_stage(steps: int, lr: float) -> Stage:
    """Return a training for two CPU cores."""
    return _stage(
        steps,
        8,
        lr=lr,
        weight_decay=0.05,
        warmup_steps=20,
        power=0.9,
        augment=Augment(scale=(0.75, 1.5), colour=0.2),
    )


TINY_SEGFORMER: Mapping[str, Any] = {
    "model_type": "segformer",
    "hidden_sizes": [32, 64, 96, 128],
    "depths": [1, 1, 1, 1],
    "num_attention_heads": [1, 2, 3, 4],
    "decoder_hidden_size": 96,
    "drop_path_rate": 0.0,
    "classifier_dropout_prob": 0.0,
}
TINY_MASK2FORMER: Mapping[str, Any] = {
    "model_type": "mask2former",
    "backbone_config": {
        "model_type": "swin",
        "embed_dim": 24,
        "depths": [1, 1, 2, 1],
        "num_heads": [1, 2, 4, 8],
        "window_size": 7,
        "drop_path_rate": 0.0,
        "out_features": ["stage1", "stage2", "stage3", "stage4"],
    },
    "feature_size": 64,
    "mask_feature_size": 64,
    "hidden_dim": 64,
    "encoder_feedforward_dim": 128,
    "encoder_layers": 1,
    "dim_feedforward": 128,
    "decoder_layers": 3,
    "num_attention_heads": 4,
    "num_queries": 30,
    "train_num_points": 1024,
}

_STAGES = ["stage1", "stage2", "stage3", "stage4"]
_MIT = {  # widths, depths and decoder of arXiv:2105.15203, Table 6
    "b0": ([32, 64, 160, 256], [2, 2, 2, 2], 256),
    "b1": ([64, 128, 320, 512], [2, 2, 2, 2], 256),
    "b2": ([64, 128, 320, 512], [3, 4, 6, 3], 768),
    "b3": ([64, 128, 320, 512], [3, 4, 18, 3], 768),
    "b4": ([64, 128, 320, 512], [3, 8, 27, 3], 768),
    "b5": ([64, 128, 320, 512], [3, 6, 40, 3], 768),
}
_SWIN = {  # embedding, depths, heads and window of arXiv:2103.14030; L and B as at 384
    "t": (96, [2, 2, 6, 2], [3, 6, 12, 24], 7),
    "s": (96, [2, 2, 18, 2], [3, 6, 12, 24], 7),
    "b": (128, [2, 2, 18, 2], [4, 8, 16, 32], 12),
    "l": (192, [2, 2, 18, 2], [6, 12, 24, 48], 12),
}
_UPERNET_WIDTH = 512


def _swin(name: str) -> dict[str, Any]:
    width, depths, heads, window = _SWIN[name]
    return {
        "model_type": "swin",
        "embed_dim": width,
        "depths": depths,
        "num_heads": heads,
        "window_size": window,
        "drop_path_rate": 0.3,
        "out_features": _STAGES,
    }


def _sizes() -> Iterator[tuple[str, Size]]:
    # arXiv:2105.15203, section 4.1, for Cityscapes: crops of 1024 x 1024, 8 a step, and the
    # decoder at ten times the rate.
    head = ParameterGroup(match=("network.decode_head.*",), lr_multiplier=10)
    for name, (widths, depths, decoder) in _MIT.items():
        architecture = {
            "model_type": "segformer",
            "hidden_sizes": widths,
            "depths": depths,
            "decoder_hidden_size": decoder,
        }
        stage = _stage(160_000, 8, warmup_steps=1500, groups=(head,))
        yield f"segformer_{name}", Size(architecture, stage)
    backbone = ParameterGroup(
        match=("network.model.pixel_level_module.encoder.*",), lr_multiplier=0.1
    )
    for name in _SWIN:
        # arXiv:2103.14030, appendix A2.3, for ADE20K.
        architecture = {
            "model_type": "upernet",
            "backbone_config": _swin(name),
            "hidden_size": _UPERNET_WIDTH,
            "auxiliary_in_channels": 4 * _SWIN[name][0],
        }
        yield f"upernet_swin_{name}", Size(architecture, _stage(160_000, 16, warmup_steps=1500))
        # arXiv:2107.06278, section 4.1, for ADE20K with Swin.
        architecture = {"model_type": "maskformer", "backbone_config": _swin(name)}
        stage = _stage(160_000, 16, warmup_steps=1500, grad_clip=0.01)
        yield f"maskformer_swin_{name}", Size(architecture, stage)
        # arXiv:2112.01527, section 4.1 and appendix, for Cityscapes: 16 a step, and the
        # backbone at a tenth of the rate.
        architecture = {"model_type": "mask2former", "backbone_config": _swin(name)}
        stage = _stage(
            90_000,
            16,
            lr=1e-4,
            weight_decay=0.05,
            power=0.9,
            grad_clip=0.01,
            groups=(backbone,),
        )
        yield f"mask2former_swin_{name}", Size(architecture, stage)


ARCHITECTURES: Mapping[str, Size] = dict(_sizes())
