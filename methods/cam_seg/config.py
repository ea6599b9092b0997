"""Settings of CAM-Seg, and the sizes it is known by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from bench import Augment, DataSpec, Fraction, Frozen, MethodConfig, Positive, Role, Stage, Task
from methods._nn.settings import AboveZero, Void, Weight

Posterior = Literal["sample", "mode"]


class KLAutoencoderSettings(Frozen):
    """The KL autoencoder and its losses; the defaults are the released kl-f16.

    CompVis/latent-diffusion configs/autoencoder/autoencoder_kl_16x16x16.yaml.
    """

    width: Positive = 128
    multipliers: tuple[Positive, ...] = (1, 1, 2, 2, 4)
    blocks: Positive = 2
    latent_channels: Positive = 16
    attention_levels: tuple[int, ...] = (4,)
    groups: Positive = 32
    patch: Positive = 1
    """Side of the squares of pixels folded into channels; the release has none."""
    kl_weight: Weight = 1e-6
    """Of the divergence, summed over the latent, beside the error summed over pixels."""
    label_weight: Weight = 0.0
    """Of the cross-entropy between the decoded maskige's nearest colours and the label,
    summed over pixels; ours, for autoencoders trained on label maps."""
    perceptual_weight: Weight = 0.0
    """Of the feature distance; the release has 1 with LPIPS."""
    perceptual_backbone: str = "vgg16"
    """timm model, pretrained, whose features the perceptual term compares."""
    adversarial_weight: Weight = 0.0
    """Of the patch discriminator; the release has 0.5 from step 50,001 on."""

    @property
    def stride(self) -> int:
        """Pixels of a latent's side."""
        return int(self.patch * 2 ** (len(self.multipliers) - 1))


class StackSettings(Frozen):
    """One half of the transformer."""

    width: Positive
    depth: Positive
    heads: Positive

    @model_validator(mode="after")
    def _heads_divide_width(self) -> StackSettings:
        if self.width % self.heads:
            raise ValueError(f"{self.heads} heads do not divide a width of {self.width}")
        return self


class ShortcutSettings(Frozen):
    """What lets a small transformer learn in few steps; the release has none of it."""

    stem_blocks: Annotated[int, Field(ge=0)] = 0
    """Residual blocks of 3x3 convolutions over the image's latents: neighbourhoods are
    built in, which attention would have to learn."""
    stem_width: Positive = 64
    aligned: bool = False
    """Add to each mask token in the decoder the image's token of the same place, which
    attention would have to learn to look up."""


class DiffusionHeadSettings(Frozen):
    """The diffusion head; the defaults are the released ones."""

    width: Positive = 1024
    depth: Positive = 6
    repeats: Positive = 4
    """Noise levels drawn for each token and step (``diffusion_batch_mul``)."""
    target: Literal["noise", "velocity"] = "noise"
    """What the network estimates: the noise, as released, or the velocity
    (arXiv:2202.00512), which where noise is strong is the clean token: a small model
    learns from its first steps on what the condition says, not to copy its input."""
    variational_weight: Weight = 1.0
    """Of the variational term, which trains the variance only; ``ancestral`` uses that."""


class InferenceSettings(Frozen):
    """How a mask is drawn; the defaults are the released notebook's."""

    mode: Literal["one_shot", "autoregressive"] = "one_shot"
    """All mask tokens from one pass, or in ``iterations`` passes of MAR's schedule."""
    iterations: Positive = 64
    """Passes of ``autoregressive``; MAR's own number (LTH14/mar main_mar.py)."""
    sampler: Literal["ancestral", "ddim", "dpm_solver"] = "ancestral"
    steps: Annotated[int, Field(ge=2, le=1000)] = 100
    """Diffusion steps; two at least, to span the schedule."""
    temperature: Annotated[float, Field(ge=0)] = 1.0
    """Factor of the noise: of every ancestral step, or of the start of the others."""
    clip: AboveZero | None = None
    """Bound of the clean tokens implied at each step, in normalised units. The released
    sampler has none, and needs many steps for it: at the first one the estimate is off by
    20,000 times the network's error."""
    posterior: Posterior = "sample"
    """What of the image's posterior the mask is drawn from."""
    samples: Positive = 1
    """Masks drawn for each image."""
    aggregate: Literal["first", "vote", "entropy"] = "first"
    """Of several samples: the first; the majority of each pixel; or, for each image, the
    one whose decoded colours are the least ambiguous (lowest mean entropy)."""


class Config(MethodConfig):
    """CAM-Seg at one size."""

    version: ClassVar[int] = 1
    tasks: ClassVar[tuple[Task, ...]] = ("predict", "reconstruct")
    family: ClassVar[Literal["generative"]] = "generative"
    controls: ClassVar[Mapping[str, str]] = {"twin": "twin", "temperature_zero": "temperature 0"}
    citation: ClassVar[str] = """\
@article{ahmed2025camseg,
  title = {{CAM-Seg}: A Continuous-valued Embedding Approach for Semantic Image Generation},
  author = {Ahmed, Masud and Hasan, Zahid and Haque, Syed Arefinul and Faridee, Abu Zaher Md and
    Purushotham, Sanjay and You, Suya and Roy, Nirmalya},
  journal = {arXiv preprint arXiv:2503.15617},
  year = {2025}
}"""

    control: Literal["", "twin", "temperature_zero"] = ""
    """What stands beside the method to tell what drawing latents adds. ``twin``: the
    transformer over the image's latents with logits of pixels in place of the diffusion head,
    trained like the prior. ``temperature_zero``: the method itself with no noise in its
    draws."""
    colouring: Literal["released", "dataset", "maximin"] = "maximin"
    """Colours of the maskige: CAM-Seg's 19 of Cityscapes, with its own sky; the dataset's;
    or colours as far apart as possible."""
    void: Void = "paint"
    """Whether ignored pixels are black, trained as a class and predicted as void, as
    released; or take a label from their surroundings, and void is never predicted."""
    square: bool = False
    """Refuse images that are not square, as the released weights see them."""
    autoencoder: KLAutoencoderSettings = KLAutoencoderSettings()
    posterior: Posterior = "sample"
    """What of the autoencoder's posteriors the prior is trained on."""
    latent_scale: AboveZero | None = None
    """Factor of all latents; absent, mean and deviation are measured per channel."""
    patch: Positive = 1
    """Side of the squares of latents that make a token."""
    encoder: StackSettings
    decoder: StackSettings
    mlp_ratio: AboveZero = 4.0
    dropout: Fraction = 0.1
    augmentation_pool: bool = False
    """Train the prior with the released pool of augmentations, which has the paper's
    corruptions in it; the released script leaves it off."""
    min_hidden_share: Fraction = 0.7
    """Least share of hidden mask tokens in training."""
    shortcuts: ShortcutSettings = ShortcutSettings()
    head: DiffusionHeadSettings = DiffusionHeadSettings()
    inference: InferenceSettings = InferenceSettings()
    train_autoencoder: Stage
    train_prior: Stage

    @property
    def role(self) -> Role:
        """Controls do not repeat the codec; the twin classifies pixels."""
        if self.control:
            twin = self.control == "twin"
            return Role(("predict",), "discriminative" if twin else "generative", control=True)
        return super().role

    @property
    def whole(self) -> Config:
        """The method itself, of a control that is a part of it."""
        is_part = self.control == "temperature_zero"
        return self.model_copy(update={"control": ""}) if is_part else self

    @property
    def gives_probabilities(self) -> bool:
        """The twin alone has them."""
        return self.control == "twin"

    @property
    def drawing(self) -> InferenceSettings:
        """How masks are drawn."""
        if self.control == "temperature_zero":
            return self.inference.model_copy(update={"temperature": 0.0})
        return self.inference

    def stages(self, data: DataSpec) -> tuple[Stage, ...]:
        """Return autoencoder, statistics of its latents if they are measured, and prior.

        The twin's last stage has the prior's settings.
        """
        measure = Stage(name="statistics", modules=("image_scale", "mask_scale"), steps=0)
        measured = () if self.latent_scale else (measure,)
        first = self.train_autoencoder
        if self.autoencoder.adversarial_weight:
            first = first.model_copy(update={"modules": (*first.modules, "adversary")})
        last = self.train_prior
        if self.control == "twin":
            twin = {"name": "twin", "modules": ("transformer", "classifier")}
            last = last.model_copy(update={**twin, "tasks": ("predict",)})
        return (first, *measured, last)

    def depends_on(self, stage: str) -> Mapping[str, Any]:
        """Return what a stage's weights depend on.

        So all ways of drawing share their training, and all priors an autoencoder.
        """
        fields = set(type(self).model_fields)
        prior = fields - {"control", "inference", "weights", "train_autoencoder", "train_prior"}
        return self.model_dump(mode="json", include=set(_OF_STAGE.get(stage, prior)))


_OF_THE_AUTOENCODER = frozenset({"colouring", "void", "autoencoder"})
_OF_STAGE = {
    "autoencoder": _OF_THE_AUTOENCODER,
    "statistics": _OF_THE_AUTOENCODER | {"posterior"},
}
"""Settings behind a stage's weights, beside those of the stages before it; the prior's are
all but those of drawing."""


def _tiny() -> Config:
    """About eight minutes on two CPU cores, at 96 x 192.

    Beside its sizes it differs from the release in what learns slowly: tokens are of 2 x 2
    latents; the transformer has its shortcuts, and the head estimates velocities; noise
    levels of the sampler are few and its start is shrunk towards the mean. The
    autoencoder is trained on label maps, and latents are the posteriors' modes.
    """
    augment = Augment(scale=(1.0, 1.3))
    return Config(
        void="fill",
        posterior="mode",
        autoencoder=KLAutoencoderSettings(
            width=32,
            multipliers=(1, 2),
            blocks=1,
            latent_channels=8,
            attention_levels=(),
            groups=8,
            patch=4,
            kl_weight=1e-4,
            label_weight=0.2,
        ),
        patch=2,
        encoder=StackSettings(width=192, depth=1, heads=6),
        decoder=StackSettings(width=192, depth=3, heads=6),
        dropout=0.0,
        shortcuts=ShortcutSettings(stem_blocks=2, stem_width=64, aligned=True),
        head=DiffusionHeadSettings(width=192, depth=3, target="velocity", variational_weight=0.0),
        inference=InferenceSettings(
            iterations=4,
            sampler="ddim",
            steps=10,
            temperature=0.5,
            clip=3.0,
            posterior="mode",
        ),
        train_autoencoder=Stage(
            name="autoencoder",
            modules=("autoencoder",),
            steps=500,
            batch_size=12,
            lr=2e-3,
            weight_decay=0.0,
            warmup_steps=20,
            schedule="cosine",
            augment=augment,
        ),
        train_prior=Stage(
            name="prior",
            modules=("transformer", "head"),
            steps=800,
            batch_size=16,
            lr=1e-3,
            weight_decay=0.05,
            betas=(0.9, 0.95),
            warmup_steps=30,
            schedule="cosine",
            ema=0.99,
            augment=augment,
        ),
    )


IMAGES_PER_EPOCH = 2975
"""Cityscapes' training set."""
BATCH = 8
"""2 images on each of 4 GPUs (mahmed10/CAMSS train.py)."""
EPOCH = IMAGES_PER_EPOCH // BATCH


def _released(stack: StackSettings) -> Config:
    """Return the released hyperparameters around a transformer of MAR's sizes.

    mahmed10/CAMSS train.py, models/mar.py, models/diffloss.py, data/base_dataset.py and
    validation.ipynb. Two things differ: weight decay spares vectors only, not the whole
    head; and ``ema=None`` keeps the raw weights, which the notebook evaluates.
    """
    return Config(
        colouring="released",
        square=True,
        latent_scale=0.2325,
        encoder=stack,
        decoder=stack,
        train_autoencoder=Stage(
            name="autoencoder",
            modules=("autoencoder",),
            steps=442_998,  # CompVis/latent-diffusion README, model zoo
            batch_size=12,
            lr=5.4e-5,  # 4.5e-6 an image
            betas=(0.5, 0.9),
            weight_decay=0.0,
            schedule="constant",
            grad_clip=None,
            augment=Augment(flip=False),
        ),
        train_prior=Stage(
            name="prior",
            modules=("transformer", "head"),
            steps=2000 * EPOCH,
            batch_size=BATCH,
            lr=1e-4,
            weight_decay=0.02,
            betas=(0.9, 0.95),
            warmup_steps=100 * EPOCH,
            schedule="constant",
            grad_clip=3.0,
            augment=Augment(flip=False),  # the released script reads the set without any
        ),
    )


PRESETS = {
    "tiny": _tiny(),
    "paper": _released(StackSettings(width=768, depth=12, heads=12)),
    "mar_large": _released(StackSettings(width=1024, depth=16, heads=16)),
    "mar_huge": _released(StackSettings(width=1280, depth=20, heads=16)),
}
