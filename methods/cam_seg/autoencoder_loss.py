"""Optional terms of an autoencoder's loss: perceptual and adversarial.

Both as in latent diffusion (CompVis/latent-diffusion ldm/modules/losses/contperceptual.py,
after VQGAN, arXiv:2012.09841), each reduced to what needs no schedule of its own.
"""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils.parametrizations import spectral_norm

from bench import ensure_torchvision


class PerceptualDistance(nn.Module):
    """Squared distance of unit feature vectors, averaged over levels and positions.

    LPIPS (Zhang et al., arXiv:1801.03924) without its learned channel weights, on any
    timm backbone, so that no weights beside the backbone's are needed.
    """

    def __init__(self, backbone: str, pretrained: bool = True) -> None:
        super().__init__()
        ensure_torchvision()
        import timm

        self.features = timm.create_model(backbone, pretrained=pretrained, features_only=True)
        self.requires_grad_(False)

    def forward(self, image: Tensor, target: Tensor) -> Tensor:
        """Compare two image batches [B, 3, H, W] in [-1, 1]; float32 [B]."""
        distances = [
            (F.normalize(a, dim=1) - F.normalize(b, dim=1)).square().sum(dim=1).mean(dim=(1, 2))
            for a, b in zip(self.features(image), self.features(target), strict=True)
        ]
        return sum(distances[1:], start=distances[0]) / len(distances)


class PatchDiscriminator(nn.Module):
    """A patch discriminator with the hinge loss, and what the decoder gets from it.

    Spectral normalisation (arXiv:1802.05957) takes the place of the release's batch
    statistics and of its weight by gradient norms, so that an image's loss does not
    depend on its batch mates.
    """

    def __init__(self, width: int = 64, levels: int = 3) -> None:
        super().__init__()
        channels = [3, *(width * 2**level for level in range(levels))]
        layers: list[nn.Module] = []
        for before, after in pairwise(channels):
            layers += [spectral_norm(nn.Conv2d(before, after, 4, 2, 1)), nn.LeakyReLU(0.2)]
        self.judge = nn.Sequential(*layers, spectral_norm(nn.Conv2d(channels[-1], 1, 4, 1, 1)))

    def discriminator_loss(self, real: Tensor, decoded: Tensor) -> Tensor:
        """Return the hinge loss, a scalar, of telling images [B, 3, H, W] from decoded ones."""
        false, true = self.judge(decoded.detach()), self.judge(real)
        loss: Tensor = F.relu(1 - true).mean() + F.relu(1 + false).mean()
        return loss

    def decoder_loss(self, decoded: Tensor) -> Tensor:
        """Return what decoded images lack to pass, a scalar without gradient to the judge.

        So one optimiser can serve both: the sum of the two losses gives each side its own
        gradient.
        """
        fixed = {name: weight.detach() for name, weight in self.judge.named_parameters()}
        score: Tensor = functional_call(self.judge, fixed, (decoded,))
        return -score.mean()
