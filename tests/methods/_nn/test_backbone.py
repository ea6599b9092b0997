"""Image encoders: their levels, and what they refuse."""

import pytest
import torch

from bench.core import seeding
from methods._nn.backbone import Backbone, PlainBackbone, make_backbone
from methods._nn.settings import BackboneSettings

SIZE = (32, 64)
RESNET = BackboneSettings(name="resnet10t", options={"channels": (8, 8, 16, 16), "stem_width": 8})
PLAIN = BackboneSettings(
    name="vit_tiny_patch16_224",
    options={"patch_size": 8, "depth": 2, "embed_dim": 32, "num_heads": 2},
)


def build(settings, blocks=()):
    with seeding.seeded(0):
        return make_backbone(settings, blocks, SIZE, pretrained=False).eval()


def test_a_backbone_has_four_levels_from_stride_4_on():
    backbone = build(RESNET)
    assert isinstance(backbone, Backbone)
    levels = backbone(torch.rand(2, 3, *SIZE))
    assert [level.shape[1] for level in levels] == backbone.channels == [8, 8, 16, 16]
    assert [64 // level.shape[3] for level in levels] == [4, 8, 16, 32]
    assert backbone.multiple == 32


def test_a_model_without_a_level_at_stride_4_is_refused():
    with pytest.raises(ValueError, match="four are needed"):
        build(BackboneSettings(name="vit_tiny_patch16_224"))


@torch.inference_mode()
def test_a_plain_transformer_gives_the_outputs_of_its_blocks():
    """Not normalised after the last, for images of any size that its patches divide."""
    backbone, image = build(PLAIN, (0, 1)), torch.rand(2, 3, *SIZE)
    assert isinstance(backbone, PlainBackbone)
    tokens = backbone.model.patch_embed((image - backbone.mean) / backbone.std)
    tokens = backbone.model._pos_embed(tokens)
    for block, level in zip(backbone.model.blocks, backbone(image), strict=True):
        tokens = block(tokens)
        expected = tokens[:, 1:].transpose(1, 2).reshape(2, 32, 4, 8)
        torch.testing.assert_close(level, expected)
    (other,) = build(PLAIN, (1,))(torch.rand(1, 3, 48, 40))
    assert other.shape == (1, 32, 6, 5)
