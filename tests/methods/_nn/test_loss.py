"""Cross-entropy over the targets that count."""

import pytest
import torch
from torch.nn import functional as F

from bench.core import seeding
from bench.core.schema import IGNORE_INDEX
from methods._nn.loss import cross_entropy


@pytest.mark.parametrize("ignore", [IGNORE_INDEX, -1])
def test_ignored_targets_neither_add_nor_average(ignore):
    logits = torch.randn(2, 5, 4, 6, generator=seeding.torch_generator(0))
    target = torch.randint(5, (2, 4, 6), generator=seeding.torch_generator(1))
    target[:, :2] = ignore
    counted = F.cross_entropy(logits[:, :, 2:], target[:, 2:])
    torch.testing.assert_close(cross_entropy(logits, target, ignore), counted)


def test_without_any_target_the_loss_is_zero_and_has_a_gradient():
    logits = torch.ones(1, 3, 2, 2, requires_grad=True)
    loss = cross_entropy(logits, torch.full((1, 2, 2), IGNORE_INDEX))
    loss.backward()
    assert loss == 0
    assert logits.grad is not None
    assert not logits.grad.any()
