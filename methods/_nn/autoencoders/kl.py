"""The KL autoencoder of latent diffusion (Rombach et al., arXiv:2112.10752).

Encoder and decoder are those of diffusers' ``AutoencoderKL``; this module adds what that
lacks: level attention by number, different widths on the two sides of the 1x1
convolutions, noise handed in instead of drawn, and the map from the released key names
(CompVis/latent-diffusion ldm/models/autoencoder.py, the layout of ``modelf16.ckpt``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from bench import ensure_torchvision
from methods._nn.gaussian import Gaussian

ensure_torchvision()
from diffusers.models.autoencoders.vae import Decoder, Encoder  # noqa: E402

LOGVAR_RANGE = (-30.0, 20.0)
"""Clamp of the posterior's log-variance (ldm/modules/distributions/distributions.py)."""


class KLAutoencoder(nn.Module):
    """Encode images in [-1, 1] to a Gaussian over latents, and decode latents.

    Args:
        width: channels of the first level.
        multipliers: channels of each level as a multiple of ``width``; each level but
            the last halves the resolution.
        blocks: residual blocks per level in the encoder; the decoder has one more.
        latent_channels: channels of the latent.
        inner_channels: channels between the 1x1 convolutions and the rest, when they
            differ from the latent's (``z_channels`` beside ``embed_dim``).
        attention_levels: levels with self-attention after each residual block.
        groups: of the group normalisation; must divide each level's channels. The
            release has 32.
        patch: side of the squares of pixels folded into channels before the first level
            and unfolded after the last, which saves the costly levels of high resolution.
            The release has none: 1.
    """

    encoder: Encoder
    decoder: Decoder
    quant_conv: nn.Conv2d
    post_quant_conv: nn.Conv2d

    def __init__(
        self,
        width: int = 128,
        multipliers: Sequence[int] = (1, 1, 2, 2, 4),
        blocks: int = 2,
        latent_channels: int = 16,
        inner_channels: int | None = None,
        attention_levels: Sequence[int] = (4,),
        groups: int = 32,
        patch: int = 1,
    ) -> None:
        super().__init__()
        inner = inner_channels or latent_channels
        attends = [level in attention_levels for level in range(len(multipliers))]
        channels = tuple(width * multiplier for multiplier in multipliers)
        self.latent_channels = latent_channels
        self.levels = len(channels)
        self.patch = patch
        self.stride = patch * 2 ** (len(channels) - 1)
        self.encoder = Encoder(
            in_channels=3 * patch**2,
            out_channels=inner,
            down_block_types=tuple(
                "AttnDownEncoderBlock2D" if attend else "DownEncoderBlock2D" for attend in attends
            ),
            block_out_channels=channels,
            layers_per_block=blocks,
            norm_num_groups=groups,
        )
        self.decoder = Decoder(
            in_channels=inner,
            out_channels=3 * patch**2,
            up_block_types=tuple(
                "AttnUpDecoderBlock2D" if attend else "UpDecoderBlock2D"
                for attend in reversed(attends)
            ),
            block_out_channels=channels,
            layers_per_block=blocks,
            norm_num_groups=groups,
        )
        self.quant_conv = nn.Conv2d(2 * inner, 2 * latent_channels, 1)
        self.post_quant_conv = nn.Conv2d(latent_channels, inner, 1)

    def encode(self, image: Tensor) -> Gaussian:
        """Return the posterior of images [B, 3, H, W] in [-1, 1].

        Raises:
            ValueError: the stride does not divide the image's sides.
        """
        if image.shape[-2] % self.stride or image.shape[-1] % self.stride:
            height, width = image.shape[-2:]
            raise ValueError(
                f"image of {height}x{width} pixels: both sides must be multiples of the "
                f"autoencoder's stride {self.stride}"
            )
        moments = self.quant_conv(self.encoder(F.pixel_unshuffle(image, self.patch))).float()
        mean, logvar = moments.chunk(2, dim=1)
        return Gaussian(mean, logvar.clamp(*LOGVAR_RANGE))

    def decode(self, latent: Tensor) -> Tensor:
        """Return images [B, 3, H, W], about [-1, 1], of latents [B, C, h, w].

        Raises:
            ValueError: another number of latent channels.
        """
        if latent.shape[1] != self.latent_channels:
            raise ValueError(
                f"latent of {latent.shape[1]} channels; the autoencoder has {self.latent_channels}"
            )
        return F.pixel_shuffle(self.decoder(self.post_quant_conv(latent)), self.patch)

    def from_released(self, released: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Rename a released state dict to this module's keys.

        The 1x1 convolutions of released attention become the linear layers they are.
        """
        renamed = {}
        for key, value in released.items():
            name = _rename(key, self.levels)
            linear = ".attentions." in name and value.ndim == 4
            renamed[name] = value[:, :, 0, 0] if linear else value
        return renamed


ATTENTION = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}


def _rename(key: str, levels: int) -> str:
    """Map one released key to diffusers' name, whose decoder levels count from the coarsest."""
    key = key.replace(".norm_out.", ".conv_norm_out.").replace("nin_shortcut", "conv_shortcut")
    key = key.replace("downsample.conv", "downsamplers.0.conv")
    key = key.replace("upsample.conv", "upsamplers.0.conv")
    key = re.sub(r"\bmid\.block_(\d)", lambda match: f"mid_block.resnets.{int(match[1]) - 1}", key)
    key = re.sub(r"\bmid\.attn_1\b", "mid_block.attn.0", key)
    key = re.sub(r"\bdown\.(\d+)", r"down_blocks.\1", key)
    key = re.sub(r"\bup\.(\d+)", lambda match: f"up_blocks.{levels - 1 - int(match[1])}", key)
    key = re.sub(r"\.block\.(\d+)", r".resnets.\1", key)
    return re.sub(
        r"\.attn\.(\d+)\.(\w+)",
        lambda match: f".attentions.{match[1]}.{ATTENTION.get(match[2], match[2])}",
        key,
    )
