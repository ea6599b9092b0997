"""Seg-VAR (arXiv:2511.12594): an image becomes codes of a seglat, and the seglat labels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from bench import IGNORE_INDEX, Batch, DataSpec, Method, Segmented, seeding
from methods._nn.loss import cross_entropy
from methods._nn.padding import pad_image, pad_label
from methods._nn.quantisers.multi_scale import map_size, next_input
from methods.seg_var.codes import choose, divergence, likeliest
from methods.seg_var.config import Config, ImageEncoderSettings
from methods.seg_var.generate import SeglatSampler, mix
from methods.seg_var.image_encoder import CodePredictor
from methods.seg_var.latent import LatentEncoder, PixelTransformer
from methods.seg_var.next_scale import NextScaleTransformer, inputs
from methods.seg_var.seglat import SeglatPainter
from methods.seg_var.tokenizer import CodeShape, SharedTokenizer

Codes = tuple[Tensor, ...]
COLOUR_TEMPERATURE = 0.1
"""Divides squared distances of colours in [-1, 1], where they are read as logits."""


class SegVAR(Method[Config]):
    """Seglat codes by the image encoder and the next-scale transformer together.

    The ELBO's three parts are its submodules: q(z | c) is ``latent_encoder`` and the
    ``tokenizer``'s encoder, p(z | x) ``image_encoder`` with ``decoder``, and p(c | z) the
    tokenizer's decoder and ``latent_decoder``.

    Raises:
        ValueError: if the colour grid has fewer cells than the data have classes.
    """

    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        self.painter = SeglatPainter(config.colours, config.void, data.num_classes)
        # Each module starts from a seed of its own, whichever of the others there are, so
        # that ablations can share the stages that they have in common.
        seeds = torch.randint(2**62, (4,)).tolist()
        with seeding.seeded(seeds[0]):
            self.tokenizer = SharedTokenizer(config.tokenizer)
        self.stride = self.tokenizer.stride
        if config.control == "twin":
            del self.tokenizer
            self.image_encoder = self._twin(seeds[3])
            return
        if config.generates:
            with seeding.seeded(seeds[1]):
                self.decoder = NextScaleTransformer(
                    *self.tokenizer.shape, data.num_classes, config.decoder
                )
        if config.latent is not None:
            with seeding.seeded(seeds[2]):
                self.latent_encoder = LatentEncoder(data.num_classes, config.latent)
                self.latent_decoder = PixelTransformer(3, data.num_classes, config.latent)
        if config.looks:
            encoder = _encoder_settings(config, "image")
            with seeding.seeded(seeds[3]):
                self.image_encoder = CodePredictor(
                    *self.tokenizer.shape, data.num_classes, encoder, data.size
                )

    def _twin(self, seed: int) -> CodePredictor:
        """Build the image encoder with the logits of a position's pixels as its only outputs."""
        shape = CodeShape(1, 1, self.data.num_classes * self.stride**2)
        settings = _encoder_settings(self.config, "twin")
        settings = settings.model_copy(update={"sees": "image", "own_choices": 0.0})
        with seeding.seeded(seed):
            return CodePredictor(*shape, self.data.num_classes, settings, self.data.size)

    def forward(self, stage: str, batch: Batch) -> dict[str, Tensor]:
        losses = {
            "tokenizer": self._tokenizer_losses,
            "seglat": self._seglat_losses,
            "latent": self._latent_losses,
            "image": self._image_losses,
            "joint": self._joint_losses,
            "twin": self._twin_losses,
        }
        image = pad_image(batch.image, self.stride)
        label = pad_label(batch.label, self.stride)
        return losses[stage](Batch(image, label, batch.seeds))

    def logits(self, image: Tensor, seeds: Tensor) -> Tensor:
        padded = pad_image(image, self.stride)
        if self.config.control == "twin":
            scores = self._pixel_logits(padded)
        else:
            scores = self._decode(self._generate(padded, seeds))
        return scores[:, :, : image.shape[2], : image.shape[3]]

    def segments(self, image: Tensor, seeds: Tensor) -> Segmented | None:
        """Tell segments apart by what has one class and, in the seglat, one cell's colour.

        So instances of a class need colours of their own in training: centroid cells, and
        components as masks, since training batches hold no instances. None where a colour
        stands for all of a class.
        """
        if self.config.colours.masks != "component" or self.config.control == "twin":
            return None
        seglat = self.tokenizer.decode(self._generate(pad_image(image, self.stride), seeds))
        share = self._classify(seglat).softmax(1)[:, :, : image.shape[2], : image.shape[3]]
        score, label = share.max(1)
        cell = self.painter.cells(seglat)[:, : image.shape[2], : image.shape[3]]
        return Segmented(label, cell + 1, score)

    def reconstruct(self, label: Tensor, seeds: Tensor) -> Tensor:
        codes = self._encode(pad_label(label, self.stride))
        return self._decode(codes).argmax(1)[:, : label.shape[1], : label.shape[2]]

    def _seglat(self, label: Tensor) -> Tensor:
        """Turn labels [B, H, W] into the seglat [B, 3, H, W]."""
        painted = self.painter(label)
        if self.config.latent is None:
            return painted.colours
        seglat: Tensor = self.latent_encoder(painted.masks, painted.colours)
        return seglat

    @torch.no_grad()
    def _encode(self, label: Tensor) -> Codes:
        return self.tokenizer.encode(self._seglat(label))

    @torch.no_grad()
    def _encode_image(self, image: Tensor) -> Codes:
        return self.tokenizer.encode(2 * image - 1)

    def _decode(self, codes: Codes) -> Tensor:
        """Turn seglat codes into class scores [B, K, H, W]."""
        return self._classify(self.tokenizer.decode(codes))

    def _classify(self, seglat: Tensor) -> Tensor:
        if self.config.latent is None:
            return self.painter.class_scores(seglat)
        scores: Tensor = self.latent_decoder(seglat).float()
        return scores

    def _tokenizer_losses(self, batch: Batch) -> dict[str, Tensor]:
        """Reconstruction of seglats and images by the tokenizer they share."""
        seglat, image = self.painter(batch.label).colours, 2 * batch.image - 1
        seeds = torch.cat(
            [seeding.derive(batch.seeds, "seglat"), seeding.derive(batch.seeds, "image")]
        )
        reconstructed = self.tokenizer.through(torch.cat([seglat, image]), seeds)
        seglat_out, image_out = reconstructed.image.chunk(2)
        losses = {
            "seglat": F.mse_loss(seglat_out, seglat),
            "image": self.config.tokenizer.image_weight * F.mse_loss(image_out, image),
            "quantiser": reconstructed.loss,
        }
        if weight := self.config.tokenizer.class_weight:
            scores = self.painter.class_scores(seglat_out) / COLOUR_TEMPERATURE
            losses["classes"] = weight * cross_entropy(scores, batch.label)
        return losses

    def _seglat_losses(self, batch: Batch) -> dict[str, Tensor]:
        """Stage 1: every token of image and seglat from the scales before.

        Each scale of the seglat is to code what those before left, whether their codes were
        the truth's or the decoder's own likeliest.
        """
        config, quantiser = self.config.decoder, self.tokenizer.quantiser
        image = self._encode_image(batch.image)
        with torch.no_grad():
            latent = self.tokenizer.latent(self._seglat(batch.label))
        shown, truth = self._shown(latent, image, batch)
        classes = self._classes(batch.label)
        drops = seeding.uniform(seeding.derive(batch.seeds, "class"), 1).to(classes)
        image_out, seglat_out = self.decoder(
            [map_size(codes) for codes in truth],
            inputs(quantiser, image, own=config.image_sees == "current"),
            inputs(quantiser, shown, own=False),
            self.decoder.start(classes * (drops >= config.class_dropout), "semantic"),
        )
        losses = {"seglat_tokens": divergence(seglat_out, truth)}
        if config.image_weight > 0:
            losses["image_tokens"] = config.image_weight * divergence(image_out, image)
        return losses

    @torch.no_grad()
    def _shown(self, latent: Tensor, image: Codes, batch: Batch) -> tuple[Codes, Codes]:
        """Return the seglat's codes that the decoder goes on from, and those it is to predict."""
        config, quantiser = self.config.decoder, self.tokenizer.quantiser
        if not config.own_choices:
            truth = quantiser.encode(latent)
            return truth, truth
        grid = (latent.shape[2], latent.shape[3])
        draws = seeding.uniform(seeding.derive(batch.seeds, "own"), 1).to(latent)[:, 0]
        owns = draws < config.own_choices
        classes = self._classes(batch.label)
        unguided = config.model_copy(update={"guidance": 0.0})
        sampler = SeglatSampler(self.decoder, quantiser, image, classes, unguided)
        shown: list[Tensor] = []
        wanted: list[Tensor] = []
        running = torch.zeros_like(latent)
        for k, scale in enumerate(quantiser.scales(grid)):
            before = None if k == 0 else next_input(running, scale)
            wanted.append(quantiser.code(latent - running, k))
            own = likeliest(sampler.outputs(k, before), scale, self.tokenizer.continuous)
            shown.append(torch.where(owns.view(-1, *[1] * (own.ndim - 1)), own, wanted[k]))
            running = running + quantiser.contribution(shown[k], k, grid)
        return tuple(shown), tuple(wanted)

    def _latent_losses(self, batch: Batch) -> dict[str, Tensor]:
        """Stage 2: masks to seglat to codes to seglat to masks, the tokenizer frozen."""
        assert self.config.latent is not None, "the configuration has this stage with latent only"
        seglat = self.tokenizer.through(self._seglat(batch.label)).image
        scores = self._classify(seglat)
        if self.config.latent.loss == "ce":
            error = F.cross_entropy(
                scores, batch.label, ignore_index=IGNORE_INDEX, reduction="none"
            )
        else:
            truth = self.painter(batch.label).masks
            error = (scores.softmax(1) - truth).square().sum(1)
        labelled = batch.label != IGNORE_INDEX
        losses = {"masks": (error * labelled).sum() / labelled.sum().clamp(min=1)}
        if self.config.latent.colour_weight > 0:
            kept = F.mse_loss(seglat, self.painter(batch.label).colours)
            losses["colours"] = self.config.latent.colour_weight * kept
        return losses

    def _image_losses(self, batch: Batch) -> dict[str, Tensor]:
        """Stage 3: the codes of all scales from the image.

        Each scale is to code what those before left of the truth's latent, whether their
        codes were the truth's or the encoder's own likeliest.
        """
        quantiser = self.tokenizer.quantiser
        with torch.no_grad():
            latent = self.tokenizer.latent(self._seglat(batch.label))
        grid = (latent.shape[2], latent.shape[3])
        features = self.image_encoder(batch.image, quantiser.scales(grid))
        draws = seeding.uniform(seeding.derive(batch.seeds, "own"), 1).to(latent)[:, 0]
        owns = draws < self.config.image_encoder.own_choices
        outputs: list[Tensor] = []
        truth: list[Tensor] = []
        running = torch.zeros_like(latent)
        for k, scale in enumerate(quantiser.scales(grid)):
            before = None if k == 0 else next_input(running, scale)
            outputs.append(self.image_encoder.outputs(features, k, before))
            truth.append(quantiser.code(latent - running, k))
            own = likeliest(outputs[k].detach(), scale, self.tokenizer.continuous)
            chosen = torch.where(owns.view(-1, *[1] * (own.ndim - 1)), own, truth[k])
            running = running + quantiser.contribution(chosen, k, grid).detach()
        losses = {"kl": divergence(outputs, truth)}
        if self.config.decoder.classes == "present":
            present = self._classes(batch.label)
            losses["present"] = F.binary_cross_entropy_with_logits(features.present, present)
        return losses

    def _twin_losses(self, batch: Batch) -> dict[str, Tensor]:
        return {"classes": cross_entropy(self._pixel_logits(batch.image), batch.label)}

    def _pixel_logits(self, image: Tensor) -> Tensor:
        """Return the twin's class logits for padded images, float32 [B, K, H, W].

        Each position has those of its own pixels (the sub-pixel arrangement of Shi et al.,
        arXiv:1609.05158): the resolution that the tokenizer gives seglats is not withheld.
        """
        grid = (image.shape[2] // self.stride, image.shape[3] // self.stride)
        features = self.image_encoder(image, [grid])
        pixels = self.image_encoder.outputs(features, 0, None).transpose(1, 2)
        return F.pixel_shuffle(pixels.reshape(*pixels.shape[:2], *grid), self.stride)

    def _joint_losses(self, batch: Batch) -> dict[str, Tensor]:
        """Stages 1 and 3 at once."""
        return self._seglat_losses(batch) | self._image_losses(batch)

    def _classes(self, label: Tensor) -> Tensor:
        """Return what [CLS] says in training: float32 [B, K]."""
        if self.config.decoder.classes == "all":
            return torch.ones(len(label), self.data.num_classes, device=label.device)
        valid = label.where(label != IGNORE_INDEX, self.data.num_classes)
        return F.one_hot(valid, self.data.num_classes + 1).amax((1, 2))[:, :-1].float()

    def _generate(self, image: Tensor, seeds: Tensor) -> Codes:
        """Choose seglat codes scale by scale for padded images [B, 3, H, W]."""
        config, quantiser = self.config, self.tokenizer.quantiser
        grid = (image.shape[2] // self.stride, image.shape[3] // self.stride)
        scales = quantiser.scales(grid)
        classes = torch.ones(len(image), self.data.num_classes, device=image.device)
        features = self.image_encoder(image, scales) if config.looks else None
        if features is not None and config.decoder.classes == "present":
            classes = (features.present > 0).float()
        if config.control == "seglat_decoder":
            features = None
        sampler = None
        if config.generates and config.control != "image_encoder":
            image_codes = self._encode_image(image)
            sampler = SeglatSampler(self.decoder, quantiser, image_codes, classes, config.decoder)
        codes: list[Tensor] = []
        running: Tensor | None = None
        for k, scale in enumerate(scales):
            before = None if running is None else next_input(running, scale)
            experts = []
            if features is not None:
                predicted = self.image_encoder.outputs(features, k, before)
                experts.append((config.image_encoder.weight, predicted))
            if sampler is not None:
                experts.append((1.0, sampler.outputs(k, before)))
            outputs = mix(experts, self.tokenizer.continuous)
            draw = seeding.derive(seeds, "seglat", k)
            codes.append(choose(outputs, scale, draw, config.decoder, self.tokenizer.continuous))
            added = quantiser.contribution(codes[k], k, grid)
            running = added if running is None else running + added
        return tuple(codes)


def _encoder_settings(config: Config, stage: str) -> ImageEncoderSettings:
    """Return the image encoder's settings; weights that are given are not downloaded first."""
    pretrained = config.image_encoder.pretrained and stage not in config.weights
    return config.image_encoder.model_copy(update={"pretrained": pretrained})
