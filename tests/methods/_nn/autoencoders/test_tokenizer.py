"""Tokenizers: codes, mixtures of codes, gradients."""

import pytest
import torch
from torch.nn import functional as F

from bench.core import seeding
from tests.helpers.tokenizers import tokenizers

every_tokenizer = pytest.mark.parametrize("tokenizer", tokenizers(), ids=["vq", "fsq", "dalle"])


@every_tokenizer
def test_a_one_hot_mixture_decodes_as_its_codes(tokenizer):
    generator = seeding.torch_generator(0)
    codes = torch.randint(tokenizer.num_codes, (2, 3, 4), generator=generator)
    one_hot = F.one_hot(codes, tokenizer.num_codes).permute(0, 3, 1, 2).float()
    decoded = tokenizer.decode(codes)
    torch.testing.assert_close(tokenizer.decode_mixture(one_hot), decoded)
    assert decoded.shape == (2, 3, 3 * tokenizer.stride, 4 * tokenizer.stride)
    assert decoded.min() >= 0
    assert decoded.max() <= 1


@every_tokenizer
def test_training_reaches_every_parameter(tokenizer):
    maskige = torch.rand(2, 3, 16, 16, generator=seeding.torch_generator(0))
    result = tokenizer.reconstruct(maskige, torch.arange(2))
    (F.mse_loss(result.image, maskige) + result.loss).backward()
    untouched = [key for key, p in tokenizer.named_parameters() if p.grad is None]
    assert untouched == []
