"""Settings of a codec: colouring, tokenizer with its bottleneck, and inverse colouring."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from bench import (
    CODE_FLIPS,
    LATENT_NOISE,
    Augment,
    DataSpec,
    Fraction,
    Frozen,
    MethodConfig,
    Positive,
    Stage,
    Task,
)
from methods._nn.settings import AboveZero, Colouring, DalleSettings, Weight


class KLSettings(Frozen):
    """The continuous bottleneck."""

    latent_channels: Positive = 16
    weight: Weight = 1e-6
    """Of the divergence, beside a reconstruction error that is a sum over the image, too."""


class CodebookSettings(Frozen):
    """The codebooks of ``vq``, ``rvq``, ``var`` and ``gumbel``."""

    num_codes: Annotated[int, Field(ge=2)] = 1024
    code_dim: Positive = 8
    commitment: Weight = 0.25
    decay: Fraction = 0.95
    """Of the moving averages of ``vq`` and ``rvq``, per step."""
    restart_below: Annotated[float, Field(ge=0)] = 0.1
    """A code used less than this fraction of the average is dead, and restarts on data."""
    rvq_depth: Positive = 4
    """Codes per position of ``rvq``."""
    sides: tuple[Positive, ...] = (1, 2, 3, 4, 6, 8)
    """Of the maps of ``var``, coarse to fine, relative to the last."""
    gumbel_temperature: AboveZero = 1.0
    """Of the softmax behind the gradient of ``gumbel``."""


class ReleasedAutoencoderSettings(Frozen):
    """The encoder and decoder of a released VQGAN or KL autoencoder."""

    width: Positive = 128
    multipliers: tuple[Positive, ...] = (1, 1, 2, 2, 4)
    blocks: Positive = 2
    attention_levels: tuple[int, ...] = (4,)
    latent_channels: Positive = 16
    """Of a KL posterior, or between VQGAN's encoder and the convolution before its codes."""
    groups: Positive = 32
    """Of the KL autoencoder's norms."""


class Config(MethodConfig):
    """One codec."""

    version: ClassVar[int] = 1
    tasks: ClassVar[tuple[Task, ...]] = ("reconstruct",)

    colouring: Colouring | Literal["one_hot"] = "maximin"
    """How labels become a picture; ``one_hot`` is one channel per class, without any colour."""
    palette_seed: int = 0
    inverse: Literal["nearest", "pseudo_inverse", "conv"] = "nearest"
    """From decoded colours to classes: the nearest colour, least squares, or convolutions
    trained with the codec. One-hot pictures need none."""
    inverse_width: Positive = 32
    """Of the convolutions."""
    tokenizer: Literal["conv", "identity", "dalle", "vqgan", "kl_autoencoder"] = "conv"
    """``conv`` is the shared encoder and decoder with the bottleneck named below,
    ``identity`` keeps every pixel, the others are released architectures."""
    stem_width: Positive = 16
    """Channels of the 1 x 1 convolutions at full size, which bring pictures of 3 and of K
    channels to one width."""
    widths: tuple[Positive, ...] = (32, 64)
    """Channels after each halving; their number sets the stride."""
    blocks: Positive = 1
    """Residual blocks on either side of the bottleneck."""
    features: Positive = 64
    """F, channels between encoder and bottleneck and between bottleneck and decoder."""
    bottleneck: Literal["kl", "vq", "rvq", "var", "fsq", "gumbel"] = "vq"
    kl: KLSettings = KLSettings()
    codebook: CodebookSettings = CodebookSettings()
    fsq_levels: tuple[Annotated[int, Field(ge=2)], ...] = (8, 5, 5, 5)
    """1,000 codes, the size that arXiv:2309.15505 recommends for 2^10."""
    dalle: DalleSettings = DalleSettings()
    autoencoder: ReleasedAutoencoderSettings = ReleasedAutoencoderSettings()
    colour_temperature: AboveZero = 0.1
    """Divides colour scores, in [0, 1], in the loss."""
    train_codec: Stage

    @property
    def stride(self) -> int:
        """Pixels of a label, in each direction, behind one position of the latent."""
        levels = {
            "identity": 0,
            "conv": len(self.widths),
            "dalle": 3,
            "vqgan": len(self.autoencoder.multipliers) - 1,
            "kl_autoencoder": len(self.autoencoder.multipliers) - 1,
        }
        return int(2 ** levels[self.tokenizer])

    @property
    def is_discrete(self) -> bool:
        """Whether latents are codes."""
        if self.tokenizer == "conv":
            return self.bottleneck != "kl"
        return self.tokenizer in ("dalle", "vqgan")

    def stages(self, data: DataSpec) -> tuple[Stage, ...]:
        """Return the codec's training, and the deviation of its latents, which is measured.

        ``identity`` has nothing to train but a learned inverse.
        """
        modules = [] if self.tokenizer == "identity" else ["coder"]
        modules += ["inverse"] if self.inverse == "conv" and self.colouring != "one_hot" else []
        measured = Stage(name="statistics", modules=("deviation",), steps=0)
        trained = (
            (self.train_codec.model_copy(update={"modules": tuple(modules)}),) if modules else ()
        )
        return (*trained, measured)

    def perturbations(self) -> tuple[str, ...]:
        """Return the perturbations of latents: noise and, where they are codes, flips."""
        return (LATENT_NOISE, CODE_FLIPS) if self.is_discrete else (LATENT_NOISE,)


def _tiny(**changes: Any) -> Config:
    """The shared encoder and decoder, under a minute on two CPU cores at 64 x 128."""
    train = Stage(
        name="codec",
        modules=("coder",),
        steps=500,
        batch_size=8,
        lr=4e-3,
        weight_decay=0.0,
        warmup_steps=20,
        schedule="cosine",
        augment=Augment(scale=(0.75, 1.5)),
    )
    return Config(**{"train_codec": train, **changes})


def _released(tokenizer: str, **changes: Any) -> Config:
    """A released architecture, for its weights: ``weights: {codec: FILE}``.

    Trained here instead, it learns on label maps by this method's losses, which have
    neither perceptual nor adversarial terms.
    """
    train = Stage(name="codec", modules=("coder",), steps=80_000, batch_size=16, lr=1e-4)
    return Config(**{"train_codec": train, "tokenizer": tokenizer, **changes})


def _tiny_vqgan(colouring: Literal["maximin", "one_hot"]) -> Config:
    """About a minute on two CPU cores at 64 x 128."""
    return _tiny(
        colouring=colouring,
        tokenizer="vqgan",
        codebook=CodebookSettings(num_codes=128, code_dim=8),
        autoencoder=ReleasedAutoencoderSettings(
            width=32, multipliers=(1, 1, 2), blocks=1, attention_levels=(), latent_channels=64
        ),
    )


PRESETS = {
    "tiny": _tiny(),
    "tiny_identity": _tiny(tokenizer="identity"),
    "tiny_kl": _tiny(bottleneck="kl"),
    "tiny_rvq": _tiny(bottleneck="rvq", codebook=CodebookSettings(num_codes=256)),
    "tiny_var": _tiny(bottleneck="var", codebook=CodebookSettings(num_codes=256)),
    "tiny_fsq": _tiny(bottleneck="fsq"),
    "tiny_gumbel": _tiny(bottleneck="gumbel", codebook=CodebookSettings(num_codes=512)),
    "tiny_one_hot": _tiny(colouring="one_hot"),
    "tiny_vqgan": _tiny_vqgan("maximin"),
    "tiny_vqgan_one_hot": _tiny_vqgan("one_hot"),
    "dalle": _released("dalle"),
    # CompVis/taming-transformers, configs of vqgan_imagenet_f16_1024 and _16384.
    "vqgan_f16_1024": _released(
        "vqgan",
        codebook=CodebookSettings(num_codes=1024, code_dim=256),
        autoencoder=ReleasedAutoencoderSettings(latent_channels=256),
    ),
    "vqgan_f16_16384": _released(
        "vqgan",
        codebook=CodebookSettings(num_codes=16384, code_dim=256),
        autoencoder=ReleasedAutoencoderSettings(latent_channels=256),
    ),
    # CompVis/latent-diffusion, configs/autoencoder/autoencoder_kl_16x16x16.yaml.
    "kl_f16": _released("kl_autoencoder"),
    # CompVis/stable-diffusion, configs/stable-diffusion/v1-inference.yaml.
    "stable_diffusion": _released(
        "kl_autoencoder",
        autoencoder=ReleasedAutoencoderSettings(
            multipliers=(1, 2, 4, 4), attention_levels=(), latent_channels=4
        ),
    ),
}
