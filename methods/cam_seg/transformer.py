"""The masked transformer over image and mask tokens (arXiv:2503.15617).

MAR (Li et al., arXiv:2406.11838) as changed by mahmed10/CAMSS models/mar.py: the image's
tokens are a prefix that is never hidden, and there is no class embedding. Names of
parameters are the released ones.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.torchvision_ops import ensure_torchvision
from methods.cam_seg.config import Stack

ensure_torchvision()
from timm.layers.norm import LayerNorm  # noqa: E402 (its epsilon is the released 1e-6)
from timm.models.vision_transformer import Block  # noqa: E402


class MaskTransformer(nn.Module):
    """Turn image tokens and the mask tokens known so far into a condition per mask token.

    Args:
        grid: height and width of an image's grid of tokens; L is their product.
        channels: C, of a token.
        encoder: sees the image tokens and the mask tokens known.
        decoder: sees all, with a learned token in place of each hidden one.
        mlp_ratio: width of the blocks' inner layer, as a multiple of the block's.
        dropout: of attention weights and of the projections behind them.
    """

    mask_token: Tensor
    encoder_pos_embed_learned: Tensor
    decoder_pos_embed_learned: Tensor
    diffusion_pos_embed_learned: Tensor

    def __init__(
        self,
        grid: tuple[int, int],
        channels: int,
        encoder: Stack,
        decoder: Stack,
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.length = grid[0] * grid[1]
        positions = 2 * self.length
        self.z_proj1 = nn.Linear(channels, encoder.width)
        self.z_proj2 = nn.Linear(channels, encoder.width)
        self.z_proj_ln = LayerNorm(encoder.width)
        self.encoder_pos_embed_learned = _embedding(positions, encoder.width)
        self.encoder_blocks = _blocks(encoder, mlp_ratio, dropout)
        self.encoder_norm = LayerNorm(encoder.width)
        self.decoder_embed = nn.Linear(encoder.width, decoder.width)
        self.mask_token = _embedding(1, decoder.width)
        self.decoder_pos_embed_learned = _embedding(positions, decoder.width)
        self.decoder_blocks = _blocks(decoder, mlp_ratio, dropout)
        self.decoder_norm = LayerNorm(decoder.width)
        self.diffusion_pos_embed_learned = _embedding(positions, decoder.width)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, image: Tensor, mask: Tensor, hidden: Tensor) -> Tensor:
        """Return the condition of every token, float32 [B, 2L, D], image tokens first.

        Args:
            image: tokens of the image, float32 [B, L, C].
            mask: tokens of the mask, float32 [B, L, C]; hidden ones may hold anything.
            hidden: bool [B, L], which mask tokens are not known yet; as many in each row.

        Raises:
            ValueError: another number of tokens or channels than the transformer's.
        """
        for name, tokens in (("image", image), ("mask", mask)):
            if tokens.shape[1:] != (self.length, self.channels):
                raise ValueError(
                    f"{name} latents make {tokens.shape[1]} tokens of {tokens.shape[2]} "
                    f"channels; the transformer was built for {self.length} of {self.channels}"
                )
        known = torch.cat([torch.zeros_like(hidden), hidden], dim=1).logical_not()  # [B, 2L]
        x = torch.cat([self.z_proj1(image), self.z_proj2(mask)], dim=1)
        x = self.z_proj_ln(x + self.encoder_pos_embed_learned)
        x = x[known].reshape(len(x), -1, x.shape[2])  # [B, known, D]
        for block in self.encoder_blocks:
            x = block(x)
        x = self.decoder_embed(self.encoder_norm(x))
        place = known.nonzero(as_tuple=True)
        x = self.mask_token.to(x.dtype).repeat(*known.shape, 1).index_put(place, x.flatten(0, 1))
        x = x + self.decoder_pos_embed_learned
        for block in self.decoder_blocks:
            x = block(x)
        condition: Tensor = self.decoder_norm(x) + self.diffusion_pos_embed_learned
        return condition


def to_tokens(latent: Tensor, patch: int) -> Tensor:
    """Cut latents [B, C, h, w] into patches: tokens [B, L, C * patch**2], row by row."""
    return F.pixel_unshuffle(latent, patch).flatten(2).transpose(1, 2)


def to_latent(tokens: Tensor, grid: tuple[int, int], patch: int) -> Tensor:
    """Put tokens [B, L, C * patch**2] back together to latents [B, C, h, w]."""
    return F.pixel_shuffle(tokens.transpose(1, 2).reshape(len(tokens), -1, *grid), patch)


def _blocks(stack: Stack, mlp_ratio: float, dropout: float) -> nn.ModuleList:
    return nn.ModuleList(
        Block(
            stack.width,
            stack.heads,
            mlp_ratio,
            qkv_bias=True,
            norm_layer=LayerNorm,
            proj_drop=dropout,
            attn_drop=dropout,
        )
        for _ in range(stack.depth)
    )


def _embedding(positions: int, width: int) -> nn.Parameter:
    return nn.Parameter(0.02 * torch.randn(1, positions, width))
