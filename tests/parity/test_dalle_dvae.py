"""The DALL-E discrete VAE against its official code."""

import torch

from methods._nn.autoencoders.dalle import DalleTokenizer
from tests.helpers.parity import fill, load

RELEASED = {"w": "weight", "b": "bias"}


def rename(key: str) -> str:
    stem, _, kind = key.rpartition(".")
    return f"{stem}.{RELEASED[kind]}"


def released():
    fixture = load("dalle_dvae")
    config = fixture.config
    tokenizer = DalleTokenizer(
        config["n_hid"], config["n_init"], config["n_blk_per_group"], config["vocab_size"]
    )
    fill(tokenizer.encoder, fixture.parameters["encoder"], rename)
    fill(tokenizer.decoder, fixture.parameters["decoder"], rename)
    return fixture, tokenizer.eval().requires_grad_(False)


def test_dvae_encoder_logits():
    fixture, tokenizer = released()
    logits = tokenizer.logits(fixture.tensor("image"))
    torch.testing.assert_close(logits, fixture.tensor("encoder_logits"), atol=1e-4, rtol=0)


def test_dvae_decoder():
    fixture, tokenizer = released()
    codes = fixture.tensor("indices")
    torch.testing.assert_close(
        tokenizer.decoder.decode(codes), fixture.tensor("decoder_output"), atol=1e-4, rtol=0
    )
    torch.testing.assert_close(
        tokenizer.decode(codes), fixture.tensor("reconstruction"), atol=1e-4, rtol=0
    )
