"""What CAM-Seg's small preset adds to the release, and what it shares between variants."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.registry import resolve_config
from bench.core.schema import CLEAN, Batch, DataRef, Protocol, fingerprint
from bench.core.seeding import seeded
from bench.data.dataset import Sample
from bench.data.split import Split
from bench.engine.accelerator import make_accelerator
from bench.engine.evaluation.evaluate import evaluate
from bench.engine.evaluation.loading import EvaluationJob
from methods.cam_seg.config import PRESETS, Config, ShortcutSettings, StackSettings
from methods.cam_seg.diffusion_head import DiffusionHead
from methods.cam_seg.gaussian_diffusion import TIME_STEPS, GaussianDiffusion, cosine_alphas_cumprod
from methods.cam_seg.transformer import MaskTransformer
from tests.helpers.cam_seg import DATA, build
from tests.helpers.drawn import Drawn, Silent
from tests.helpers.small_methods import DATA as CONTRACT
from tests.helpers.small_methods import SIZE

PROCESS = GaussianDiffusion(cosine_alphas_cumprod())
STACK = StackSettings(width=16, depth=1, heads=2)


def transformer(**shortcuts: Any) -> MaskTransformer:
    with seeded(2):
        return MaskTransformer(
            (2, 4), 8, STACK, STACK, patch=2, shortcuts=ShortcutSettings(**shortcuts)
        ).eval()


@given(time=st.integers(0, TIME_STEPS - 1), seed=st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_velocity_tells_token_and_noise(time: int, seed: int) -> None:
    with seeded(seed):
        token, noise = torch.randn(2, 3, 4)
    index = torch.full((3,), time)
    x_t = PROCESS.diffuse(token, index, noise)
    velocity = PROCESS.velocity(token, index, noise)
    close = {"atol": 1e-5, "rtol": 1e-5}
    torch.testing.assert_close(PROCESS.clean_of_velocity(x_t, index, velocity), token, **close)
    torch.testing.assert_close(PROCESS.noise_of_velocity(x_t, index, velocity), noise, **close)


@torch.no_grad()
def test_velocity_is_what_the_loss_asks_for() -> None:
    """At the noisiest step a network that says nothing is wrong by the token itself."""
    head = DiffusionHead(2, 3, 8, 1, "velocity")
    torch.nn.init.zeros_(head.net.final_layer.linear.bias)
    with seeded(5):
        token, condition, noise = torch.randn(3, 2), torch.randn(3, 3), torch.randn(3, 2)
    loss = head.loss(token, condition, torch.full((3,), TIME_STEPS - 1), noise)
    torch.testing.assert_close(loss.mse, token.square().mean(dim=1), atol=1e-4, rtol=1e-3)
    assert loss.vlb.isfinite().all()


def test_released_transformer_has_no_shortcut() -> None:
    released = PRESETS["paper"].shortcuts
    assert released == ShortcutSettings()
    names = {name for name, _ in transformer().named_parameters()}
    assert not any(name.startswith("stem") for name in names)
    assert names < {name for name, _ in transformer(stem_blocks=1).named_parameters()}


@pytest.mark.parametrize("aligned", [False, True])
@torch.no_grad()
def test_aligned_tokens_see_their_own_place_without_attention(aligned: bool) -> None:
    model = transformer(aligned=aligned)
    torch.nn.init.zeros_(model.decoder_blocks[0].attn.proj.weight)  # type: ignore[union-attr]
    with seeded(4):
        image, mask = torch.randn(2, 1, 8, 8)
    hidden = torch.ones(1, 8, dtype=torch.bool)
    other = image.clone()
    other[:, 5] += 1
    for block in model.encoder_blocks:
        torch.nn.init.zeros_(block.attn.proj.weight)  # type: ignore[union-attr,arg-type]
    changed = (model(image, mask, hidden) - model(other, mask, hidden)).abs().amax(dim=2)[0, 8:]
    assert changed.nonzero().flatten().tolist() == ([5] if aligned else [])


@torch.no_grad()
def test_stem_sees_the_neighbourhood() -> None:
    """A latent of one token reaches the tokens next to it, and none two tokens away."""
    stem = transformer(stem_blocks=1, stem_width=8).stem
    assert stem is not None
    with seeded(4):
        image = torch.randn(1, 8, 8)
    other = image.clone()
    other[:, 0, 0] += 1  # a corner latent; group normalisation would reach everywhere
    for module in stem.modules():
        if isinstance(module, torch.nn.GroupNorm):
            module.forward = lambda x: x  # type: ignore[method-assign]
    changed = (stem(image) - stem(other)).abs().amax(dim=2)[0].reshape(2, 4) > 0
    assert changed[0, 0]
    assert changed[:, :2].all()
    assert not changed[:, 2:].any()


@pytest.mark.parametrize("changes", [{"shortcuts": {"stem_blocks": 1, "aligned": True}}])
def test_prior_with_shortcuts_reaches_all_it_trains(changes: dict[str, Any]) -> None:
    method = build(**changes, head={"target": "velocity", "variational_weight": 0.5})
    with seeded(1):
        batch = Batch(torch.rand(2, 3, 16, 32), torch.randint(0, 3, (2, 16, 32)), torch.arange(2))
    sum(method("prior", batch).values()).backward()
    for name, parameter in method.named_parameters():
        trained = name.startswith(("transformer", "head"))
        assert (parameter.grad is not None) == trained, name


def test_variational_term_is_weighted() -> None:
    with seeded(1):
        batch = Batch(torch.rand(2, 3, 16, 32), torch.randint(0, 3, (2, 16, 32)), torch.arange(2))
    whole, none = (
        build(head={"variational_weight": weight})("prior", batch) for weight in (1.0, 0.0)
    )
    assert whole["mse"].equal(none["mse"])
    assert whole["vlb"] != 0
    assert none["vlb"] == 0


SHARED = [
    ({"inference": {"mode": "autoregressive", "steps": 7}}, {"autoencoder", "statistics", "prior"}),
    ({"inference": {"posterior": "sample"}}, {"autoencoder", "statistics", "prior"}),
    ({"posterior": "sample"}, {"autoencoder"}),
    ({"head": {"depth": 1}}, {"autoencoder", "statistics"}),
    ({"autoencoder": {"kl_weight": 0.5}}, set()),
    ({"colouring": "dataset"}, set()),
]


@pytest.mark.parametrize(
    ("changes", "shared"),
    SHARED,
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
def test_variants_share_the_stages_that_do_not_know_them(
    changes: dict[str, Any], shared: set[str]
) -> None:
    plain, changed = (resolve_config("cam_seg", "tiny", each) for each in ({}, changes))
    assert isinstance(changed, Config)
    same = {
        stage.name
        for stage in plain.stages(DATA)
        if fingerprint(plain.depends_on(stage.name)) == fingerprint(changed.depends_on(stage.name))
    }
    # A stage's key is chained: one that differs leaves none after it in common.
    chained = set()
    for stage in plain.stages(DATA):
        if stage.name not in same:
            break
        chained.add(stage.name)
    assert chained == shared


class Reversed(Drawn):
    """The same images, the last one first."""

    def __getitem__(self, index: int) -> Sample:
        return super().__getitem__(self.images - 1 - index)

    def ids(self) -> tuple[str, ...]:
        return super().ids()[::-1]


@pytest.mark.parametrize("mode", ["one_shot", "autoregressive"])
def test_order_changes_no_count(mode: str) -> None:
    method = build(CONTRACT, inference={"mode": mode, "posterior": "sample"})

    def confusions(kind: type[Drawn]) -> np.ndarray:
        protocol = Protocol(resize=SIZE)
        split = Split(kind(11), DataRef(dataset="drawn", split="val"), protocol)
        job = EvaluationJob(split, CLEAN, "predict", 0)
        (result,) = evaluate(method, job, make_accelerator(), Silent())
        return np.stack(result.counts[:3])

    assert (confusions(Reversed)[:, ::-1] == confusions(Drawn)).all()
