"""Stage I: the oracle writes guiding codes of a label, the base model reads them with the image.

Kolesnikov et al., arXiv:2205.10337, section 3; google-research/big_vision
models/proj/uvim/vit.py. A label map goes in and comes out with one channel per class.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench import IGNORE_INDEX, seeding
from methods.uvim.config import GuidingSettings
from methods.uvim.transformer import Encoder, GridPositions, to_map, to_sequence


class SplittingCodebook(nn.Module):
    """Unit vectors that follow the mean of what chose them; rare ones give way to frequent ones.

    The counts and sums of the release are discounted sums over steps. A code whose count falls
    below the least becomes a copy of the most frequent, slightly moved, and each has half of
    its count (Linde, Buzo and Gray, 1980).
    """

    counts: Tensor  # float32 [V]
    sums: Tensor  # float32 [V, D]

    def __init__(self, num_codes: int, dim: int, decay: float, least_count: float) -> None:
        super().__init__()
        self.decay, self.least_count = decay, least_count
        self.register_buffer("counts", torch.ones(num_codes))
        self.register_buffer("sums", torch.randn(num_codes, dim) / num_codes**0.5)

    def vectors(self) -> Tensor:
        """Return float32 [V, D] of length one."""
        return F.normalize(self.sums, dim=1)

    def nearest(self, latent: Tensor) -> Tensor:
        """Find the nearest code at each position of [B, D, h, w]; int64 [B, h, w]."""
        scores = torch.einsum("bdhw,vd->bvhw", latent, self.vectors())
        return scores.argmax(1)

    def lookup(self, codes: Tensor) -> Tensor:
        """Return float32 [B, D, h, w] of int64 codes [B, h, w]."""
        return F.embedding(codes, self.vectors()).permute(0, 3, 1, 2)

    @torch.no_grad()
    def learn(self, latent: Tensor, codes: Tensor, seeds: Tensor) -> None:
        """Count the choices of a step, over all processes, and split.

        Args:
            latent: float32 [B, D, h, w].
            codes: int64 [B, h, w], its nearest.
            seeds: int64 [B], of which the first roots the moves.
        """
        chosen = codes.flatten()
        counts = torch.bincount(chosen, minlength=len(self.counts)).to(self.counts)
        rows = latent.permute(0, 2, 3, 1).flatten(0, 2)
        sums = torch.zeros_like(self.sums).index_add_(0, chosen, rows)
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.all_reduce(counts)
            torch.distributed.all_reduce(sums)
        self.counts.mul_(self.decay).add_(counts)
        self.sums.mul_(self.decay).add_(sums)
        self._split(seeds)
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.broadcast(self.sums, 0)

    def _split(self, seeds: Tensor) -> None:
        drawn = seeding.uniform(seeding.derive(seeds[:1], "split"), *self.sums.shape)[0]
        moves = (1 + 0.001 * (2 * drawn - 1)).to(self.sums)
        while bool((self.counts < self.least_count).any()):
            most, least = self.counts.argmax(), self.counts.argmin()
            self.counts[most] /= 2
            self.sums[most] /= 2
            self.counts[least] = self.counts[most]
            self.sums[least] = self.sums[most] * moves[least]


class Oracle(nn.Module):
    """A label, and the image if so set, to guiding codes."""

    def __init__(self, config: GuidingSettings, num_classes: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.num_classes, self.shrink = num_classes, config.patches_per_code
        width, patch = config.width, config.patch
        # One channel more than classes: void is told apart.
        self.embed = nn.Conv2d(num_classes + 1, width, patch, patch)
        self.embed_image = nn.Conv2d(3, width, patch, patch) if config.oracle_sees_image else None
        self.positions = GridPositions(width, size[0] // patch, size[1] // patch)
        self.encoder = Encoder(width, config.heads, config.oracle_depth)
        self.narrow = nn.Linear(width, config.code_dim)
        self.codebook = SplittingCodebook(
            config.num_codes, config.code_dim, config.decay, config.least_count
        )

    def forward(self, label: Tensor, image: Tensor) -> Tensor:
        """Return latents float32 [B, C, h, w], each of mean 0 and deviation 1.

        Args:
            label: int64 [B, H, W], sides being multiples of the stride.
            image: float32 [B, 3, H, W] in [0, 1].
        """
        index = torch.where(label == IGNORE_INDEX, self.num_classes, label)
        one_hot = F.one_hot(index, self.num_classes + 1).movedim(-1, 1).float()
        tokens = self.embed(one_hot)
        if self.embed_image is not None:
            tokens = tokens + self.embed_image(2 * image - 1)
        rows, columns = tokens.shape[2:]
        tokens = self.encoder(to_sequence(tokens) + self.positions(rows, columns))
        grid = F.interpolate(
            to_map(tokens, rows, columns),
            (rows // self.shrink, columns // self.shrink),
            mode="bilinear",
            align_corners=False,
            antialias=True,
        )
        latent = self.narrow(grid.movedim(1, -1)).float()
        return F.layer_norm(latent, latent.shape[-1:]).movedim(-1, 1)

    def codes(self, label: Tensor, image: Tensor) -> Tensor:
        """Return int64 [B, h, w]."""
        return self.codebook.nearest(self(label, image))


class BaseModel(nn.Module):
    """An image and guiding codes to logits over classes."""

    def __init__(self, config: GuidingSettings, num_classes: int, size: tuple[int, int]) -> None:
        super().__init__()
        width, patch = config.width, config.patch
        self.patch = patch
        self.embed_image = nn.Conv2d(3, width, patch, patch)
        self.widen = nn.Linear(config.code_dim, width)
        self.positions = GridPositions(width, size[0] // patch, size[1] // patch)
        self.encoder = Encoder(width, config.heads, config.base_depth)
        self.classify = nn.Linear(width, num_classes * patch**2)
        nn.init.zeros_(self.classify.weight)

    def forward(self, image: Tensor, guide: Tensor) -> Tensor:
        """Return float32 [B, K, H, W].

        Args:
            image: float32 [B, 3, H, W] in [0, 1], sides being multiples of the stride.
            guide: float32 [B, C, h, w], vectors of the codes.
        """
        tokens = self.embed_image(2 * image - 1)
        rows, columns = tokens.shape[2:]
        guide = self.widen(guide.movedim(1, -1)).movedim(-1, 1)
        guide = F.interpolate(guide, (rows, columns), mode="bilinear", align_corners=False)
        tokens = to_sequence(tokens + guide) + self.positions(rows, columns)
        logits = self.classify(self.encoder(tokens))
        return F.pixel_shuffle(to_map(logits, rows, columns), self.patch).float()


def hide_codes(guide: Tensor, seeds: Tensor) -> Tensor:
    """Set the vectors of a random share of the codes to zero, drawn per image.

    The release's ``code_dropout = "random"``: any number is as likely as any other.

    Args:
        guide: float32 [B, C, h, w].
        seeds: int64 [B].
    """
    batch, _, rows, columns = guide.shape
    order = seeding.uniform(seeding.derive(seeds, "order"), rows * columns).argsort(1).argsort(1)
    share = seeding.uniform(seeding.derive(seeds, "share"), 1)
    kept = (order + 1) / (rows * columns + 1) < 1 - share
    return guide * kept.view(batch, 1, rows, columns).to(guide)
