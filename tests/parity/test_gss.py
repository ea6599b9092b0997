"""The head, colouring and inverses of GSS against its official code."""

import torch

from methods._nn.colour import nearest_scores, paint
from methods._nn.inverse import WindowInverse
from methods.gss.config import PriorHeadSettings
from methods.gss.head import PriorHead
from methods.gss.released import head_name, inverse_name
from tests.helpers.parity import fill, load

STRIDES = (4, 8, 16, 32)
TOLERANCE = 1e-4


def close(got, want):
    torch.testing.assert_close(got, want, atol=TOLERANCE, rtol=0)


def test_gss_head():
    fixture = load("gss_ff_head")
    config = fixture.config
    head = PriorHead(
        PriorHeadSettings(
            level_width=config["channels"],
            fused_width=config["indice_seg_channel"],
            token_width=config["indice_cls_channel"],
            heads=config["swin_num_head"],
            depth=config["swin_depth"],
            window=config["swin_window_size"],
        ),
        config["in_channels"],
        config["vocab_size"],
        config["num_classes"],
    )
    fill(head, fixture.parameters, head_name)
    features = [fixture.tensor(f"feature_stride_{stride}") for stride in STRIDES]
    with torch.inference_mode():
        output = head.eval()(features, features[0].shape[2:])
    every = output.tokens.shape[1] // fixture.tensor("token_logits_every_64th").shape[1]
    close(output.tokens[:, ::every], fixture.tensor("token_logits_every_64th"))
    best, second = output.tokens.topk(2, dim=1).values.unbind(1)
    assert (best - second).min() > 2 * TOLERANCE  # so that rounding decides no arg-max
    assert torch.equal(output.tokens.argmax(1), fixture.tensor("token_argmax"))
    close(output.pixels, fixture.tensor("pixel_logits"))


def test_gss_colouring_and_nearest_colour():
    fixture = load("gss_ff_head")
    palette = torch.tensor(fixture.config["palette"]).float()
    label = fixture.tensor("labels")[:, 0]
    assert torch.equal(paint(label, palette), fixture.tensor("maskige_0_255").float())
    scores = nearest_scores(fixture.tensor("noisy_maskige_0_255"), palette[:-1])
    assert torch.equal(scores.argmax(1), fixture.tensor("nearest_colour_labels")[:, 0])


def test_gss_ftw_inverse():
    fixture = load("gss_ftw_inverse")
    config = fixture.config
    inverse = WindowInverse(
        config["post_seg_channel"],
        config["post_swin_num_head"],
        config["post_swin_window_size"],
        config["post_swin_depth"],
        config["num_classes"],
    )
    fill(inverse, fixture.parameters, inverse_name)
    with torch.inference_mode():
        logits = inverse.eval()(fixture.tensor("maskige"), torch.empty(0, 3))
    close(logits, fixture.tensor("class_logits"))
