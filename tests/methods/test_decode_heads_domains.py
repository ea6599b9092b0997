"""Training on several data sets at once: MGDA's weights and CCSA's pairs, from the equations."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core import seeding
from bench.core.registry import resolve_config
from bench.core.schema import IGNORE_INDEX
from methods.decode_heads import domains
from methods.decode_heads.domains import ccsa_loss, mgda_loss, min_norm_weights
from methods.decode_heads.method import DecodeHeads
from tests.helpers.small_methods import DATA, draw_batch


def make(**config):
    with seeding.seeded(0):
        return DecodeHeads(resolve_config("decode_heads", "hrnet_tiny", config), DATA)


@given(sets=st.integers(2, 5), seed=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_the_sum_of_least_norm_descends_for_every_data_set(sets, seed):
    gradients = torch.randn(sets, 8, generator=seeding.torch_generator(seed)).double()
    weights = min_norm_weights(gradients @ gradients.T)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    least = weights @ gradients
    # The nearest point of a convex set to the origin: no other lies before it.
    assert (gradients @ least).min() >= least @ least - 0.02 * gradients.square().sum(1).max()


def test_of_two_the_weights_are_the_closed_form():
    """Arxiv:1810.04650, algorithm 1."""
    for first, second in (((1.0, 0.0), (0.0, 2.0)), ((1.0, 0.0), (3.0, 1.0)), ((2.0, 1), (-1, 1))):
        a, b = torch.tensor(first).double(), torch.tensor(second).double()
        share = ((b - a) @ b / (b - a).square().sum()).clamp(0, 1)
        weights = min_norm_weights(torch.stack([a, b]) @ torch.stack([a, b]).T)
        torch.testing.assert_close(weights, torch.stack([share, 1 - share]), atol=1e-6, rtol=0)


def test_mgda_weighs_losses_by_their_gradients():
    parameter = torch.tensor([1.0, 2.0], requires_grad=True)
    losses = [parameter[0], 3 * parameter[1]]
    total = mgda_loss(losses, [parameter])
    total.backward()
    torch.testing.assert_close(parameter.grad, torch.tensor([0.9, 0.3]))  # shares 9 : 1
    assert mgda_loss(losses[:1], [parameter]) is losses[0]


def test_pairs_of_one_class_are_pulled_and_others_pushed():
    """One feature per class and data set, so that the loss can be told by hand."""
    label = torch.tensor([[[0, 0], [1, 1]], [[0, 1], [0, 1]]])
    value = torch.tensor([[[0.0, 0], [4, 4]], [[0.5, 4.25], [0.5, 4.25]]])
    features = value[:, None].clone().requires_grad_()
    loss = ccsa_loss(features, label, torch.tensor([3, 5]), torch.arange(2))
    # Of each class, pairs are 0.5 or 0.25 apart; those of two classes are beyond the margin.
    share = domains.POSITIVE_PAIRS / (domains.POSITIVE_PAIRS + domains.NEGATIVE_PAIRS)
    assert share * 0.25**2 < loss < share * 0.5**2
    near = torch.where(label == 0, 0.0, 0.5)[:, None]
    pushed = ccsa_loss(near, label, torch.tensor([3, 5]), torch.arange(2))
    assert pushed.item() == pytest.approx((1 - share) * 0.5**2)
    loss.backward()
    assert features.grad.abs().sum() > 0


def test_pairs_are_of_two_data_sets_and_labelled():
    features = torch.randn(2, 4, 3, 3, generator=seeding.torch_generator(0))
    label = torch.zeros(2, 3, 3, dtype=torch.int64)
    seeds = torch.arange(2)
    assert ccsa_loss(features, label, torch.tensor([1, 1]), seeds) == 0
    assert ccsa_loss(features, label, torch.tensor([0, 1]), seeds) > 0
    label[1] = IGNORE_INDEX
    assert ccsa_loss(features, label, torch.tensor([0, 1]), seeds) == 0


@pytest.mark.parametrize("way", ["mgda", "ccsa"])
def test_a_network_learns_across_data_sets(way):
    method = make(domains=way).train()
    batch = draw_batch()._replace(domain=torch.tensor([0, 0, 2, 2]))
    optimizer = torch.optim.Adam(method.parameters(), lr=3e-3)
    totals = []
    for _ in range(8):
        loss = sum(method("network", batch).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        totals.append(loss.item())
    assert totals[-1] < totals[0]


def test_of_one_data_set_mgda_is_the_plain_loss():
    batch = draw_batch()._replace(domain=torch.zeros(4, dtype=torch.int64))
    plain, weighed = (make(domains=way).eval()("network", batch) for way in ("", "mgda"))
    torch.testing.assert_close(weighed["domains"], sum(plain.values()))
