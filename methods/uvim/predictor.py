"""Stage II: an image to its guiding codes."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench import seeding
from methods._nn.backbone import Backbone, PlainBackbone
from methods.uvim.config import PredictorSettings
from methods.uvim.transformer import DecoderBlock, GridPositions, Memory, to_map, to_sequence

Grid = tuple[int, int]


class CodeModel(nn.Module, ABC):
    """A distribution over maps of codes for an image."""

    def __init__(self, config: PredictorSettings, backbone: Backbone | PlainBackbone) -> None:
        super().__init__()
        self.backbone = backbone
        self.temperature = config.temperature

    @abstractmethod
    def forward(self, image: Tensor, codes: Tensor) -> Tensor:
        """Return logits float32 [B, V, h, w] of each code, given those before it at most.

        Args:
            image: float32 [B, 3, H, W] in [0, 1].
            codes: int64 [B, h, w], the truth.
        """

    @abstractmethod
    def draw(self, image: Tensor, grid: Grid, seeds: Tensor) -> Tensor:
        """Return int64 [B, h, w] for a grid of so many rows and columns."""

    def choose(self, logits: Tensor, seeds: Tensor, purpose: int) -> Tensor:
        """Draw from [B, V, ...] at the temperature, or take the likeliest at 0."""
        if self.temperature > 0:
            drawn = seeding.uniform(seeding.derive(seeds, "code", purpose), *logits.shape[1:])
            tiny = torch.finfo(torch.float32).tiny
            gumbel = -(-drawn.clamp(min=tiny).log()).clamp(min=tiny).log()
            logits = logits.float() + self.temperature * gumbel.to(logits.device)
        return logits.argmax(1)


class OnePass(CodeModel):
    """All codes at once, each by itself, as GSS repeated UViM (arXiv:2303.11316, appendix H).

    The appendix names Swin-L and no head: levels are brought to one width, averaged within the
    codes' grid or enlarged to it, stacked and mixed.
    """

    def __init__(
        self, config: PredictorSettings, backbone: Backbone | PlainBackbone, num_codes: int
    ) -> None:
        super().__init__(config, backbone)
        width = config.width
        self.lateral = nn.ModuleList(nn.Conv2d(count, width, 1) for count in backbone.channels)
        self.mix = nn.Conv2d(width * len(backbone.channels), width, 1)
        self.norm = nn.LayerNorm(width)
        self.classify = nn.Linear(width, num_codes)

    def forward(self, image: Tensor, codes: Tensor) -> Tensor:
        return self._logits(image, (codes.shape[1], codes.shape[2]))

    def draw(self, image: Tensor, grid: Grid, seeds: Tensor) -> Tensor:
        return self.choose(self._logits(image, grid), seeds, 0)

    def _logits(self, image: Tensor, grid: Grid) -> Tensor:
        levels = []
        for lateral, level in zip(self.lateral, self.backbone(image), strict=True):
            mode = "area" if level.shape[2] > grid[0] else "bilinear"
            levels.append(F.interpolate(lateral(level), grid, mode=mode))
        mixed = F.gelu(self.mix(torch.cat(levels, 1)))
        return self.classify(self.norm(mixed.movedim(1, -1))).movedim(-1, 1).float()


class Autoregressive(CodeModel):
    """A decoder that attends to the codes so far, row by row, and to the image.

    Args:
        config: sizes.
        backbone: whose last level is attended to.
        num_codes: V.
        size: height and width of the images that its positions are for.
        grid: rows and columns of their codes.
    """

    def __init__(
        self,
        config: PredictorSettings,
        backbone: Backbone | PlainBackbone,
        num_codes: int,
        size: tuple[int, int],
        grid: Grid,
    ) -> None:
        super().__init__(config, backbone)
        width, stride = config.width, backbone.multiple
        self.project = nn.Conv2d(backbone.channels[-1], width, 1)
        self.image_positions = GridPositions(width, -(-size[0] // stride), -(-size[1] // stride))
        self.norm_image = nn.LayerNorm(width)
        self.start = nn.Parameter(0.02 * torch.randn(width))
        self.embed = nn.Embedding(num_codes, width)
        self.positions = GridPositions(width, *grid)
        self.blocks = nn.ModuleList(DecoderBlock(width, config.heads) for _ in range(config.depth))
        self.norm = nn.LayerNorm(width)
        self.classify = nn.Linear(width, num_codes)

    def forward(self, image: Tensor, codes: Tensor) -> Tensor:
        """Teacher forcing: each code's logits see the true ones before it."""
        rows, columns = codes.shape[1:]
        before = self.embed(codes.flatten(1)[:, :-1])
        first = self.start.expand(len(codes), 1, -1).to(before)
        x = torch.cat([first, before], 1) + self.positions(rows, columns)
        for block, memory in zip(self.blocks, self._look(image), strict=True):
            x, _ = block(x, memory, None)
        return to_map(self.classify(self.norm(x)), rows, columns).float()

    def draw(self, image: Tensor, grid: Grid, seeds: Tensor) -> Tensor:
        images, positions = self._look(image), self.positions(*grid)
        past: list[Memory | None] = [None] * len(self.blocks)
        token = self.start.expand(len(image), 1, -1)
        codes: list[Tensor] = []
        for place in range(grid[0] * grid[1]):
            x = token + positions[:, place : place + 1]
            for i, block in enumerate(self.blocks):
                x, past[i] = block(x, images[i], past[i])
            logits = self.classify(self.norm(x))[:, 0].float()
            codes.append(self.choose(logits, seeds, place))
            token = self.embed(codes[-1][:, None])
        return torch.stack(codes, 1).view(-1, *grid)

    def _look(self, image: Tensor) -> list[Memory]:
        """Return the image's keys and values for every block."""
        level = self.project(self.backbone(image)[-1])
        tokens = to_sequence(level) + self.image_positions(*level.shape[2:])
        tokens = self.norm_image(tokens)
        memories = []
        for block in self.blocks:
            assert isinstance(block, DecoderBlock)
            memories.append(block.looking.memorise(tokens))
        return memories
