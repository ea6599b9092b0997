"""GSS: the stages of its variants, what each learns, and the sizes it was published in."""

from typing import get_args

import pytest
import torch
from torch.nn import functional as F

from bench.core import seeding
from bench.core.registry import resolve_config
from bench.core.schema import IGNORE_INDEX, DataSpec
from bench.engine.stages import trainable_modules
from methods.gss.config import PRESETS, Variant
from methods.gss.method import GSS, make_codec, make_tokenizer
from tests.methods.test_contract import DATA, draw_batch

SMALL = {
    "conv": {"widths": [8, 8], "num_codes": 16, "code_dim": 4},
    "dalle": {"width": 8, "first_width": 8, "num_blocks": 1, "num_codes": 16},
    "head": {"level_width": 8, "fused_width": 16, "token_width": 16},
    "learned_inverse": {"width": 8},
}
STAGES = {
    "FF": ["tokenizer", "prior"],
    "FF-R": ["tokenizer", "prior"],
    "FT": ["tokenizer", "prior", "inverse"],
    "FT-W": ["tokenizer", "prior", "inverse"],
    "TF": ["tokenizer", "colouring", "prior"],
    "TT": ["tokenizer", "colouring", "prior"],
}
every_variant = pytest.mark.parametrize("variant", get_args(Variant))


def build(seed=0, **changes) -> GSS:
    config = resolve_config("gss", "tiny", {**SMALL, **changes})
    with seeding.seeded(seed):
        return GSS(config, DATA)


def losses_and_gradients(method, stage, batch):
    modules = trainable_modules(method, stage)
    with seeding.seeded(0):
        losses = method(stage.name, batch)
    sum(losses.values()).backward()
    moved = {key for key, p in modules.named_parameters() if p.grad is not None and p.grad.any()}
    method.zero_grad()
    return losses, moved


@every_variant
@pytest.mark.parametrize("tokenizer", ["conv", "dalle"])
def test_a_variant_has_its_stages_and_no_more(variant, tokenizer):
    method = build(variant=variant, tokenizer=tokenizer)
    stages = method.config.stages(DATA)
    assert [stage.name for stage in stages] == STAGES[variant]
    for stage in stages:
        losses, moved = losses_and_gradients(method, stage, draw_batch(2))
        assert all(torch.isfinite(loss) for loss in losses.values())
        assert {key.split(".")[0] for key in moved} == {m.replace(".", "/") for m in stage.modules}
    method.eval()
    batch = draw_batch(2, (33, 50))
    assert method.predict(batch.image, batch.seeds).shape == (2, 33, 50)
    assert method.reconstruct(batch.label, batch.seeds).shape == (2, 33, 50)


def stage_settings(**changes):
    """Return what each stage's key is made of."""
    config = resolve_config("gss", "tiny", {**SMALL, **changes})
    return {
        stage.name: (stage.model_dump(), config.depends_on(stage.name))
        for stage in config.stages(DATA)
    }


def test_variants_share_what_does_not_differ_between_them():
    plain = stage_settings(variant="FF")
    for other in ("FT", "FT-W"):
        assert stage_settings(variant=other)["tokenizer"] == plain["tokenizer"]
        assert stage_settings(variant=other)["prior"] == plain["prior"]
    assert stage_settings(inverse="pseudo_inverse") == plain
    assert stage_settings(variant="TT")["tokenizer"] == stage_settings(variant="TF")["tokenizer"]
    larger = stage_settings(head={**SMALL["head"], "depth": 2})
    assert larger["tokenizer"] == plain["tokenizer"]


@pytest.mark.parametrize(
    ("stage", "changes"),
    [
        ("tokenizer", {"colouring": "random"}),
        ("tokenizer", {"variant": "FF-R"}),
        ("tokenizer", {"variant": "TF"}),
        ("tokenizer", {"conv": {**SMALL["conv"], "num_codes": 8}}),
        ("prior", {"head": {**SMALL["head"], "auxiliary": False}}),
        ("prior", {"backbone": {"name": "resnet18"}}),
    ],
)
def test_a_stage_s_settings_tell_apart_what_changes_its_weights(stage, changes):
    assert stage_settings(**changes)[stage] != stage_settings()[stage]


def test_weights_that_variants_share_start_the_same():
    plain, learned = build(variant="FF").state_dict(), build(variant="FT-W").state_dict()
    for key, value in plain.items():
        assert torch.equal(learned[key], value), key


def test_joint_training_reaches_colours_and_inverse_through_the_frozen_tokenizer():
    method = build(variant="TT")
    colouring = method.config.stages(DATA)[1]
    _, moved = losses_and_gradients(method, colouring, draw_batch())
    assert "codec/colouring.logits" in moved
    assert any(key.startswith("codec/inverse.") for key in moved)


def test_a_random_colouring_follows_its_seed():
    palettes = [build(variant="FF-R", palette_seed=s).codec.colouring.palette() for s in (0, 0, 1)]
    assert torch.equal(palettes[0], palettes[1])
    assert not torch.equal(palettes[0], palettes[2])


def test_an_image_already_of_a_fitting_size_is_not_changed_by_padding():
    method = build().eval().requires_grad_(False)
    batch = draw_batch(2, (32, 64))
    assert torch.equal(
        method.codec.reconstruct(batch.label),
        method.codec.decode(method.codec.encode(batch.label)).argmax(1),
    )


@pytest.mark.parametrize("size", [(8, 16), (5, 7), (1, 1)])
def test_enlarging_a_one_hot_map_bilinearly_is_nearest_neighbour(size):
    """Why the codec may repeat pixels where the release interpolates and takes the best."""
    label = torch.randint(5, (3, *size), generator=seeding.torch_generator(0))
    one_hot = F.one_hot(label, 5).permute(0, 3, 1, 2).float()
    enlarged = F.interpolate(one_hot, scale_factor=2, mode="bilinear", align_corners=False)
    assert torch.equal(enlarged.argmax(1), label.repeat_interleave(2, 1).repeat_interleave(2, 2))


def test_the_average_of_four_votes_is_the_release_s_bilinear_reduction():
    votes = torch.rand(2, 5, 8, 12, generator=seeding.torch_generator(0))
    released = F.interpolate(votes, scale_factor=0.5, mode="bilinear", align_corners=False)
    torch.testing.assert_close(F.avg_pool2d(votes, 2), released)


def test_enlarged_labels_have_codes_at_half_the_stride():
    batch = draw_batch(2)
    for scale, grid in ((1, (8, 16)), (2, (16, 32))):
        method = build(label_scale=scale).eval()
        assert method.codec.encode(batch.label).shape == (2, *grid)
        assert method.reconstruct(batch.label, batch.seeds).shape == batch.label.shape


def test_a_cell_counts_unless_all_of_it_is_unlabelled():
    method = build(pixel_weight=0.0)
    prior = method.config.stages(DATA)[1]
    batch = draw_batch(1)
    label = torch.full_like(batch.label, IGNORE_INDEX)
    nothing, moved = losses_and_gradients(method, prior, batch._replace(label=label))
    assert nothing["tokens"] == 0
    assert not moved
    label[0, 0, 0] = 3
    something, moved = losses_and_gradients(method, prior, batch._replace(label=label))
    assert something["tokens"] > 0
    assert "prior.head.tokens.weight" in moved


def test_the_auxiliary_head_can_be_left_out():
    method = build(head={**SMALL["head"], "auxiliary": False})
    losses, _ = losses_and_gradients(method, method.config.stages(DATA)[1], draw_batch(2))
    assert set(losses) == {"tokens"}


def measured(**changes):
    method = build(**changes).eval().requires_grad_(False)
    return method.measure([draw_batch(2), draw_batch(1, (33, 50))])


def test_a_method_measures_how_many_noise_free_colours_its_inverse_returns():
    printed, released = measured(inverse="pseudo_inverse"), measured()
    for classes, name, found in ((150, "ade20k", 14), (194, "mseg", 9), (19, "cityscapes", 5)):
        assert printed[f"colours returned of {classes}, {name}"] == found
        assert released[f"colours returned of {classes}, {name}"] == classes
    assert released["colours returned of 5, its own"] == 5
    assert not [name for name in measured(variant="FT") if "colours returned" in name]


def test_a_method_measures_its_codes_and_its_palette():
    method = build()
    found = measured()
    padded = 2 * 32 * 64 + 36 * 52  # pixels behind codes
    assert found["codes_per_pixel"] == pytest.approx(padded / 16 / (2 * 32 * 64 + 33 * 50))
    assert found["bits_per_pixel"] == pytest.approx(4 * found["codes_per_pixel"])  # 16 codes
    assert found["stride"] == method.codec.stride == 4
    distances = torch.pdist(255 * method.codec.colouring.palette()[:-1])
    assert found["least distance of two colours (0 to 255)"] == pytest.approx(distances.min())


def millions(module):
    return round(sum(p.numel() for p in module.parameters()) / 1e6, 2)


def on_meta(preset, num_classes):
    config = PRESETS[preset]
    config = config.model_copy(
        update={"backbone": config.backbone.model_copy(update={"pretrained": False})}
    )
    names = tuple(f"class {k}" for k in range(num_classes))
    data = DataSpec(classes=names, palette=((0, 0, 0),) * num_classes, size=(768, 768))
    with torch.device("meta"):
        return GSS(config, data)


def test_the_tokenizer_of_the_paper_has_its_number_of_parameters():
    with torch.device("meta"):
        tokenizer = make_tokenizer(PRESETS["paper_cityscapes"])
    assert millions(tokenizer.encoder) == 53.79
    assert millions(tokenizer.decoder) == 43.83


@pytest.mark.parametrize(
    ("preset", "num_classes"),
    [
        ("paper_cityscapes", 19),
        ("paper_cityscapes_r101", 19),
        ("paper_ade20k", 150),
        ("paper_mseg", 194),
        ("paper_mseg_hrnet", 194),
    ],
)
def test_published_sizes_can_be_built(preset, num_classes):
    method = on_meta(preset, num_classes)
    assert method.prior.head.tokens.weight.shape == (8192, 2048, 1, 1)
    assert method.codec.stride == 4


@pytest.mark.parametrize(("depth", "num_classes", "thousands"), [(1, 19, 136), (2, 150, 287)])
def test_the_learned_inverse_has_the_release_s_number_of_parameters(depth, num_classes, thousands):
    config = PRESETS["paper_ade20k"]
    learned = config.learned_inverse.model_copy(update={"depth": depth})
    config = config.model_copy(update={"variant": "FT-W", "learned_inverse": learned})
    data = DataSpec(
        classes=tuple(map(str, range(num_classes))),
        palette=((0, 0, 0),) * num_classes,
        size=(64, 64),
    )
    with torch.device("meta"):
        inverse = make_codec(config, data, make_tokenizer(config)).inverse
    count = sum(p.numel() for p in inverse.parameters())
    assert count == pytest.approx(1000 * thousands, abs=600)


def test_codes_are_put_on_the_nearest_of_the_truth():
    codec = build().codec
    vectors = codec.tokenizer.vectors()
    codes = torch.randint(len(vectors), (2, 6, 8), generator=seeding.torch_generator(1))
    truth = torch.randint(4, (2, 6, 8), generator=seeding.torch_generator(2)) + 2
    truth[1] += 7
    assert torch.equal(codec.nearest(truth, truth), truth)
    near = codec.nearest(codes, truth)
    for image in range(2):
        known = truth[image].unique()
        assert set(near[image].unique().tolist()) <= set(known.tolist())
        distance = torch.cdist(vectors[codes[image].flatten()], vectors[known])
        chosen = torch.cdist(vectors[codes[image].flatten()], vectors[near[image].flatten()])
        torch.testing.assert_close(chosen.diagonal(), distance.min(1).values)
