"""The masked transformer over image and mask tokens (arXiv:2503.15617).

MAR (Li et al., arXiv:2406.11838) as changed by mahmed10/CAMSS models/mar.py: the image's
tokens are a prefix that is never hidden, and there is no class embedding. Names of
parameters are the released ones. Two additions for small models are off by default: see
``ShortcutSettings`` in config.py.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench import ensure_torchvision
from methods.cam_seg.config import ShortcutSettings, StackSettings

ensure_torchvision()
from diffusers.models.resnet import ResnetBlock2D  # noqa: E402
from timm.layers.norm import LayerNorm  # noqa: E402 (its epsilon is the released 1e-6)
from timm.models.vision_transformer import Block  # noqa: E402

NO_SHORTCUTS = ShortcutSettings()


class MaskTransformer(nn.Module):
    """Turn image tokens and the mask tokens drawn so far into a condition per mask token.

    Args:
        grid: height and width of an image's grid of tokens; L is their product.
        channels: C, of a token.
        encoder: sees the image tokens and the mask tokens drawn so far.
        decoder: sees all, with a learned token in place of each hidden one.
        mlp_ratio: width of the blocks' inner layer, as a multiple of the block's.
        dropout: of attention weights and of the projections behind them.
        patch: side of the squares of latents that make a token.
        shortcuts: what helps small models to learn sooner; the release has none.
    """

    mask_token: Tensor
    encoder_pos_embed_learned: Tensor
    decoder_pos_embed_learned: Tensor
    diffusion_pos_embed_learned: Tensor

    def __init__(
        self,
        grid: tuple[int, int],
        channels: int,
        encoder: StackSettings,
        decoder: StackSettings,
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        patch: int = 1,
        shortcuts: ShortcutSettings = NO_SHORTCUTS,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.length = grid[0] * grid[1]
        positions = 2 * self.length
        self.stem = LatentStem(grid, channels, patch, shortcuts) if shortcuts.stem_blocks else None
        self.z_proj1 = nn.Linear(self.stem.channels if self.stem else channels, encoder.width)
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
        self.aligned = shortcuts.aligned
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
            hidden: bool [B, L], which mask tokens are still hidden; as many in each row.

        Raises:
            ValueError: another number of tokens or channels than the transformer's.
        """
        for name, tokens in (("image", image), ("mask", mask)):
            if tokens.shape[1:] != (self.length, self.channels):
                raise ValueError(
                    f"{name} latents make {tokens.shape[1]} tokens of {tokens.shape[2]} "
                    f"channels; the transformer was built for {self.length} of {self.channels}"
                )
        visible = torch.cat([torch.zeros_like(hidden), hidden], dim=1).logical_not()  # [B, 2L]
        seen = image if self.stem is None else self.stem(image)
        x = torch.cat([self.z_proj1(seen), self.z_proj2(mask)], dim=1)
        x = self.z_proj_ln(x + self.encoder_pos_embed_learned)
        x = x[visible].reshape(len(x), -1, x.shape[2])  # [B, visible, D]
        for block in self.encoder_blocks:
            x = block(x)
        x = self.decoder_embed(self.encoder_norm(x))
        position = visible.nonzero(as_tuple=True)
        hidden_tokens = self.mask_token.to(x.dtype).repeat(*visible.shape, 1)
        x = hidden_tokens.index_put(position, x.flatten(0, 1))
        x = x + self.decoder_pos_embed_learned
        if self.aligned:
            image_half, mask_half = x.chunk(2, dim=1)
            x = torch.cat([image_half, mask_half + image_half], dim=1)
        for block in self.decoder_blocks:
            x = block(x)
        condition: Tensor = self.decoder_norm(x) + self.diffusion_pos_embed_learned
        return condition


class LatentStem(nn.Module):
    """Convolutions over the image's latents, before they are cut into tokens."""

    def __init__(
        self, grid: tuple[int, int], channels: int, patch: int, settings: ShortcutSettings
    ) -> None:
        super().__init__()
        self.grid, self.patch = grid, patch
        self.channels = settings.stem_width * patch**2
        width = settings.stem_width
        self.enter = nn.Conv2d(channels // patch**2, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            ResnetBlock2D(in_channels=width, temb_channels=None, groups=8)
            for _ in range(settings.stem_blocks)
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return tokens [B, L, C'] of image tokens [B, L, C]."""
        x = self.enter(to_latent(image, self.grid, self.patch))
        for block in self.blocks:
            x = block(x, None)
        return to_tokens(x, self.patch)


def to_tokens(latent: Tensor, patch: int) -> Tensor:
    """Cut latents [B, C, h, w] into patches: tokens [B, L, C * patch**2], row by row."""
    return F.pixel_unshuffle(latent, patch).flatten(2).transpose(1, 2)


def to_latent(tokens: Tensor, grid: tuple[int, int], patch: int) -> Tensor:
    """Put tokens [B, L, C * patch**2] back together to latents [B, C, h, w]."""
    return F.pixel_shuffle(tokens.transpose(1, 2).reshape(len(tokens), -1, *grid), patch)


def _blocks(stack: StackSettings, mlp_ratio: float, dropout: float) -> nn.ModuleList:
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
