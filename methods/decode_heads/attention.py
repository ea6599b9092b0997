"""Heads that attend: non-local, criss-cross and dual attention.

All reduce the encoder's last level to one width, attend, and classify; sizes are those of
mmsegmentation (configs/nonlocal_net, ccnet, danet), with which GSS's tables were measured.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods.decode_heads.layers import AuxiliaryHead, ConvUnit, DecodeHead, PixelClassifier


def _rows(x: Tensor) -> Tensor:
    """Turn [B, C, h, w] into [B, h * w, C]."""
    return x.flatten(2).transpose(1, 2)


class NonLocalAttention(nn.Module):
    """Every position attends to all (Wang et al., arXiv:1711.07971, equations 1, 4 and 6).

    The embedded Gaussian; logits are divided by the root of the width, which the paper does
    not do and mmsegmentation's configurations do. The last norm starts at zero, so the block
    starts as the identity (section 4.1).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = width // 2
        self.query = nn.Conv2d(width, inner, 1)
        self.key = nn.Conv2d(width, inner, 1)
        self.value = nn.Conv2d(width, inner, 1)
        self.project = nn.Conv2d(inner, width, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map float32 [B, D, h, w] to the same shape."""
        query, key, value = (_rows(part(x)) for part in (self.query, self.key, self.value))
        mixed = F.scaled_dot_product_attention(query, key, value).transpose(1, 2)
        out: Tensor = x + self.norm(self.project(mixed.reshape(len(x), -1, *x.shape[2:])))
        return out


class CrissCrossAttention(nn.Module):
    """Every position attends to its row and column (Huang et al., arXiv:1811.11721, eq. 1, 2).

    The position itself is counted once. The attended map is scaled by a learned number that
    starts at zero, as released (speedinghzl/CCNet cc_attention/functions.py).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = width // 8
        self.query = nn.Conv2d(width, inner, 1)
        self.key = nn.Conv2d(width, inner, 1)
        self.value = nn.Conv2d(width, width, 1)
        self.scale = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Map float32 [B, D, h, w] to the same shape."""
        height = x.shape[2]
        query, key, value = self.query(x), self.key(x), self.value(x)
        column = torch.einsum("bchw,bcgw->bhwg", query, key)
        itself = torch.eye(height, dtype=torch.bool, device=x.device)[:, None]
        column = column.masked_fill(itself, -torch.inf)
        row = torch.einsum("bchw,bchv->bhwv", query, key)
        attention = torch.cat([column, row], 3).softmax(3)
        column, row = attention[..., :height], attention[..., height:]
        mixed = torch.einsum("bhwg,bcgw->bchw", column.to(value), value)
        mixed = mixed + torch.einsum("bhwv,bchv->bchw", row.to(value), value)
        return x + self.scale * mixed


class PositionAttention(nn.Module):
    """Every position attends to all (Fu et al., arXiv:1809.02983, equations 1 and 2)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = width // 8
        self.query = nn.Conv2d(width, inner, 1)
        self.key = nn.Conv2d(width, inner, 1)
        self.value = nn.Conv2d(width, width, 1)
        self.scale = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Map float32 [B, D, h, w] to the same shape."""
        query, key, value = (_rows(part(x)) for part in (self.query, self.key, self.value))
        mixed = F.scaled_dot_product_attention(query, key, value, scale=1.0).transpose(1, 2)
        return x + self.scale * mixed.reshape(x.shape)


class ChannelAttention(nn.Module):
    """Every channel attends to all (arXiv:1809.02983, equations 3 and 4).

    As printed. The release (junfu1115/DANet encoding/nn/da_att.py) takes the softmax of the
    largest similarity less each, by which a channel attends most to those least like it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Map float32 [B, D, h, w] to the same shape."""
        rows = x.flatten(2)
        mixed = F.scaled_dot_product_attention(rows, rows, rows, scale=1.0)
        return x + self.scale * mixed.reshape(x.shape)


class ContextHead(DecodeHead):
    """Attention between two convolutions; its result and the level are read together.

    Without attention it is mmsegmentation's FCN.

    Args:
        channels: of the encoder's levels.
        width: that is attended with.
        attention: applied ``recurrence`` times, with the same weights.
        recurrence: two let every position of criss-cross attention see all (section 3.3).
        num_classes: K.
        auxiliary: width and loss weight of the head on the level before.
        dropout: before the classifiers.
    """

    def __init__(
        self,
        channels: Sequence[int],
        width: int,
        attention: nn.Module,
        recurrence: int,
        num_classes: int,
        auxiliary: tuple[int, float],
        dropout: float,
    ) -> None:
        super().__init__()
        self.reduce = ConvUnit(channels[-1], width, 3)
        self.attention, self.recurrence = attention, recurrence
        self.refine = ConvUnit(width, width, 3)
        self.join = ConvUnit(channels[-1] + width, width, 3)
        self.classify = PixelClassifier(width, num_classes, dropout)
        self.auxiliary = AuxiliaryHead(channels[-2], auxiliary[0], num_classes, dropout)
        self.weights = {"prediction": 1.0, "auxiliary": auxiliary[1]}

    def forward(self, levels: Sequence[Tensor]) -> dict[str, Tensor]:
        x = self.reduce(levels[-1])
        for _ in range(self.recurrence):
            x = self.attention(x)
        x = self.join(torch.cat([levels[-1], self.refine(x)], 1))
        return {"prediction": self.classify(x), "auxiliary": self.auxiliary(levels[-2])}


class DualAttentionHead(DecodeHead):
    """Position and channel attention beside each other, summed (arXiv:1809.02983, figure 2).

    Each branch has a classifier of its own in training, as released.
    """

    def __init__(
        self,
        channels: Sequence[int],
        width: int,
        num_classes: int,
        auxiliary: tuple[int, float],
        dropout: float,
    ) -> None:
        super().__init__()
        branches = {"position": PositionAttention(width), "channel": ChannelAttention()}
        self.branches = nn.ModuleDict(
            {
                name: nn.Sequential(
                    ConvUnit(channels[-1], width, 3), attention, ConvUnit(width, width, 3)
                )
                for name, attention in branches.items()
            }
        )
        self.classifiers = nn.ModuleDict(
            {
                name: PixelClassifier(width, num_classes, dropout)
                for name in ("prediction", *branches)
            }
        )
        self.auxiliary = AuxiliaryHead(channels[-2], auxiliary[0], num_classes, dropout)
        self.weights = {**dict.fromkeys(self.classifiers, 1.0), "auxiliary": auxiliary[1]}

    def forward(self, levels: Sequence[Tensor]) -> dict[str, Tensor]:
        maps = {name: branch(levels[-1]) for name, branch in self.branches.items()}
        maps["prediction"] = maps["position"] + maps["channel"]
        logits = {name: classify(maps[name]) for name, classify in self.classifiers.items()}
        return {**logits, "auxiliary": self.auxiliary(levels[-2])}
