"""GSS: predict the codes of a coloured label map, decode them, read the colours.

A label map is painted as an image, the *maskige*; a discrete tokenizer turns it into
codes; the prior predicts the codes from the photograph; decoded codes give a maskige, and
an inverse colouring its classes. A prediction draws no number: it takes the likeliest
codes (arXiv:2303.11316, section 3.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench import IGNORE_INDEX, Batch, DataSpec, Method, seeding
from methods._nn.autoencoders.dalle import DalleTokenizer
from methods._nn.autoencoders.tokenizer import ConvTokenizer, Tokenizer
from methods._nn.backbone import Backbone
from methods._nn.inverse import (
    ConvInverse,
    Inverse,
    NearestColour,
    PseudoInverse,
    WindowInverse,
    colours_returned,
)
from methods._nn.loss import cross_entropy
from methods._nn.padding import pad_image, pad_label
from methods._nn.palettes import make_palette, minimum_distance
from methods._nn.quantisers.vector import SphericalQuantiser
from methods._nn.rate import CodeCounter
from methods._nn.released_palettes import RELEASED
from methods.gss.config import Config
from methods.gss.head import HeadOutput, PriorHead
from methods.gss.maskige_codec import MaskigeCodec, MaskigeCodecSettings, Palette

_UNLABELLED = -1  # target of a cell that the token loss leaves out


class Prior(nn.Module):
    """The image encoder I_psi: an image to logits over the codes of its label map."""

    def __init__(self, backbone: Backbone, head: PriorHead) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, image: Tensor, size: tuple[int, int]) -> HeadOutput:
        """Classify a token map of the size given, for images [B, 3, H, W] in [0, 1]."""
        output: HeadOutput = self.head(self.backbone(image), size)
        return output


class GSS(Method[Config]):
    """Generative Semantic Segmentation, or the twin that classifies pixels with its network."""

    codec: MaskigeCodec

    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        # The inverse comes last: variants that differ in it alone share tokenizer and prior,
        # whose first weights must therefore not depend on it.
        tokenizer = make_tokenizer(config)
        self.stride = tokenizer.stride // config.label_scale
        self.is_twin = config.control == "twin"
        given = {"prior", "twin"} & set(config.weights)
        backbone = Backbone(config.backbone, config.backbone.pretrained and not given)
        settings, outputs = config.head, tokenizer.num_codes
        if self.is_twin:
            settings = settings.model_copy(update={"auxiliary": False})
            outputs = data.num_classes * self.stride**2
        head = PriorHead(settings, backbone.channels, outputs, data.num_classes)
        self.prior = Prior(backbone, head)
        if not self.is_twin:
            self.codec = make_codec(config, data, tokenizer)
        self.multiple = max(backbone.multiple, self.stride)

    def forward(self, stage: str, batch: Batch) -> dict[str, Tensor]:
        match stage:
            case "tokenizer":
                return self.codec.tokenizer_losses(batch)
            case "colouring":
                return self.codec.colouring_losses(batch)
            case "prior":
                return self._prior_losses(batch)
            case "twin":
                image, label = self._padded(batch)
                return {"classes": cross_entropy(self._pixel_logits(image), label)}
            case "inverse":
                return self._inverse_losses(batch)
        return super().forward(stage, batch)

    def _prior_losses(self, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy of the codes, and of the classes where there is an auxiliary head.

        The head's own labels replace void before labels are encoded (section 3.5). A cell
        counts unless every one of its pixels is unlabelled, as released.
        """
        image, label = self._padded(batch)
        output = self.prior(image, self._grid(image))
        labelled = label != IGNORE_INDEX
        losses = {}
        filled = label
        if output.pixels is not None:
            pixels = _resize(output.pixels, label.shape[1:])
            losses["pixels"] = self.config.pixel_weight * cross_entropy(pixels, label)
            filled = torch.where(labelled, label, pixels.argmax(1))
        counted = F.max_pool2d(labelled.float(), self.codec.stride) > 0
        codes = torch.where(counted, self.codec.encode(filled), _UNLABELLED)
        tokens = cross_entropy(output.tokens, codes, _UNLABELLED)
        losses["tokens"] = self.config.token_weight * tokens
        return losses

    def _inverse_losses(self, batch: Batch) -> dict[str, Tensor]:
        """Train the inverse on maskiges decoded from predicted codes (appendix D, iii).

        Some are decoded from the labels' own, where ``predicted_share`` says so. The prior is
        in evaluation mode. The released code leaves its dropout active and its
        batch statistics moving, which changes the prior that was trained before.
        """
        image, label = self._padded(batch)
        with torch.no_grad():
            codes = self._codes(image)
            if self.config.predicted_share < 1:
                drawn = seeding.uniform(seeding.derive(batch.seeds, "maskige"), 1, 1)
                predicted = drawn.to(image.device) < self.config.predicted_share
                codes = torch.where(predicted, codes, self.codec.encode(label))
            maskige = self.codec.maskige(codes)
        return {"classes": cross_entropy(self.codec.logits(maskige), label)}

    def _padded(self, batch: Batch) -> tuple[Tensor, Tensor]:
        return pad_image(batch.image, self.multiple), pad_label(batch.label, self.multiple)

    def _grid(self, image: Tensor) -> tuple[int, int]:
        """Size of the token map of an image whose sizes are multiples."""
        return image.shape[2] // self.stride, image.shape[3] // self.stride

    def _pixel_logits(self, image: Tensor) -> Tensor:
        """Return a control's class logits for padded images, float32 [B, K, H, W].

        The twin has those of the pixels behind each position of the token map (the sub-pixel
        arrangement of Shi et al., arXiv:1609.05158): the maskige's resolution is not withheld
        from it.
        """
        output = self.prior(image, self._grid(image))
        if self.is_twin:
            return F.pixel_shuffle(output.tokens, self.stride)
        return _resize(output.pixels, image.shape[2:])

    def _codes(self, image: Tensor) -> Tensor:
        """Return the likeliest codes, int64 [B, h, w]."""
        tokens: Tensor = self.prior(image, self._grid(image)).tokens
        return tokens.argmax(1)

    def logits(self, image: Tensor, seeds: Tensor) -> Tensor:
        """Return one vote per pixel, as released, or the logits of a learned inverse.

        Of a control, the logits of its pixels.
        """
        height, width = image.shape[2:]
        padded = pad_image(image, self.multiple)
        control = bool(self.config.control)
        scores = self._pixel_logits(padded) if control else self.codec.decode(self._codes(padded))
        return scores[:, :, :height, :width]

    def oracle_codes(self, image: Tensor, label: Tensor, seeds: Tensor) -> Tensor:
        height, width = label.shape[1:]
        codes = self._codes(pad_image(image, self.multiple))
        truth = self.codec.encode(pad_label(label, self.multiple))
        replaced = self.codec.nearest(codes, truth)
        return self.codec.decode(replaced).argmax(1)[:, :height, :width]

    def reconstruct(self, label: Tensor, seeds: Tensor) -> Tensor:
        return self.codec.reconstruct(label)

    def measure(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Measure rate and use of the codes, and what palette and inverse can tell apart.

        Counted are the colours that an inverse in closed form gives back where there is no
        noise: of its own palette, and of those released for ADE20K, MSeg and Cityscapes, of
        whose 150, 194 and 19 the least squares of eq. 15 return 14, 9 and 5.
        """
        counter = CodeCounter([self.codec.tokenizer.num_codes])
        for batch in batches:
            label = pad_label(batch.label, self.codec.stride)
            counter.add([self.codec.encode(label)], batch.label.numel())
        palette = self.codec.colouring.colours()[:-1]
        distance = minimum_distance(255 * palette.double().cpu().numpy())
        measured = {"stride": self.codec.stride, **counter.measured()}
        measured["least distance of two colours (0 to 255)"] = distance
        inverse = self.codec.inverse
        if inverse.votes:  # a learned one looks at more than the pixel
            counted = {"its own": palette}
            for name, released in RELEASED.items():
                counted[name] = torch.from_numpy(released[:-1] / 255).to(palette)
            for name, colours in counted.items():
                key = f"colours returned of {len(colours)}, {name}"
                measured[key] = colours_returned(inverse, colours)
        return measured


def make_codec(config: Config, data: DataSpec, tokenizer: Tokenizer) -> MaskigeCodec:
    """Put colouring and inverse of a variant around a tokenizer."""
    palette = make_palette(
        config.initial_colouring, data.classes, data.palette, config.palette_seed
    )
    colouring = Palette(torch.from_numpy(palette / 255).float(), config.learns_colouring)
    settings = MaskigeCodecSettings(
        label_scale=config.label_scale,
        void=config.void,
        colour_temperature=config.colour_temperature,
        gumbel_temperature=config.gumbel_temperature,
        recolour=config.recolour if config.learns_colouring else 0.0,
    )
    return MaskigeCodec(colouring, tokenizer, _inverse(config, colouring.fixed[:-1]), settings)


def make_tokenizer(config: Config) -> Tokenizer:
    """Make the tokenizer that the configuration names."""
    if config.tokenizer == "dalle":
        dalle = config.dalle
        return DalleTokenizer(
            dalle.width,
            dalle.first_width,
            dalle.blocks,
            dalle.num_codes,
            dalle.gumbel_temperature,
        )
    conv = config.conv
    quantiser = SphericalQuantiser(conv.num_codes, conv.code_dim)
    return ConvTokenizer(conv.widths, conv.blocks, quantiser)


def _inverse(config: Config, palette: Tensor) -> Inverse:
    learned = config.learned_inverse
    if config.variant in ("FT", "TT"):
        inverse = ConvInverse(learned.width, len(palette))
        if learned.start == "nearest_colour":
            inverse.start_as_nearest_colour(palette, config.colour_temperature)
        return inverse
    if config.variant == "FT-W":
        return WindowInverse(
            learned.width, learned.heads, learned.window, learned.depth, len(palette)
        )
    return PseudoInverse() if config.inverse == "pseudo_inverse" else NearestColour()


def _resize(scores: Tensor, size: Sequence[int]) -> Tensor:
    """Resize float32 [B, K, h, w] to height and width."""
    return F.interpolate(scores, list(size), mode="bilinear", align_corners=False)
