"""The discrete VAE of DALL-E (Ramesh et al., arXiv:2102.12092), the tokenizer of GSS.

Source: openai/DALL-E, dall_e/encoder.py, decoder.py and utils.py. Parameters have the
released names but for ``w`` and ``b``, here ``weight`` and ``bias``
(:func:`dvae_name` maps them).

Deviations: everything runs in one precision, where the released convolutions run in half
precision on CUDA, so codes of flat colours can differ there; codes are decoded by
gathering rows of the first convolution, where the release multiplies a one-hot map of
all codes: the sum is the same, of one term instead of ``num_codes``.
"""

from __future__ import annotations

import math
import re
from collections import OrderedDict

from torch import Tensor, nn
from torch.nn import functional as F

from methods._nn.autoencoders.tokenizer import Reconstruction, Tokenizer
from methods._nn.quantisers.gumbel import gumbel_one_hot

_GROUPS = 4
_EPS = 0.1  # of the logit-Laplace distribution: keeps colours away from 0 and 1


def dvae_name(key: str) -> str:
    """Name in :class:`DalleTokenizer` of a key that OpenAI released, the half before it."""
    return re.sub(r"\.b$", ".bias", re.sub(r"\.w$", ".weight", key))


def map_pixels(image: Tensor) -> Tensor:
    """Squeeze colours from [0, 1] to [0.1, 0.9], where the logit-Laplace density is finite."""
    return (1 - 2 * _EPS) * image + _EPS


def unmap_pixels(image: Tensor) -> Tensor:
    """Undo :func:`map_pixels`, and clamp to [0, 1]."""
    return ((image - _EPS) / (1 - 2 * _EPS)).clamp(0, 1)


def _conv(in_channels: int, out_channels: int, kernel: int) -> nn.Conv2d:
    """Make a convolution that keeps the size, drawn from N(0, 1 / fan-in), zero bias."""
    conv = nn.Conv2d(in_channels, out_channels, kernel, padding=(kernel - 1) // 2)
    nn.init.normal_(conv.weight, std=1 / math.sqrt(in_channels * kernel**2))
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    return conv


class DalleBlock(nn.Module):
    """Four convolutions through a quarter of the width, beside a 1 x 1 or no convolution."""

    def __init__(
        self, in_channels: int, out_channels: int, kernels: tuple[int, ...], gain: float
    ) -> None:
        super().__init__()
        self.gain = gain
        hidden = out_channels // 4
        widths = (in_channels, hidden, hidden, hidden, out_channels)
        self.id_path: nn.Module = nn.Identity()
        if in_channels != out_channels:
            self.id_path = _conv(in_channels, out_channels, 1)
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for i, kernel in enumerate(kernels):
            layers[f"relu_{i + 1}"] = nn.ReLU()
            layers[f"conv_{i + 1}"] = _conv(widths[i], widths[i + 1], kernel)
        self.res_path = nn.Sequential(layers)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.id_path(x) + self.gain * self.res_path(x)
        return out


def _stack(
    ends: tuple[nn.Module, nn.Module],
    widths: tuple[int, ...],
    blocks: int,
    kernels: tuple[int, ...],
    between: nn.Module,
) -> nn.Sequential:
    """Chain four groups of blocks, ``between`` after each but the last."""
    gain = 1 / (_GROUPS * blocks) ** 2
    layers: OrderedDict[str, nn.Module] = OrderedDict(input=ends[0])
    for g in range(_GROUPS):
        group: OrderedDict[str, nn.Module] = OrderedDict()
        for b in range(blocks):
            width = widths[g] if b == 0 else widths[g + 1]
            group[f"block_{b + 1}"] = DalleBlock(width, widths[g + 1], kernels, gain)
        if g < _GROUPS - 1:
            group["between"] = between
        layers[f"group_{g + 1}"] = nn.Sequential(group)
    layers["output"] = nn.Sequential(OrderedDict(relu=nn.ReLU(), conv=ends[1]))
    return nn.Sequential(layers)


class DalleEncoder(nn.Module):
    """Images [B, 3, H, W] after :func:`map_pixels` to logits [B, V, H / 8, W / 8]."""

    def __init__(self, width: int, blocks: int, num_codes: int) -> None:
        super().__init__()
        self.blocks = _stack(
            (_conv(3, width, 7), _conv(8 * width, num_codes, 1)),
            (width, width, 2 * width, 4 * width, 8 * width),
            blocks,
            (3, 3, 3, 1),
            nn.MaxPool2d(2),
        )

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.blocks(image)
        return logits


class DalleDecoder(nn.Module):
    """Codes to the six parameters per pixel of a logit-Laplace distribution.

    The first three are the means before the sigmoid, the others the log-scales.
    """

    def __init__(self, width: int, first_width: int, blocks: int, num_codes: int) -> None:
        super().__init__()
        self.blocks = _stack(
            (_conv(num_codes, first_width, 1), _conv(width, 6, 1)),
            (first_width, 8 * width, 4 * width, 2 * width, width),
            blocks,
            (1, 3, 3, 3),
            nn.Upsample(scale_factor=2, mode="nearest"),
        )

    def forward(self, weights: Tensor) -> Tensor:
        """Decode weights over the codes, float32 [B, V, h, w], to [B, 6, 8 h, 8 w]."""
        out: Tensor = self.blocks(weights)
        return out

    def vectors(self) -> Tensor:
        """Return what the first convolution makes of each code, float32 [V, first_width]."""
        first = self.blocks[0]
        assert isinstance(first, nn.Conv2d)
        assert first.bias is not None
        return first.weight.flatten(1).t() + first.bias

    def first_layer(self, codes: Tensor) -> Tensor:
        """Return the first convolution of one-hot int64 codes [B, h, w]: [B, C, h, w]."""
        return F.embedding(codes, self.vectors()).permute(0, 3, 1, 2)

    def decode(self, codes: Tensor) -> Tensor:
        """Decode int64 codes [B, h, w] to [B, 6, 8 h, 8 w]."""
        out: Tensor = self.blocks[1:](self.first_layer(codes))
        return out


class DalleTokenizer(Tokenizer):
    """Encoder and decoder as GSS uses them; trainable from scratch at any size.

    Trained, codes are drawn by straight-through Gumbel-softmax, a simplification of the
    relaxed evidence bound of arXiv:2102.12092, section 2.1: no KL term and a fixed
    temperature.
    """

    stride = 8

    def __init__(
        self,
        width: int = 256,
        first_width: int = 128,
        blocks: int = 2,
        num_codes: int = 8192,
        gumbel_temperature: float = 1.0,
    ) -> None:
        super().__init__()
        self.num_codes = num_codes
        self.gumbel_temperature = gumbel_temperature
        self.encoder = DalleEncoder(width, blocks, num_codes)
        self.decoder = DalleDecoder(width, first_width, blocks, num_codes)

    def logits(self, maskige: Tensor) -> Tensor:
        logits: Tensor = self.encoder(map_pixels(maskige))
        return logits

    def decode(self, codes: Tensor) -> Tensor:
        return unmap_pixels(self.decoder.decode(codes)[:, :3].sigmoid())

    def vectors(self) -> Tensor:
        return self.decoder.vectors()

    def decode_mixture(self, weights: Tensor) -> Tensor:
        return unmap_pixels(self.decoder(weights)[:, :3].sigmoid())

    def reconstruct(self, maskige: Tensor, seeds: Tensor) -> Reconstruction:
        logits = self.logits(maskige)
        weights = gumbel_one_hot(logits, seeds, self.gumbel_temperature)
        return Reconstruction(self.decode_mixture(weights), logits.new_zeros(()))
