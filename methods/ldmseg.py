"""A latent-diffusion segmenter in the manner of LDMSeg.

Van Gansbeke and De Brabandere, arXiv:2401.10227; segments-ai/latent-diffusion-segmentation. A
shallow autoencoder brings label maps to latents; a U-Net denoises them beside the image's.

Deviations: labels have classes and no instances, so that no masks are matched in the loss. The
U-Net is diffusers' own without conditioning: of Stable Diffusion's, whose cross-attention the
authors remove, it has the widths and not the perceptrons, and its weights do not fit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from bench import (
    IGNORE_INDEX,
    Augment,
    Batch,
    DataSpec,
    Frozen,
    Method,
    MethodConfig,
    Positive,
    Stage,
    Task,
    ensure_torchvision,
    seeding,
)
from methods._nn.autoencoders.kl import KLAutoencoder
from methods._nn.autoencoders.tokenizer import conv_encoder
from methods._nn.gaussian import Gaussian
from methods._nn.loss import cross_entropy
from methods._nn.padding import pad_image, pad_label
from methods._nn.precision import full_precision
from methods._nn.settings import AboveZero, Weight

TIME_STEPS = 1000


class LabelAutoencoderSettings(Frozen):
    """The shallow autoencoder of label maps; the defaults are the released ones."""

    widths: Annotated[tuple[Positive, ...], Field(min_length=2)] = (32, 64, 128, 256)
    """Channels at the label's size and after each halving."""
    inner_width: Positive = 256
    """Of both sides of the latent."""
    doublings: Positive = 2
    """By transposed convolutions in the decoder; what is left of the stride is interpolated."""
    latent_channels: Positive = 4
    groups: Positive = 32
    kl_weight: Weight = 0.0
    """Of the divergence per pixel of the image."""
    latent_scale: AboveZero | None = 0.2
    """Factor of all latents; absent: each channel is normalised by its running averages."""

    @property
    def stride(self) -> int:
        """Pixels of a latent's side."""
        return int(2 ** (len(self.widths) - 1))


class DenoiserSettings(Frozen):
    """The U-Net, and how it is sampled; the defaults are Stable Diffusion's sizes."""

    widths: tuple[Positive, ...] = (320, 640, 1280, 1280)
    blocks: Positive = 2
    """Per level."""
    attends: tuple[bool, ...] = (True, True, True, False)
    """Which levels have self-attention."""
    head_width: Positive = 8
    """Channels of each head of attention."""
    groups: Positive = 32
    target: Literal["epsilon", "v_prediction", "sample"] = "epsilon"
    """What it estimates, in diffusers' words: the noise, as released, the velocity, or the clean
    latent."""
    steps: Positive = 50
    """Of DDIM, without added noise."""


class Config(MethodConfig):
    """Both networks, and what encodes images."""

    version: ClassVar[int] = 1
    tasks: ClassVar[tuple[Task, ...]] = ("predict", "reconstruct")
    family: ClassVar[Literal["generative"]] = "generative"
    citation: ClassVar[str] = """\
@inproceedings{vangansbeke2024ldmseg,
  title = {A Simple Latent Diffusion Approach for Panoptic Segmentation and Mask Inpainting},
  author = {Van Gansbeke, Wouter and De Brabandere, Bert},
  booktitle = {European Conference on Computer Vision},
  year = {2024}
}"""

    labels: LabelAutoencoderSettings = LabelAutoencoderSettings()
    image: Literal["autoencoder", "learned"] = "autoencoder"
    """What encodes images: Stable Diffusion's autoencoder, frozen, as released, which this
    trains first unless ``weights`` has it; or a convolutional encoder that learns with the
    U-Net."""
    image_width: Positive = 32
    """Of the convolutional encoder, and the channels of its latents."""
    denoiser: DenoiserSettings = DenoiserSettings()
    train_image: Stage
    train_labels: Stage
    train_denoiser: Stage

    @property
    def gives_probabilities(self) -> bool:
        return True

    def stages(self, data: DataSpec) -> tuple[Stage, ...]:
        """Return what is trained before the U-Net, and the U-Net."""
        only: dict[str, tuple[Task, ...]] = {"tasks": ("predict",)}
        denoiser = self.train_denoiser.model_copy(update=only)
        if self.image == "autoencoder":
            return (self.train_image.model_copy(update=only), self.train_labels, denoiser)
        both = (*denoiser.modules, "image_encoder")
        return (self.train_labels, denoiser.model_copy(update={"modules": both}))

    def depends_on(self, stage: str) -> Mapping[str, Any]:
        """Return what a stage's weights depend on: all ways of sampling share their training."""
        parts = {"image": set(), "labels": {"labels"}}
        others = {"labels", "image", "image_width", "denoiser"}
        settings = self.model_dump(mode="json", include=parts.get(stage, others))
        settings.get("denoiser", {}).pop("steps", None)
        return settings


class LabelAutoencoder(nn.Module):
    """Label maps as binary numbers to latents, and back to logits over classes.

    ldmseg/models/vae.py; a bit is a channel, -1 or 1, and 0 where a pixel is ignored.
    """

    def __init__(self, config: LabelAutoencoderSettings, num_classes: int) -> None:
        super().__init__()
        self.bits = max(1, math.ceil(math.log2(num_classes)))
        self.scale = config.latent_scale
        inner, channels, groups = config.inner_width, config.latent_channels, config.groups
        layers: list[nn.Module] = [_conv(self.bits, config.widths[0]), nn.SiLU()]
        for width, following in zip(config.widths, config.widths[1:], strict=False):
            layers += [_conv(width, width), _conv(width, following, stride=2), nn.SiLU()]
        layers += [_conv(config.widths[-1], inner), nn.GroupNorm(groups, inner), nn.SiLU()]
        self.encoder = nn.Sequential(*layers, _conv(inner, 2 * channels))
        self.normalise = nn.BatchNorm2d(channels, affine=False)
        layers = [_conv(channels, inner)]
        for _ in range(config.doublings):
            layers += [nn.ConvTranspose2d(inner, inner, 2, 2), nn.GroupNorm(1, inner), nn.SiLU()]
        layers += [nn.GroupNorm(groups, inner), nn.SiLU(), _conv(inner, num_classes)]
        self.decoder = nn.Sequential(*layers)
        self.left = config.stride / 2**config.doublings

    def encode(self, label: Tensor) -> Gaussian:
        """Return the posterior of int64 labels [B, H, W] over latents [B, C, h, w]."""
        places = torch.arange(self.bits, device=label.device)[:, None, None]
        bits = 2.0 * (label[:, None] >> places & 1) - 1
        bits = torch.where(label[:, None] == IGNORE_INDEX, 0.0, bits)
        mean, logvar = self.encoder(bits).float().chunk(2, 1)
        mean = self.normalise(mean) if self.scale is None else self.scale * mean
        return Gaussian(mean, logvar.clamp(-30, 20))

    def decode(self, latent: Tensor) -> Tensor:
        """Return logits float32 [B, K, H, W]."""
        latent = latent if self.scale is None else latent / self.scale
        logits: Tensor = self.decoder(latent).float()
        if self.left == 1:
            return logits
        return F.interpolate(logits, scale_factor=self.left, mode="bilinear", align_corners=False)


def _conv(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, stride, padding=1)


class LDMSeg(Method[Config]):
    """Autoencoder of labels, encoder of images, and the U-Net between them."""

    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        ensure_torchvision()
        from diffusers import UNet2DModel

        labels, denoiser = config.labels, config.denoiser
        self.labels = LabelAutoencoder(labels, data.num_classes)
        self.image_encoder: nn.Module
        if config.image == "autoencoder":
            self.image_encoder = KLAutoencoder(
                width=128, multipliers=(1, 2, 4, 4), latent_channels=4, attention_levels=()
            )
        else:
            halvings = (config.image_width,) * (len(labels.widths) - 1)
            self.image_encoder = conv_encoder(halvings, 2, config.image_width)
        image_channels = 4 if config.image == "autoencoder" else config.image_width
        self.denoiser = UNet2DModel(
            in_channels=labels.latent_channels + image_channels,
            out_channels=labels.latent_channels,
            block_out_channels=denoiser.widths,
            layers_per_block=denoiser.blocks,
            down_block_types=tuple(_block("Down", attends) for attends in denoiser.attends),
            up_block_types=tuple(_block("Up", attends) for attends in denoiser.attends[::-1]),
            attention_head_dim=denoiser.head_width,
            norm_num_groups=denoiser.groups,
        )
        self.schedule = _schedule(denoiser)
        self.multiple = labels.stride * 2 ** (len(denoiser.widths) - 1)

    def forward(self, stage: str, batch: Batch) -> dict[str, Tensor]:
        label = pad_label(batch.label, self.multiple)
        image = pad_image(batch.image, self.multiple)
        if stage == "labels":
            return self._label_losses(label, batch.seeds)
        if stage == "image":
            return self._image_losses(image, batch.seeds)
        if stage == "denoiser":
            return self._denoiser_losses(image, label, batch.seeds)
        return super().forward(stage, batch)

    def _label_losses(self, label: Tensor, seeds: Tensor) -> dict[str, Tensor]:
        posterior = self.labels.encode(label)
        noise = seeding.normal(seeding.derive(seeds, "posterior"), *posterior.mean.shape[1:])
        scale = self.config.labels.latent_scale or 1.0
        spread = Gaussian(torch.zeros_like(posterior.mean), posterior.logvar)
        latent = posterior.mean + scale * spread.sample(noise.to(posterior.mean))
        losses = {"classes": cross_entropy(self.labels.decode(latent), label)}
        if self.config.labels.kl_weight:
            divergence = Gaussian(posterior.mean / scale, posterior.logvar).kl().mean()
            pixels = label.shape[1] * label.shape[2]
            losses["divergence"] = self.config.labels.kl_weight * divergence / pixels
        return losses

    def _image_losses(self, image: Tensor, seeds: Tensor) -> dict[str, Tensor]:
        """Return error and divergence per pixel; the release has Stable Diffusion's weights."""
        assert isinstance(self.image_encoder, KLAutoencoder)
        posterior = self.image_encoder.encode(2 * image - 1)
        noise = seeding.normal(seeding.derive(seeds, "image"), *posterior.mean.shape[1:])
        decoded = self.image_encoder.decode(posterior.sample(noise.to(posterior.mean)))
        divergence = 1e-6 * posterior.kl().mean() / image[0].numel()
        return {"error": F.mse_loss(decoded, 2 * image - 1), "divergence": divergence}

    def _denoiser_losses(self, image: Tensor, label: Tensor, seeds: Tensor) -> dict[str, Tensor]:
        """Return the squared error of the estimate at one time step per image."""
        with torch.no_grad(), full_precision(image):
            latent = self.labels.encode(label).mean
        noise = seeding.normal(seeding.derive(seeds, "noise"), *latent.shape[1:]).to(latent)
        drawn = seeding.uniform(seeding.derive(seeds, "time"), 1)[:, 0]
        time = (drawn * TIME_STEPS).long().clamp(max=TIME_STEPS - 1).to(latent.device)
        noisy = self.schedule.add_noise(latent, noise, time)
        target = {
            "epsilon": noise,
            "sample": latent,
            "v_prediction": self.schedule.get_velocity(latent, noise, time),
        }[self.config.denoiser.target]
        estimate = self._estimate(noisy, self._look(image), time)
        return {"error": F.mse_loss(estimate, target)}

    def _look(self, image: Tensor) -> Tensor:
        """Return latents [B, D, h, w] of images [B, 3, H, W] in [0, 1]."""
        if isinstance(self.image_encoder, KLAutoencoder):
            return 0.18215 * self.image_encoder.encode(2 * image - 1).mean
        encoded: Tensor = self.image_encoder(2 * image - 1)
        return encoded

    def _estimate(self, noisy: Tensor, image: Tensor, time: Tensor) -> Tensor:
        output: Tensor = self.denoiser(torch.cat([noisy, image.to(noisy)], 1), time).sample
        return output.float()

    def logits(self, image: Tensor, seeds: Tensor) -> Tensor:
        padded = pad_image(image, self.multiple)
        looked = self._look(padded)
        sides = [side // self.config.labels.stride for side in padded.shape[2:]]
        channels = self.config.labels.latent_channels
        latent = seeding.normal(seeding.derive(seeds, "start"), channels, *sides).to(image)
        schedule = _schedule(self.config.denoiser)
        schedule.set_timesteps(self.config.denoiser.steps)
        for time in schedule.timesteps.tolist():
            now = torch.full((len(image),), time, device=image.device)
            latent = schedule.step(self._estimate(latent, looked, now), time, latent).prev_sample
        return self.labels.decode(latent)[:, :, : image.shape[2], : image.shape[3]]

    def reconstruct(self, label: Tensor, seeds: Tensor) -> Tensor:
        height, width = label.shape[1:]
        latent = self.labels.encode(pad_label(label, self.multiple)).mean
        return self.labels.decode(latent).argmax(1)[:, :height, :width]

    def measure(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Count latents; their rate is not bounded where the divergence has no weight."""
        stride, channels = self.config.labels.stride, self.config.labels.latent_channels
        return {"stride": stride, "latent_numbers_per_pixel": channels / stride**2}


def _block(way: str, attends: bool) -> str:
    return f"{'Attn' if attends else ''}{way}Block2D"


def _schedule(config: DenoiserSettings) -> Any:
    """Return diffusers' DDIM (arXiv:2010.02502) with Stable Diffusion's noise levels."""
    from diffusers import DDIMScheduler

    return DDIMScheduler(
        num_train_timesteps=TIME_STEPS,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=config.target,
    )


def _stage(name: str, module: str, steps: int, batch_size: int, lr: float, **more: Any) -> Stage:
    settings = {"steps": steps, "batch_size": batch_size, "lr": lr, **more}
    return Stage(name=name, modules=(module,), **settings)


def _tiny() -> Config:
    """About three minutes on two CPU cores, at 96 x 192.

    Beside sizes it differs in what learns slowly: images have an encoder that learns with the
    U-Net, which estimates clean latents; latents are normalised, and their divergence counts.
    """
    usual: dict[str, Any] = {"warmup_steps": 20, "schedule": "cosine", "weight_decay": 0.0}
    labels = LabelAutoencoderSettings(
        widths=(16, 32, 64),
        inner_width=64,
        latent_channels=8,
        groups=8,
        kl_weight=0.02,
        latent_scale=None,
    )
    denoiser = DenoiserSettings(
        widths=(32, 64, 96),
        blocks=1,
        attends=(False, False, True),
        head_width=16,
        groups=8,
        target="sample",
        steps=10,
    )
    augment = Augment(scale=(0.75, 1.5), colour=0.2)
    return Config(
        labels=labels,
        image="learned",
        denoiser=denoiser,
        train_image=_stage("image", "image_encoder", 1, 8, 1e-4),
        train_labels=_stage("labels", "labels", 400, 8, 3e-3, augment=augment, **usual),
        train_denoiser=_stage(
            "denoiser", "denoiser", 800, 8, 2e-3, ema=0.99, augment=augment, **usual
        ),
    )


_SCALES = Augment(scale=(0.5, 1.5))

PRESETS = {
    "tiny": _tiny(),
    # tools/configs/base/base.yaml; tools/scripts train the autoencoder for 90k steps. Weights of
    # Stable Diffusion's autoencoder go in as `weights: {image: FILE}`.
    "paper": Config(
        train_image=_stage("image", "image_encoder", 442_998, 12, 5.4e-5, schedule="constant"),
        train_labels=_stage(
            "labels", "labels", 90_000, 16, 1e-4, weight_decay=0.0, grad_clip=3.0, augment=_SCALES
        ),
        train_denoiser=_stage(
            "denoiser",
            "denoiser",
            100_000,
            256,
            1e-4,
            weight_decay=0.0,
            grad_clip=3.0,
            warmup_steps=200,
            schedule="constant",
            augment=_SCALES,
        ),
    ),
}
