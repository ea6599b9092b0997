"""VAR's multi-scale residual quantiser.

Sources: Tian et al., arXiv:2404.02905, Algorithms 1 and 2, and FoundationVision/VAR,
models/quant.py, whose parameter names are kept so that its
``vae_ch160v4096z32.pth`` loads as it is. Deviations: scales may be rectangles, usage is
counted in a single process as well, and dead codes can be restarted, which the release
does not do.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench import seeding
from methods._nn.precision import full_precision
from methods._nn.quantisers.quantiser import Quantised, Quantiser
from methods._nn.quantisers.vector import nearest_codes

Scale = tuple[int, int]


class Smoothing(nn.Conv2d):
    """VAR's phi: a convolution mixed with the identity, after each upsampling."""

    def __init__(self, channels: int, ratio: float) -> None:
        super().__init__(channels, channels, 3, padding=1)
        self.ratio = ratio

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, C, h, w] to the same shape."""
        return (1 - self.ratio) * x + self.ratio * super().forward(x)


class SharedSmoothing(nn.Module):
    """A few smoothings, shared by more scales: each scale takes the nearest in depth."""

    def __init__(self, channels: int, ratio: float, count: int) -> None:
        super().__init__()
        self.qresi_ls = nn.ModuleList(Smoothing(channels, ratio) for _ in range(count))
        margin = (1 / 3 if count == 4 else 1 / 2) / max(count, 1)  # as released
        self.ticks = torch.linspace(margin, 1 - margin, count, dtype=torch.float64)

    def forward(self, x: Tensor, depth: float) -> Tensor:
        """Smooth [B, C, h, w] of the scale at ``depth``, 0 for the coarsest to 1."""
        if not self.qresi_ls:
            return x
        smoothed: Tensor = self.qresi_ls[int((self.ticks - depth).abs().argmin())](x)
        return smoothed


class MultiScaleQuantiser(Quantiser):
    """A latent as the sum of contributions, one per scale, each told by a map of codes.

    A map is int64 [B, h, w]; a subclass may have real vectors [B, h, w, C] in its place.
    The latent may have any size: see :meth:`scales`.
    """

    sides: tuple[int, ...]
    """Sides of the maps, coarse to fine, relative to the last, which is the latent's."""

    @abstractmethod
    def code(self, rest: Tensor, k: int) -> Tensor:
        """Return the codes of scale k for what earlier scales left over, [B, C, h, w]."""

    @abstractmethod
    def contribution(self, codes: Tensor, k: int, size: Scale) -> Tensor:
        """Return what the codes of scale k add to a latent of a size: [B, C, *size]."""

    def encode(self, latent: Tensor) -> tuple[Tensor, ...]:
        """Return the codes of [B, C, h, w], of each scale."""
        rest, size = latent.detach().float(), (latent.shape[2], latent.shape[3])
        codes: list[Tensor] = []
        for k in range(len(self.sides)):
            codes.append(self.code(rest, k))
            rest = rest - self.contribution(codes[k], k, size).detach()
        return tuple(codes)

    def scales(self, size: Scale) -> tuple[Scale, ...]:
        """Return rows and columns of each map for a latent of a size: at least one."""
        rows, columns = size
        last = self.sides[-1]
        return tuple(
            (max(1, round(rows * n / last)), max(1, round(columns * n / last))) for n in self.sides
        )

    def running(self, codes: Sequence[Tensor], size: Scale) -> list[Tensor]:
        """Return the reconstruction [B, C, *size] after each of the scales given."""
        total: list[Tensor] = []
        for k, scale_codes in enumerate(codes):
            added = self.contribution(scale_codes, k, size)
            total.append(total[-1] + added if total else added)
        return total

    def decode(self, codes: Sequence[Tensor]) -> Tensor:
        """Return the latent [B, C, h, w] that the codes of all scales stand for."""
        return self.running(codes, map_size(codes[-1]))[-1]

    def next_inputs(self, codes: Sequence[Tensor]) -> list[Tensor]:
        """Return what each scale after the first sees of those before: [B, n, C] each."""
        running = self.running(codes[:-1], map_size(codes[-1]))
        following = (map_size(after) for after in codes[1:])
        return [next_input(f, size) for f, size in zip(running, following, strict=True)]


def map_size(codes: Tensor) -> Scale:
    """Return rows and columns of a code map."""
    return codes.shape[1], codes.shape[2]


def next_input(running: Tensor, scale: Scale) -> Tensor:
    """Return what a scale sees of the reconstruction so far: [B, n, C], row by row."""
    return F.interpolate(running, scale, mode="area").flatten(2).transpose(1, 2)


class MultiScaleResidualQuantiser(MultiScaleQuantiser):
    """Quantise a latent scale by scale, each coding what the coarser ones left over.

    Args:
        num_codes: entries V of the codebook, which all scales share.
        channels: C of an entry.
        sides: of the code maps, coarse to fine, relative to the last.
        smoothings: how many :class:`Smoothing` the scales share; 0 for none.
        ratio: weight of the convolution in a smoothing.
        commitment: weight of the commitment term.
        normalise: compare directions only (``using_znorm`` of the release).
        restart_below: codes used less than this fraction of the average are dead, and
            restarted in training; 0 leaves them, as the release does.
    """

    ema_vocab_hit_SV: Tensor  # float32 [S, V], average uses per step; named as released

    def __init__(
        self,
        num_codes: int,
        channels: int,
        sides: Sequence[int],
        *,
        smoothings: int = 4,
        ratio: float = 0.5,
        commitment: float = 0.25,
        normalise: bool = False,
        restart_below: float = 0.0,
    ) -> None:
        super().__init__()
        self.sides = tuple(sides)
        self.channels, self.codebook_sizes = channels, (num_codes,) * len(self.sides)
        self.restart_below = restart_below
        self.commitment = commitment
        self.normalise = normalise
        self.embedding = nn.Embedding(num_codes, channels)
        nn.init.uniform_(self.embedding.weight, -1 / num_codes, 1 / num_codes)
        self.quant_resi = SharedSmoothing(channels, ratio, smoothings)
        self.register_buffer("ema_vocab_hit_SV", torch.zeros(len(self.sides), num_codes))

    def lookup(self, vectors: Tensor) -> Tensor:
        """Find the entries nearest to [N, C]; int64 [N]."""
        codebook = self.embedding.weight.detach()
        with full_precision(vectors):  # as the release does
            if self.normalise:
                return (F.normalize(vectors.float()) @ F.normalize(codebook).T).argmax(1)
            return nearest_codes(vectors, codebook)

    def contribution(self, codes: Tensor, k: int, size: Scale) -> Tensor:
        """Return what the codes [B, h, w] of scale k add to a latent: [B, C, *size]."""
        coarse = self.embedding(codes).movedim(-1, 1)
        with full_precision(coarse):
            if map_size(codes) != size:
                coarse = F.interpolate(coarse, size, mode="bicubic")
            added: Tensor = self.quant_resi(coarse, k / max(len(self.sides) - 1, 1))
        return added

    def code(self, rest: Tensor, k: int) -> Tensor:
        """Return the codes of scale k for what is left of [B, C, h, w]: int64 [B, h, w]."""
        vectors = self._pool(rest, k)
        return self.lookup(vectors.flatten(0, 2)).reshape(vectors.shape[:3])

    def _pool(self, rest: Tensor, k: int) -> Tensor:
        """Average [B, C, *size] to the vectors of scale k: [B, h, w, C]."""
        size = (rest.shape[2], rest.shape[3])
        scale = self.scales(size)[k]
        pooled = rest if scale == size else F.interpolate(rest, scale, mode="area")
        return pooled.movedim(1, -1)

    def _residuals(self, latent: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield of each scale the residual vectors [N, C], its codes and contribution."""
        rest = latent.detach().float()
        for k in range(len(self.sides)):
            codes = self.code(rest, k)
            added = self.contribution(codes, k, (latent.shape[2], latent.shape[3]))
            vectors = self._pool(rest, k).flatten(0, 2)
            rest = rest - added.detach()
            yield vectors, codes, added

    def forward(self, latent: Tensor, seeds: Tensor | None = None) -> Quantised:
        """Quantise [B, C, h, w] with gradients; in training mode, uses are counted too.

        With ``seeds``, int64 [B], and in training mode, dead codes are restarted first.
        """
        if self.training and seeds is not None and self.restart_below > 0:
            self.restart_dead(latent, seeds)
        latent = latent.float()
        running = torch.zeros_like(latent)
        loss = latent.new_zeros(())
        codes = []
        for _, scale_codes, added in self._residuals(latent):
            running = running + added
            loss = loss + self.commitment * F.mse_loss(latent, running.detach())
            loss = loss + F.mse_loss(running, latent.detach())
            codes.append(scale_codes)
        if self.training:
            self._count(codes)
        through = latent + (running - latent).detach()
        return Quantised(through, loss / len(self.sides), tuple(codes))

    def codebook_parameters(self) -> int:
        return self.embedding.weight.numel()

    @torch.no_grad()
    def _count(self, codes: Sequence[Tensor]) -> None:
        """Average the uses over about a hundred steps; the first step counts whole."""
        size = self.embedding.num_embeddings
        hits = torch.stack([c.flatten().bincount(minlength=size) for c in codes]).float()
        first = self.ema_vocab_hit_SV.sum() == 0
        decay = torch.where(first, 0.0, 0.99)
        self.ema_vocab_hit_SV.mul_(decay).add_(hits * (1 - decay))

    def usage(self, least: float = 0.08) -> Tensor:
        """Return the share of codes in use at each scale, float32 [S].

        In use is what is taken at least ``least`` times as often as if all codes were
        taken equally often (0.08 in the release).
        """
        hits = self.ema_vocab_hit_SV
        return (hits >= least * hits.mean(1, keepdim=True)).float().mean(1)

    @torch.no_grad()
    def restart_dead(self, latent: Tensor, seeds: Tensor) -> int:
        """Move codes that no scale uses onto residuals of the batch; return how many.

        Before the first step all codes are dead, so this also starts the codebook from data.
        A restarted code counts as used averagely, which gives it time to find uses.
        Everything that decides lies in the buffers and the arguments, so resumed training
        goes on alike; where several processes train, the first one's choice holds for all.

        Args:
            latent: [B, C, h, w] to be quantised next.
            seeds: int64 [B].
        """
        hits = self.ema_vocab_hit_SV
        uses = hits.sum(0)
        dead = (uses < self.restart_below * uses.mean()) | ~uses.any()
        count = int(dead.sum())
        if count:
            pool = torch.cat([vectors for vectors, _, _ in self._residuals(latent)])
            generator = seeding.torch_generator(int(seeding.derive(seeds[:1], "restart")[0]))
            chosen = torch.randint(len(pool), (count,), generator=generator)
            self.embedding.weight[dead] = pool[chosen.to(pool.device)]
            hits[:, dead] = hits.mean(1, keepdim=True)
            if torch.distributed.is_available() and torch.distributed.is_initialized():
                torch.distributed.broadcast(self.embedding.weight, 0)
        return count
