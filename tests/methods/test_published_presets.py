"""Every published preset of every method trains, and predicts at its crops' size and another.

Depths and widths are reduced where memory or time forbids the published ones; what is left is
the code path, with its paddings, windows and tables of positions.
"""

import math

import pytest
import torch

from bench.core import seeding
from bench.core.registry import (
    load_config,
    load_method,
    merge,
    method_modules,
    resolve_config,
)
from bench.core.resources import SUITES
from bench.core.schema import IGNORE_INDEX, DataSpec
from bench.engine.training.optimiser import learning_rate, make_optimiser
from bench.engine.training.stages import trainable_modules
from bench.suite.reading import read_suite
from tests.helpers.small_methods import draw_batch

CLASSES = 19  # which CAM-Seg's released colours need
CROP = (128, 128)
WHOLE = (128, 256)
DATA = DataSpec(
    classes=tuple(f"class {k}" for k in range(CLASSES)),
    palette=tuple((13 * k, 255 - 13 * k, 7 * k) for k in range(CLASSES)),
    size=CROP,
)
NEEDS_FILES = {("hf", "checkpoint"), ("predictions", "folder")}
"""Presets that are nothing without files of a user."""
PUBLISHED = [
    (name, preset)
    for name in method_modules()
    for preset in load_config(name)[1]
    if "tiny" not in preset and (name, preset) not in NEEDS_FILES
]

SWIN = {"embed_dim": 24, "depths": (1, 1, 2, 1), "num_heads": (1, 2, 4, 8)}
RESNET = {"layers": (1, 1, 1, 1)}
SMALL_VQ = {"width": 32, "blocks": 1, "latent_channels": 32}
STACK = {"width": 96, "depth": 2, "heads": 4}
GSS = {
    "dalle": {"width": 16, "first_width": 8, "blocks": 1, "num_codes": 64},
    "head": {"level_width": 16, "fused_width": 32, "token_width": 16, "depth": 2},
    "learned_inverse": {"width": 16},
}
CAM_SEG = {
    "autoencoder": {"width": 32, "blocks": 1},
    "encoder": STACK,
    "decoder": STACK,
    "head": {"width": 32, "depth": 1},
    "inference": {"steps": 3},
}
VIT = {"embed_dim": 64, "num_heads": 2}
REDUCED = {
    ("cam_seg", "paper"): CAM_SEG,
    ("cam_seg", "mar_large"): CAM_SEG,
    ("cam_seg", "mar_huge"): CAM_SEG,
    ("codec", "dalle"): {"dalle": GSS["dalle"]},
    **{
        (name, preset): {"autoencoder": {"width": 32, "blocks": 1}}
        for name, preset in PUBLISHED
        if name == "codec" and ("vqgan" in preset or preset in ("kl_f16", "stable_diffusion"))
    },
    ("ddp", "paper"): {
        "backbone": {
            "options": {"depths": (1, 1, 1, 1), "dims": (8, 16, 32, 64)},
            "pretrained": False,
        },
        "depth": 2,
    },
    ("decode_heads", "setr_naive"): {"backbone": {"options": VIT, "pretrained": False}},
    ("decode_heads", "setr_pup"): {"backbone": {"options": VIT, "pretrained": False}},
    ("decode_heads", "setr_mla"): {"backbone": {"options": VIT, "pretrained": False}},
    **{
        ("decode_heads", f"{head}_r101"): {
            "backbone": {"options": RESNET, "pretrained": False},
            "width": 64,
        }
        for head in ("fcn", "nonlocal", "ccnet", "danet")
    },
    **{
        ("decode_heads", preset): {"backbone": {"pretrained": False}}
        for preset in ("ocr_hrnet_w48", "hrnet_w48")
    },
    ("baselines", "segformer_b5"): {"pretrained": ""},
    ("baselines", "deeplabv3plus_r101"): {"pretrained": ""},
    **{
        ("gss", preset): {**GSS, "backbone": {"options": SWIN, "pretrained": False}}
        for preset in ("paper_cityscapes", "paper_ade20k", "paper_mseg")
    },
    ("gss", "paper_cityscapes_r101"): {
        **GSS,
        "backbone": {"options": RESNET, "pretrained": False},
    },
    ("gss", "paper_mseg_hrnet"): {**GSS, "backbone": {"name": "hrnet_w18", "pretrained": False}},
    ("ldmseg", "paper"): {
        "denoiser": {"widths": (32, 32, 64, 64), "blocks": 1, "steps": 2},
    },
    ("seg_var", "paper"): {
        "image_encoder": {
            "backbone": "swin_tiny_patch4_window7_224",
            "pretrained": False,
            "width": 64,
            "depth": 1,
        },
        "tokenizer": {"width": 32, "num_codes": 64},
        "decoder": {"width": 64, "depth": 1, "heads": 2},
        "latent": {"width": 32, "depth": 1, "heads": 2},
    },
    ("uvim", "paper"): {
        "guiding": {"width": 48, "oracle_depth": 1, "base_depth": 1},
        "predictor": {"backbone": {"options": VIT}, "width": 64, "depth": 1},
    },
    ("uvim", "paper_gss"): {
        "guiding": {"width": 48, "oracle_depth": 1, "base_depth": 1},
        "predictor": {"backbone": {"options": SWIN}, "width": 64},
    },
}

ABLATIONS = read_suite(SUITES / "papers" / "segvar_ablation.yaml").suite.methods


def answer(method, batch):
    if "predict" in method.config.tasks:
        return method.predict(batch.image, batch.seeds)
    return method.reconstruct_with(batch.image, batch.label, batch.seeds)


def test_what_is_reduced_is_published():
    assert set(REDUCED) <= set(PUBLISHED)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "preset"), PUBLISHED)
def test_every_stage_of_a_published_preset_takes_three_steps(name, preset):
    """With the optimiser, groups and schedule of the preset, on crops of its augmentation."""
    config = resolve_config(name, preset, REDUCED.get((name, preset), {}))
    with seeding.seeded(0):
        method = load_method(name)(config, DATA)
    for stage in config.stages(DATA):
        modules = trainable_modules(method, stage)
        if not stage.steps:
            method.fit(stage.name, [draw_batch(2, CROP)])
            continue
        before = {key: value.clone() for key, value in modules.state_dict().items()}
        optimizer = make_optimiser(modules, stage)
        for step in range(3):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(stage, step + 1) * group["lr_multiplier"]
            batch = draw_batch(2, CROP, seed=step)._replace(step=step, steps=stage.steps)
            with seeding.seeded(step):
                losses = method(stage.name, batch)
            assert all(torch.isfinite(loss) for loss in losses.values()), stage.name
            sum(losses.values()).backward()
            limit = stage.grad_clip or math.inf
            norm = torch.nn.utils.clip_grad_norm_(modules.parameters(), limit)
            assert 0 < norm < math.inf, stage.name
            optimizer.step()
            optimizer.zero_grad()
        after = modules.state_dict()
        assert any(not torch.equal(value, after[key]) for key, value in before.items())


def check_sizes(name, config):
    with seeding.seeded(0):
        method = load_method(name)(config, DATA).eval()
    for size in (CROP, WHOLE):
        batch = draw_batch(1, size)
        if size == WHOLE and getattr(config, "square", False):
            with pytest.raises(ValueError, match="128x256"):
                answer(method, batch)
            continue
        label = answer(method, batch)
        assert label.shape == (1, *size)
        assert label.dtype == torch.int64
        assert (((label >= 0) & (label < CLASSES)) | (label == IGNORE_INDEX)).all()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "preset"), PUBLISHED)
@torch.inference_mode()
def test_a_published_preset_predicts_at_two_sizes(name, preset):
    check_sizes(name, resolve_config(name, preset, REDUCED.get((name, preset), {})))


@pytest.mark.slow
@pytest.mark.parametrize("entry", ABLATIONS, ids=lambda entry: entry.label)
@torch.inference_mode()
def test_an_ablation_of_seg_var_predicts_whole_images(entry):
    """They are trained on crops and tested on images twice as wide."""
    settings = merge(REDUCED["seg_var", "paper"], {**entry.config, "weights": {}})
    check_sizes("seg_var", resolve_config("seg_var", "paper", settings))
