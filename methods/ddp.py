"""A diffusion-based dense predictor in the manner of DDP (Ji et al., arXiv:2303.17559).

Class embeddings at a quarter of the image's size are noised and denoised beside the image's
features; every step's estimate is a map of logits, so the loss is cross-entropy and no codec
is between label and diffusion. Source: JiYuanFeng/DDP, segmentation/mmseg.

Deviation: the encoder is timm's, whose features lack mmsegmentation's norm of each level, and
starts from drawn weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
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
    Method,
    MethodConfig,
    Positive,
    Stage,
    seeding,
)
from methods._nn.backbone import Backbone
from methods._nn.loss import cross_entropy
from methods._nn.padding import pad_image, pad_label
from methods._nn.settings import AboveZero, BackboneSettings, Weight

LATEST = 0.999
"""Of the times in [0, 1] that training draws (``sample_range``)."""


class Config(MethodConfig):
    """Encoder, decoder, and how maps are noised and drawn; the defaults are the released ones."""

    version: ClassVar[int] = 1
    family: ClassVar[Literal["generative"]] = "generative"
    citation: ClassVar[str] = """\
@inproceedings{ji2023ddp,
  title = {{DDP}: Diffusion Model for Dense Visual Prediction},
  author = {Ji, Yuanfeng and Chen, Zhe and Xie, Enze and Hong, Lanqing and Liu, Xihui and
    Liu, Zhaoqiang and Lu, Tong and Li, Zhenguo and Luo, Ping},
  booktitle = {IEEE/CVF International Conference on Computer Vision},
  year = {2023}
}"""

    backbone: BackboneSettings
    width: Positive = 256
    depth: Positive = 6
    """Layers of the map decoder."""
    heads: Positive = 8
    points: Positive = 4
    """Places that each head of attention looks at."""
    groups: Positive = 32
    scale: AboveZero = 0.01
    """Of the class embeddings beside noise of deviation 1 (``bit_scale``)."""
    steps: Positive = 3
    """Of sampling."""
    skip: Annotated[int, Field(ge=0)] = 1
    """How many steps further than the next the noise is lowered (``time_difference``)."""
    auxiliary_weight: Weight = 0.4
    train: Stage

    @property
    def gives_probabilities(self) -> bool:
        return True

    def needs(self, folder: str = "") -> tuple[tuple[str, str], ...]:
        return self.backbone.needs(bool(self.weights))

    def files(self) -> Mapping[str, tuple[Path, ...]]:
        return self.backbone.files(bool(self.weights))

    def pretraining(self, stage: str) -> str:
        return self.backbone.pretraining

    def stages(self, data: DataSpec) -> tuple[Stage, ...]:
        return (self.train,)

    def depends_on(self, stage: str) -> dict[str, Any]:
        """Return all but what only sampling knows."""
        unused = {"weights", "initialise", "steps", "skip"}
        return {**self.model_dump(mode="json", exclude=unused), **self.backbone.content}


class PyramidFeatures(nn.Module):
    """A feature pyramid (arXiv:1612.03144) whose levels are stacked at a quarter of the size."""

    def __init__(self, backbone: Backbone, width: int, groups: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.lateral = nn.ModuleList(_conv(count, width, 1, groups) for count in backbone.channels)
        self.smooth = nn.ModuleList(_conv(width, width, 3, groups) for _ in backbone.channels)
        self.merge = _conv(width * len(backbone.channels), width, 1, groups)

    def forward(self, image: Tensor) -> Tensor:
        """Return float32 [B, D, H / 4, W / 4] of images [B, 3, H, W] in [0, 1]."""
        levels = [part(x) for part, x in zip(self.lateral, self.backbone(image), strict=True)]
        for i in range(len(levels) - 2, -1, -1):
            levels[i] = levels[i] + F.interpolate(levels[i + 1], levels[i].shape[2:])
        size = levels[0].shape[2:]
        smoothed = [
            F.interpolate(smooth(x), size, mode="bilinear", align_corners=False)
            for smooth, x in zip(self.smooth, levels, strict=True)
        ]
        merged: Tensor = self.merge(torch.cat(smoothed, 1))
        return merged


def _conv(in_channels: int, out_channels: int, kernel: int, groups: int) -> nn.Sequential:
    convolution = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.GroupNorm(groups, out_channels))


class DeformableAttention(nn.Module):
    """Attention to a few learned places around each (Zhu et al., arXiv:2010.04159, eq. 2)."""

    def __init__(self, width: int, heads: int, points: int) -> None:
        super().__init__()
        self.heads, self.points = heads, points
        self.offsets = nn.Linear(width, heads * points * 2)
        self.shares = nn.Linear(width, heads * points)
        self.value = nn.Linear(width, width)
        self.project = nn.Linear(width, width)
        nn.init.zeros_(self.shares.weight)
        nn.init.zeros_(self.shares.bias)
        nn.init.zeros_(self.offsets.weight)
        # Each head starts in a direction of its own, point after point further out.
        angle = torch.arange(heads) * (2 * math.pi / heads)
        direction = torch.stack([angle.cos(), angle.sin()], 1)
        direction = direction / direction.abs().amax(1, keepdim=True)
        start = direction[:, None] * torch.arange(1.0, points + 1)[:, None]
        with torch.no_grad():
            self.offsets.bias.copy_(start.flatten())

    def forward(self, query: Tensor, x: Tensor) -> Tensor:
        """Attend from a map to another, float32 [B, h, w, D] both.

        Offsets are in pixels; outside of the map there is nothing.
        """
        batch, height, width, _ = x.shape
        value = self.value(x).view(batch, height, width, self.heads, -1)
        value = value.permute(0, 3, 4, 1, 2).flatten(0, 1)  # [B * heads, D / heads, h, w]
        offsets = self.offsets(query).view(batch, height * width, self.heads, self.points, 2)
        rows = torch.arange(height, device=x.device).to(offsets) + 0.5
        columns = torch.arange(width, device=x.device).to(offsets) + 0.5
        place = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), 2).flatten(0, 1)
        place = place[:, None, None] + offsets
        sides = torch.tensor([width, height], device=x.device).to(place)
        grid = (2 * place / sides - 1).transpose(1, 2).flatten(0, 1)
        sampled = F.grid_sample(value, grid.to(value), align_corners=False)
        shares = self.shares(query).view(batch, height * width, self.heads, self.points)
        shares = shares.softmax(3).transpose(1, 2).flatten(0, 1)[:, None]
        mixed = (sampled * shares.to(sampled)).sum(3)  # [B * heads, D / heads, h * w]
        out: Tensor = self.project(mixed.view(batch, -1, height, width).permute(0, 2, 3, 1))
        return out


class MapDecoderLayer(nn.Module):
    """Deformable attention and a perceptron, which the time scales and shifts."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.width
        self.attention = DeformableAttention(width, config.heads, config.points)
        self.norm1 = nn.LayerNorm(width)
        self.modulate = nn.Sequential(nn.SiLU(), nn.Linear(4 * width, 2 * width))
        self.perceptron = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.norm2 = nn.LayerNorm(width)

    def forward(self, x: Tensor, position: Tensor, time: Tensor) -> Tensor:
        """Map float32 [B, h, w, D] to the same shape; time is float32 [B, 4 D]."""
        x = self.norm1(x + self.attention(x + position, x))
        scale, shift = self.modulate(time)[:, None, None].chunk(2, 3)
        out: Tensor = self.norm2(x + self.perceptron(x * (1 + scale) + shift))
        return out


class RatioEmbedding(nn.Module):
    """The logarithm of the signal-to-noise ratio, by waves of learned frequencies."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.frequencies = nn.Parameter(torch.randn(8))
        self.mix = nn.Sequential(
            nn.Linear(17, 4 * width), nn.GELU(), nn.Linear(4 * width, 4 * width)
        )

    def forward(self, ratio: Tensor) -> Tensor:
        """Map float32 [B] to [B, 4 D]."""
        phase = 2 * math.pi * ratio[:, None] * self.frequencies
        embedded: Tensor = self.mix(torch.cat([ratio[:, None], phase.sin(), phase.cos()], 1))
        return embedded


class MapDenoiser(nn.Module):
    """Image features and a noisy map to logits over classes, all [B, ., h, w]."""

    def __init__(self, config: Config, num_classes: int) -> None:
        super().__init__()
        width = config.width
        self.scale = config.scale
        self.classes = nn.Embedding(num_classes + 1, width)  # the last is void's
        self.join = nn.Conv2d(2 * width, width, 1)
        self.time = RatioEmbedding(width)
        self.layers = nn.ModuleList(MapDecoderLayer(config) for _ in range(config.depth))
        self.classify = nn.Conv2d(width, num_classes, 1)

    def embed(self, label: Tensor) -> Tensor:
        """Return float32 [B, D, h, w] within the scale of int64 [B, h, w] up to K, void's."""
        embedded = 2 * self.classes(label).sigmoid() - 1
        return self.scale * embedded.permute(0, 3, 1, 2)

    def forward(self, features: Tensor, noisy: Tensor, ratio: Tensor) -> Tensor:
        """Return logits float32 [B, K, h, w] for a log of signal to noise float32 [B]."""
        x = self.join(torch.cat([features, noisy.to(features)], 1)).permute(0, 2, 3, 1)
        position = sine_positions(x.shape[1], x.shape[2], x.shape[3]).to(x)
        time = self.time(ratio)
        for layer in self.layers:
            x = layer(x, position, time)
        logits: Tensor = self.classify(x.permute(0, 3, 1, 2))
        return logits.float()


def sine_positions(rows: int, columns: int, width: int) -> Tensor:
    """Waves of rows and columns (arXiv:2005.12872), float32 [rows, columns, D]."""
    quarter = width // 4
    frequency = 10_000 ** (-torch.arange(quarter) / quarter)
    parts = []
    for count in (rows, columns):
        phase = (torch.arange(count) + 0.5)[:, None] / count * 2 * math.pi * frequency
        parts.append(torch.cat([phase.sin(), phase.cos()], 1))
    down = parts[0][:, None].expand(rows, columns, -1)
    across = parts[1][None].expand(rows, columns, -1)
    return F.pad(torch.cat([down, across], 2), (0, width - 4 * quarter))


def log_ratio(time: Tensor) -> Tensor:
    """Log of signal to noise of the cosine schedule at times in [0, 1], as released."""
    cosine = torch.cos((time + 0.0002) / 1.00025 * math.pi / 2)
    return -(cosine**-2 - 1).clamp(min=1e-5).log()


def signal_and_noise(ratio: Tensor) -> tuple[Tensor, Tensor]:
    """Return the factors of signal and noise, float32 [B, 1, 1, 1] each."""
    ratio = ratio[:, None, None, None]
    return ratio.sigmoid().sqrt(), (-ratio).sigmoid().sqrt()


class DDP(Method[Config]):
    """Encoder and denoiser."""

    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        pretrained = config.backbone.pretrained and not config.weights
        backbone = Backbone(config.backbone, pretrained)
        self.features = PyramidFeatures(backbone, config.width, config.groups)
        self.denoiser = MapDenoiser(config, data.num_classes)
        self.auxiliary = nn.Sequential(
            nn.Conv2d(config.width, config.width, 3, padding=1, bias=False),
            nn.BatchNorm2d(config.width),
            nn.ReLU(),
            nn.Dropout2d(0.1),
            nn.Conv2d(config.width, data.num_classes, 1),
        )
        self.multiple = backbone.multiple

    def forward(self, stage: str, batch: Batch) -> dict[str, Tensor]:
        """Return cross-entropy of the denoised map and, beside it, of the features alone."""
        label = pad_label(batch.label, self.multiple)
        features = self.features(pad_image(batch.image, self.multiple))
        small = F.interpolate(label[:, None].float(), features.shape[2:], mode="nearest")
        small = small[:, 0].long()
        void = self.data.num_classes
        clean = self.denoiser.embed(torch.where(small == IGNORE_INDEX, void, small))
        drawn = seeding.uniform(seeding.derive(batch.seeds, "time"), 1)[:, 0]
        ratio = log_ratio(LATEST * drawn.to(features.device))
        noise = seeding.normal(seeding.derive(batch.seeds, "noise"), *features.shape[1:])
        signal, spread = signal_and_noise(ratio)
        noisy = signal * clean + spread * noise.to(clean)
        logits = {
            "classes": (1.0, self.denoiser(features, noisy, ratio)),
            "auxiliary": (self.config.auxiliary_weight, self.auxiliary(features)),
        }
        return {
            name: weight * cross_entropy(_enlarge(values, label.shape[1:]), label)
            for name, (weight, values) in logits.items()
        }

    def logits(self, image: Tensor, seeds: Tensor) -> Tensor:
        """Denoise from noise alone; the last step's logits, enlarged."""
        padded = pad_image(image, self.multiple)
        features = self.features(padded)
        noise = seeding.normal(seeding.derive(seeds, "start"), *features.shape[1:])
        noisy, logits = noise.to(features.device), features
        for now, after in sampling_times(self.config.steps, self.config.skip):
            ratios = (log_ratio(noisy.new_full((len(image),), time)) for time in (now, after))
            ratio, following = ratios
            logits = self.denoiser(features, noisy, ratio)
            clean = self.denoiser.embed(logits.argmax(1))
            signal, spread = signal_and_noise(ratio)
            noise = (noisy - signal * clean) / spread.clamp(min=1e-8)
            signal, spread = signal_and_noise(following)
            noisy = signal * clean + spread * noise
        return _enlarge(logits, padded.shape[2:])[:, :, : image.shape[2], : image.shape[3]]


def sampling_times(steps: int, skip: int) -> list[tuple[float, float]]:
    """Return the time of each step, and that which its estimate is noised for."""
    return [(1 - i / steps, max(0.0, 1 - (i + 1 + skip) / steps)) for i in range(steps)]


def _enlarge(logits: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(logits.float(), tuple(size), mode="bilinear", align_corners=False)


def _stage(steps: int, batch_size: int, lr: float, **settings: Any) -> Stage:
    return Stage(
        name="network",
        modules=("features", "denoiser", "auxiliary"),
        steps=steps,
        batch_size=batch_size,
        lr=lr,
        **settings,
    )


PRESETS = {
    # About two minutes on two CPU cores, at 96 x 192; only sizes and optimiser differ.
    "tiny": Config(
        backbone=BackboneSettings(
            name="resnet10t", options={"channels": (32, 64, 128, 256), "stem_width": 16}
        ),
        width=64,
        depth=2,
        heads=4,
        groups=8,
        train=_stage(
            300,
            8,
            1e-3,
            weight_decay=0.05,
            warmup_steps=20,
            augment=Augment(scale=(0.75, 1.5), colour=0.2),
        ),
    ),
    # segmentation/configs/cityscapes/ddp_convnext_t_4x4_512x1024_160k_cityscapes.py, from
    # ImageNet's weights.
    "paper": Config(
        backbone=BackboneSettings(
            name="convnext_tiny.fb_in1k", options={"drop_path_rate": 0.4}, pretrained=True
        ),
        train=_stage(
            160_000,
            16,
            6e-5,
            warmup_steps=1500,
            grad_clip=None,
            augment=Augment(scale=(0.5, 2.0), colour=0.5),
        ),
    ),
}
