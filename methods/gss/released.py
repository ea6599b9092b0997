"""Names of the released mmsegmentation checkpoints, as those of this project's modules."""

from __future__ import annotations

import re

_BLOCKS = (
    (r"\.attn\.w_msa\.", ".attention."),
    (r"\.ffn\.layers\.0\.0\.", ".mlp.0."),
    (r"\.ffn\.layers\.1\.", ".mlp.2."),
)
_HEAD = (
    (r"^convs\.", "fusion.levels."),
    (r"^fusion_conv\.", "fusion.mix."),
    (r"^transformer_block\.blocks\.", "blocks."),
    (r"^swin_ln\.", "norm."),
    (r"^conv_before_seg\.", "widen."),
    (r"^conv_seg\.", "tokens."),
    (r"^convs_pixel\.", "pixel_fusion.levels."),
    (r"^fusion_conv_pixel\.", "pixel_fusion.mix."),
    (r"^conv_seg_pixel\.", "pixels."),
    *_BLOCKS,
)
_INVERSE = (
    (r"^post_transformer_block\.blocks\.", "blocks."),
    (r"^post_swin_ln\.", "norm."),
    (r"^cls_segmap\.conv\.", "classify."),
    *_BLOCKS,
)
_BACKBONE = (
    # Swin: mmsegmentation merges patches at the end of a stage, timm at the start of the next.
    (r"^patch_embed\.projection\.", "patch_embed.proj."),
    (r"^stages\.0\.downsample\.", "layers_1.downsample."),
    (r"^stages\.1\.downsample\.", "layers_2.downsample."),
    (r"^stages\.2\.downsample\.", "layers_3.downsample."),
    (r"^stages\.(\d)\.", r"layers_\1."),
    (r"\.attn\.w_msa\.", ".attn."),
    (r"\.ffn\.layers\.0\.0\.", ".mlp.fc1."),
    (r"\.ffn\.layers\.1\.", ".mlp.fc2."),
    # ResNet-v1c: the last norm of the stem has a name of its own in timm.
    (r"^stem\.7\.", "bn1."),
    (r"^stem\.", "conv1."),
)


def backbone_name(key: str) -> str:
    """Name in ``Backbone`` of a key of the released backbone; HRNet's are timm's."""
    if re.match(r"norm\d\.", key):
        return f"norms.{key.removeprefix('norm')}"
    return f"model.{_rename(key, _BACKBONE)}"


def head_name(key: str) -> str | None:
    """Name in ``PriorHead`` of a key of the released ``decode_head``; None without a rule."""
    name = _rename(key, _HEAD)
    return None if name == key else name


def inverse_name(key: str) -> str:
    """Name in ``WindowInverse`` of a key of the released learned inverse."""
    return _rename(key, _INVERSE)


def is_inverse(key: str) -> bool:
    """Whether a key of the released ``decode_head`` belongs to the learned inverse."""
    return key.startswith(("post_", "cls_segmap.", "projection."))


def _rename(key: str, rules: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in rules:
        key = re.sub(pattern, replacement, key)
    return key
