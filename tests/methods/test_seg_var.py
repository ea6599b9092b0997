import pydantic
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.core.registry import load_method, merge, resolve_config
from bench.core.schema import IGNORE_INDEX, Batch, DataSpec, fingerprint
from bench.core.seeding import derive, seeded, uniform
from methods._nn.colour import fill_void
from methods._nn.padding import pad_image, pad_label
from methods._nn.quantisers.multi_scale import MultiScaleResidualQuantiser, map_size, next_input
from methods.seg_var.codes import sample
from methods.seg_var.config import PRESETS, Config, ImageEncoderSettings, TokenizerSettings
from methods.seg_var.generate import SeglatSampler, mix
from methods.seg_var.image_encoder import CodePredictor
from methods.seg_var.method import SegVAR
from methods.seg_var.next_scale import inputs

DATA = DataSpec(
    classes=("sky", "road", "car"),
    palette=((0, 0, 255), (128, 64, 128), (0, 0, 142)),
    size=(30, 46),  # no multiple of the stride
)
SHRUNK = {
    "tokenizer": {
        "width": 8,
        "multipliers": (1, 2),
        "blocks": 1,
        "num_codes": 16,
        "latent_channels": 4,
        "sides": (1, 2, 4),
    },
    "decoder": {"width": 16, "depth": 2, "heads": 2},
    "latent": {"width": 8, "heads": 2},
    "image_encoder": {"widths": (8, 8, 16), "width": 16, "depth": 1, "heads": 2},
}
ABLATIONS = {
    "full": {},
    "sampled": {"decoder": {"decoding": "sample", "top_k": 5, "top_p": 0.9}},
    "joint tokens": {"decoder": {"image_sees": "previous", "image_weight": 1.0}},
    "guided": {"decoder": {"guidance": 1.5, "class_dropout": 0.2, "classes": "present"}},
    "centroid": {"colours": {"cell": "centroid"}, "void": "paint"},
    "component": {
        "colours": {"cell": "centroid", "masks": "component", "grid": 5},
        "latent": {"colour_weight": 1.0},
    },
    "vanilla": {"latent": None, "train_latent": None},
    "without stage 1": {"train_seglat": None},
    "without stage 3": {"train_image": None},
    "unstaged": {"joint": True},
    "vqgan": {"tokenizer": {"kind": "vqgan"}},
    "dvae": {"tokenizer": {"kind": "dvae"}},
    "kl": {"tokenizer": {"kind": "kl"}},
    "kl sampled": {"tokenizer": {"kind": "kl"}, "decoder": {"decoding": "sample"}},
    "VAR's autoencoder": {"tokenizer": {"autoencoder": "var", "multipliers": (1, 1, 2)}},
}


def build(overrides=None):
    config = merge(merge(PRESETS["tiny"].model_dump(), SHRUNK), overrides or {})
    with seeded(0):
        method = SegVAR(Config.model_validate(config), DATA).eval()
        for name, parameter in method.named_parameters():
            if "modulate" in name:  # zero at the start, which would hide mistakes
                torch.nn.init.normal_(parameter, std=0.1)
    return method


def make_batch(size=4):
    seeds = torch.arange(size) + 7
    label = (uniform(seeds, 5, 7) * 3).long().repeat_interleave(6, 1).repeat_interleave(7, 2)
    label = label[:, :30, :46].contiguous()
    image = 0.3 * label[:, None].expand(-1, 3, -1, -1) + 0.1 * uniform(seeds, 3, 30, 46)
    label[:, :2] = IGNORE_INDEX
    return Batch(image, label, seeds)


def parameters_of(method, stage):
    return [p for name in stage.modules for p in getattr(method, name).parameters()]


def descend(method, stage, batch, steps, lr=3e-3):
    """Train one stage on one batch as the harness would; return the losses."""
    method.requires_grad_(False).eval()
    for name in stage.modules:
        getattr(method, name).requires_grad_(True).train()
    optimiser = torch.optim.Adam(parameters_of(method, stage), lr)
    losses = []
    for step in range(steps):
        seeded_batch = batch._replace(seeds=derive(batch.seeds, step))
        loss = sum(method(stage.name, seeded_batch).values())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    method.eval()
    return losses


def test_is_found_by_name():
    assert load_method("seg_var") is SegVAR
    assert resolve_config("seg_var", "tiny", {"colours": {"grid": 4}}).colours.grid == 4


@pytest.mark.parametrize("name", ABLATIONS)
def test_every_ablation_trains_and_predicts(name):
    method = build(ABLATIONS[name])
    batch = make_batch(2)
    for stage in method.config.stages(DATA):
        losses = descend(method, stage, batch, 1)
        assert all(torch.isfinite(torch.tensor(losses))), stage.name
        moved = [p.grad is not None for p in parameters_of(method, stage)]
        assert any(moved), stage.name
    for label in (
        method.predict(batch.image, batch.seeds),
        method.reconstruct(batch.label, batch.seeds),
    ):
        assert label.shape == batch.label.shape
        assert label.dtype == torch.int64
        assert 0 <= label.min() <= label.max() < DATA.num_classes


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tokenizer", "seglat", "image"])
def test_a_stage_learns_a_batch(name):
    method = build()
    stage = next(stage for stage in method.config.stages(DATA) if stage.name == name)
    losses = descend(method, stage, make_batch(2), 40, lr=1e-2)
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5]), losses


def test_a_stage_moves_its_modules_only():
    method = build()
    before = {name: value.clone() for name, value in method.state_dict().items()}
    stage = method.config.stages(DATA)[2]
    descend(method, stage, make_batch(), 2)
    moved = {
        name.split(".")[0]
        for name, old in before.items()
        if not torch.equal(old, method.state_dict()[name])
    }
    assert moved == set(stage.modules) == {"latent_encoder", "latent_decoder"}


@pytest.mark.slow
def test_trained_codec_reconstructs_the_label():
    method = build({"tokenizer": {"num_codes": 64, "latent_channels": 8, "width": 16}})
    batch = make_batch(2)
    stages = {stage.name: stage for stage in method.config.stages(DATA)}
    descend(method, stages["tokenizer"], batch, 100, lr=1e-2)
    descend(method, stages["latent"], batch, 60)
    known = batch.label != IGNORE_INDEX
    right = method.reconstruct(batch.label, batch.seeds) == batch.label
    assert right[known].float().mean() > 0.8


@pytest.mark.parametrize("name", ["full", "sampled", "guided", "kl sampled"])
def test_labels_depend_neither_on_batch_mates_nor_on_the_position_in_a_batch(name):
    """At one batch size, as the harness predicts: kernels of other sizes round otherwise."""
    method = build(ABLATIONS[name])
    batch = make_batch(16)
    together = method.predict(batch.image, batch.seeds)
    for rows in (torch.arange(16).roll(5), torch.arange(16) // 4, 12 + torch.arange(16) % 4):
        assert torch.equal(method.predict(batch.image[rows], batch.seeds[rows]), together[rows])


@torch.no_grad()
def test_a_scale_is_to_code_what_own_choices_left_over(monkeypatch):
    """However wrong the encoder's choices, codes that then obey the targets correct them."""
    method, batch = build(ABLATIONS["vanilla"]), make_batch(2)
    batch = Batch(pad_image(batch.image, 4), pad_label(batch.label, 4), batch.seeds)
    seen = {}
    monkeypatch.setattr(
        "methods.seg_var.method.divergence",
        lambda outputs, truth: seen.update(outputs=outputs, truth=truth) or torch.zeros(()),
    )
    method("image", batch)
    quantiser = method.tokenizer.quantiser
    latent = method.tokenizer.latent(method.painter(batch.label).colours)
    grid = latent.shape[2:]
    running = torch.zeros_like(latent)
    for k, (outputs, truth) in enumerate(zip(seen["outputs"], seen["truth"], strict=True)):
        assert torch.equal(quantiser.code(latent - running, k), truth)
        chosen = outputs.argmax(-1).reshape(truth.shape)
        assert not torch.equal(chosen, truth)  # untrained, so its choices are wrong
        running = running + quantiser.contribution(chosen, k, grid)


def stage_keys(overrides):
    """What tells the stages of a configuration apart, as the plan chains it."""
    config, key = resolve_config("seg_var", "tiny", overrides), ""
    keys = {}
    for stage in config.stages(DATA):
        key = keys[stage.name] = fingerprint(key, stage, config.depends_on(stage.name))
    return keys


@pytest.mark.parametrize(
    ("name", "shared"),
    [
        ("sampled", {"tokenizer", "seglat", "latent", "image"}),
        ("vanilla", {"tokenizer", "seglat"}),
        ("without stage 3", {"tokenizer", "seglat", "latent"}),
        ("without stage 1", {"tokenizer"}),
        ("unstaged", {"tokenizer"}),
        ("component", set()),
        ("vqgan", set()),
    ],
)
def test_ablations_share_the_stages_before_they_differ(name, shared):
    full, ablation = stage_keys({}), stage_keys(ABLATIONS[name])
    assert {stage for stage, key in ablation.items() if full.get(stage) == key} == shared


def test_a_module_starts_alike_whichever_others_there_are():
    full = build().state_dict()
    for name in ("vanilla", "without stage 1", "without stage 3", "unstaged"):
        for key, value in build(ABLATIONS[name]).state_dict().items():
            if "modulate" not in key:  # which build draws anew
                assert torch.equal(value, full[key]), (name, key)


@torch.no_grad()
@pytest.mark.parametrize("backbone", ["small", "resnet10t", "swin_tiny_patch4_window7_224"])
def test_the_image_encoder_takes_backbones_of_either_layout(backbone):
    settings = {"backbone": backbone, "pretrained": False, "width": 8, "heads": 2, "depth": 1}
    encoder = CodePredictor(2, 4, 16, 3, ImageEncoderSettings(**settings), (64, 64)).eval()
    seen = encoder(torch.zeros(2, 3, 64, 64), [(2, 2), (8, 8)])
    outputs = [encoder.outputs(seen, k, None) for k in range(2)]
    assert [tuple(out.shape) for out in outputs] == [(2, 4, 16), (2, 64, 16)]
    assert seen.present.shape == (2, 3)


def test_segments_are_told_apart_by_colour_where_components_have_colours():
    method = build(ABLATIONS["component"])
    batch = make_batch(2)
    segments = method.segments(batch.image, batch.seeds)
    assert torch.equal(segments.label, method.predict(batch.image, batch.seeds))
    assert segments.instance.shape == batch.label.shape
    assert 0 <= segments.instance.min() <= segments.instance.max() <= 25
    assert 1 / 3 <= segments.score.min() <= segments.score.max() <= 1
    painted = method.painter(batch.label)
    cells = method.painter.cells(painted.colours)
    grid = method.painter.grid
    for one, label in zip(cells, batch.label, strict=True):
        coloured = grid.encode(method.painter.split(fill_void(label[None])[0]))
        assert torch.equal(grid.paint(one), coloured.colours)
    assert build().segments(batch.image, batch.seeds) is None  # a colour is all of a class


def test_sampling_follows_the_seed_alone():
    method = build(ABLATIONS["sampled"])
    batch = make_batch(2)
    first = method.logits(batch.image, batch.seeds)
    assert torch.equal(method.logits(batch.image, batch.seeds), first)
    assert not torch.equal(method.logits(batch.image, batch.seeds + 1), first)


@torch.no_grad()
@pytest.mark.parametrize("name", ["full", "joint tokens"])
def test_cached_and_uncached_generation_choose_the_same_codes(name):
    method = build(ABLATIONS[name])
    batch = make_batch(2)
    quantiser = method.tokenizer.quantiser
    image = method.tokenizer.encode(torch.nn.functional.pad(batch.image, (0, 2, 0, 2)))
    # In double precision, so that rounding decides no arg-max.
    decoder, quantiser = method.decoder.double(), quantiser.double()
    classes = torch.ones(2, DATA.num_classes, dtype=torch.float64)
    sampler = SeglatSampler(decoder, quantiser, image, classes, method.config.decoder)
    start = decoder.start(classes, "semantic")
    seen = inputs(quantiser, image, own=method.config.decoder.image_sees == "current")
    seglat = [None] + [torch.full_like(x, 9.0) for x in seen[1:]]  # the future must not matter
    scales = [map_size(codes) for codes in image]
    running = None
    for k, scale in enumerate(scales):
        before = None if running is None else next_input(running, scale)
        cached = sampler.outputs(k, before)
        uncached = decoder(scales, seen, seglat, start)[1][k]
        torch.testing.assert_close(cached, uncached, atol=1e-10, rtol=1e-10)
        codes = cached.argmax(-1)
        assert torch.equal(codes, uncached.argmax(-1))
        added = quantiser.contribution(codes.reshape(-1, *scale), k, scales[-1])
        running = added if running is None else running + added
        if k + 1 < len(scales):
            seglat[k + 1] = next_input(running, scales[k + 1])


@given(k=st.integers(1, 6), p=st.floats(0.01, 1.0), seed=st.integers(0, 2**32))
def test_sampling_keeps_to_top_k_and_top_p(k, p, seed):
    seeds = torch.tensor([seed])
    logits = 3 * uniform(derive(seeds, "logits"), 1, 6)
    draws = torch.linspace(0, 1 - 1e-6, 64)[None]
    drawn = sample(logits.expand(1, 64, 6), draws, k, p)[0]
    order = logits[0, 0].argsort(descending=True)[:k]
    share = logits[0, 0][order].softmax(0)
    kept = order[: int((share.cumsum(0) - share < p).sum())]
    assert set(drawn.tolist()) <= set(kept.tolist())
    assert order[0] in drawn


def test_sampling_follows_the_probabilities():
    logits = torch.tensor([0.5, 0.2, 0.3]).log()
    drawn = sample(logits.expand(1, 1000, 3), (torch.arange(1000) / 1000)[None], 3, 1.0)
    share = drawn.flatten().bincount(minlength=3) / 1000
    torch.testing.assert_close(share, torch.tensor([0.5, 0.2, 0.3]), atol=0.002, rtol=0)


def test_mixing_weights_log_probabilities():
    a, b = torch.tensor([[0.0, 2.0]]), torch.tensor([[3.0, 0.0]])
    assert mix([(1.0, a), (0.0, b)], False).argmax() == 1
    assert mix([(1.0, a), (1.0, b)], False).argmax() == 0
    torch.testing.assert_close(mix([(1.0, a), (3.0, b)], True), torch.tensor([[2.25, 0.5]]))


def test_scales_keep_their_proportions():
    sides = TokenizerSettings().sides
    quantiser = MultiScaleResidualQuantiser(2, 2, sides)
    assert quantiser.scales((16, 16)) == tuple((n, n) for n in sides)
    assert quantiser.scales((16, 32))[:2] == ((1, 2), (2, 4))
    assert quantiser.scales((3, 1))[-1] == (3, 1)
    assert min(quantiser.scales((3, 1))) == (1, 1)


def quantiser_of(codes=32):
    with seeded(1):
        return MultiScaleResidualQuantiser(codes, 4, (1, 2, 4), restart_below=0.1)


def test_dead_codes_restart_where_the_data_are():
    seeds = torch.arange(8)
    latent = 5 + uniform(derive(seeds, "latent"), 4, 4, 4)
    quantiser = quantiser_of()
    assert quantiser.restart_dead(latent, seeds) == 32  # nothing was used yet
    quantiser(latent)
    dead_before = int((quantiser.usage() == 0).sum())
    quantiser.embedding.weight.data[3] = 1e3  # a code that nothing is near to
    quantiser.ema_vocab_hit_SV[:, 3] = 0
    assert quantiser.restart_dead(latent, seeds) >= 1
    assert quantiser.embedding.weight[3].abs().max() < 100
    assert dead_before == 0


def test_training_of_the_codebook_resumes_from_its_buffers():
    def steps(quantiser, numbers):
        for i in numbers:
            seeds = derive(torch.arange(4), i)
            quantiser(2 * uniform(derive(seeds, "latent"), 4, 4, 4), seeds)

    whole, first, second = quantiser_of(), quantiser_of(), quantiser_of()
    steps(whole, range(6))
    steps(first, range(3))
    second.load_state_dict(first.state_dict())
    steps(second, range(3, 6))
    for name, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"colours": {"grid": 15}}, "225 colours"),
        ({"colours": {"cell": "class", "masks": "component"}}, "components"),
        ({"latent": None}, "train_latent"),
        ({"latent": None, "train_latent": None, "colours": {"cell": "centroid"}}, "centroid"),
        ({"train_seglat": None, "train_image": None}, "must be given"),
        ({"train_seglat": None, "joint": True}, "give both"),
        ({"image_encoder": {"sees": "image"}}, "sees: scales"),
        ({"decoder": {"image_weight": 1.0}}, "image_sees"),
        ({"train_image": None, "decoder": {"classes": "present"}}, "image encoder"),
    ],
)
def test_contradictory_settings_are_refused(overrides, reason):
    with pytest.raises(pydantic.ValidationError, match=reason):
        resolve_config("seg_var", "tiny", overrides)


def test_more_classes_than_cells_are_refused():
    with pytest.raises(ValueError, match="3 classes"):
        build({"colours": {"grid": 1}})
