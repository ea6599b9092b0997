"""Settings of Seg-VAR.

Sources: P, arXiv:2511.12594; N, a published reading note of it; V, FoundationVision/VAR;
C, ControlVAR (arXiv:2406.09750). What has none is our choice and is listed in the README of
this package under "what the paper leaves open".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from bench import Augment, DataSpec, Fraction, Frozen, MethodConfig, Positive, Role, Stage, Task
from methods._nn.pretrained import repository, training_set, weights_needs
from methods._nn.settings import Void, Weight


class ColourSettings(Frozen):
    """How a label map becomes a colour map."""

    grid: Positive = 12
    """Cells along each side (N: best of those tried)."""
    levels: Literal[2, 4, 6] = 6
    """Values a channel takes: 6 give the 215 colours of the paper (N), 4 give 63, 2 give 7."""
    order: Literal["cube", "maximin"] = "cube"
    """Which colour belongs to which cell: see ``colour_map.palette``."""
    cell: Literal["centroid", "class"] = "centroid"
    """What picks a mask's cell: its centroid (N), or the number of its class."""
    masks: Literal["class", "component"] = "class"
    """Whether a class is one mask or each of its connected components is."""

    @model_validator(mode="after")
    def _palette_suffices(self) -> ColourSettings:
        if self.grid**2 > self.levels**3 - 1:
            raise ValueError(
                f"a {self.grid} x {self.grid} grid needs {self.grid**2} colours; "
                f"{self.levels} levels give {self.levels**3 - 1}"
            )
        if self.cell == "class" and self.masks == "component":
            raise ValueError("components of a class cannot all take the cell of the class")
        return self


class TokenizerSettings(Frozen):
    """The autoencoder that images and seglats share."""

    kind: Literal["var", "vqgan", "dvae", "kl"] = "var"
    """Residual codes at several scales; one code a position; the same trained by a Gumbel
    relaxation; or a Gaussian latent without codes. The last three have one scale."""
    autoencoder: Literal["var", "conv"] = "var"
    """VAR's autoencoder, or strided convolutions with residual blocks at the last stride."""
    width: Positive = 160
    multipliers: tuple[Positive, ...] = (1, 1, 2, 2, 4)
    """Channels of each level over ``width``; of ``conv``, every level halves the map."""
    blocks: Positive = 2
    num_codes: Positive = 4096
    latent_channels: Positive = 32
    sides: tuple[Positive, ...] = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16)
    """Of the code maps, coarse to fine, relative to the last, which is the latent's."""
    smoothings: Positive = 4
    ratio: Fraction = 0.5
    commitment: Weight = 0.25
    restart_below: Fraction = 0.0
    """Codes used less than this fraction of the average are restarted; 0: never."""
    image_weight: Weight = 1.0
    """Of the image's reconstruction beside the seglat's, when trained from scratch."""
    class_weight: Weight = 0.0
    """Of the cross-entropy between the labels and the closeness of a reconstructed seglat's
    colours to those of the classes, when trained from scratch with a cell per class."""


class DecoderSettings(Frozen):
    """The next-scale transformer over image and seglat tokens (V, C)."""

    width: Positive = 1024
    depth: Positive = 16
    heads: Positive = 16
    dropout: Fraction = 0.0
    image_sees: Literal["previous", "current"] = "previous"
    """What a scale sees of the image: its codes of the scales before (C), so that image
    codes can be predicted too; or those of the scale itself as well."""
    image_weight: Weight = 1.0
    """Of the image tokens' cross-entropy beside the seglat tokens' (C: jointly)."""
    classes: Literal["all", "present"] = "all"
    """What [CLS] says: all classes of the data, or those in the image, which the image
    encoder has to tell when predicting."""
    own_choices: Fraction = 0.0
    """How often, in training, the scales of an image's seglat go on from codes that the decoder
    chose itself; as the image encoder's ``own_choices``."""
    class_dropout: Fraction = 0.0
    """How often [CLS] is dropped in training, as guidance needs."""
    guidance: Weight = 0.0
    """Classifier-free guidance of the last scale; grows linearly from 0 at the first (V)."""
    decoding: Literal["argmax", "sample"] = "sample"
    top_k: Positive = 900
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.96

    @model_validator(mode="after")
    def _image_is_predicted_unseen(self) -> DecoderSettings:
        if self.image_sees == "current" and self.image_weight > 0:
            raise ValueError("image_sees: current shows what image_weight asks for; set it to 0")
        return self


class LatentSettings(Frozen):
    """The latent encoder and decoder between masks and seglats."""

    width: Positive = 256
    depth: Positive = 2
    heads: Positive = 8
    patch: Positive = 16
    loss: Literal["l2", "ce"] = "l2"
    """Between decoded and true masks: squared distance (N: a norm), or cross-entropy."""
    colour_weight: Weight = 0.0
    """Of the decoded seglat's squared distance from the colour map, in stage 2. Above 0 it keeps
    the colours by which instances are told apart; classes alone do not need them."""


class ImageEncoderSettings(Frozen):
    """The image encoder: a backbone, and a transformer over all its levels."""

    backbone: str = "swin_large_patch4_window12_384"
    """A timm model that gives feature levels, or ``small``."""
    pretrained: bool = True
    widths: tuple[Positive, ...] = (32, 64, 96, 128)
    """Of ``small``: channels at strides 2, 4, 8, ..."""
    width: Positive = 256
    depth: Positive = 6
    heads: Positive = 8
    attention_stride: Positive = 16
    """Of the finest level whose positions are tokens of the transformer."""
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    """Of ImageNet, as timm's weights expect; the mean is subtracted from images."""
    sees: Literal["image", "scales"] = "image"
    """What it predicts a scale from: the image (N), or the codes of the scales before too."""
    own_choices: Fraction = 0.0
    """How often, in training, an image's scales go on from the codes that the encoder chose
    itself, those after then being what is left to code (Han et al., arXiv:2412.04431,
    section 3.4, for random errors); otherwise from the truth's. Needs ``sees: scales``."""
    weight: Weight = 1.0
    """Of its log-probabilities beside the seglat decoder's when codes are chosen."""

    @model_validator(mode="after")
    def _choices_are_seen(self) -> ImageEncoderSettings:
        if self.own_choices > 0 and self.sees == "image":
            raise ValueError("own_choices needs sees: scales; nothing else shows what was chosen")
        return self


class Config(MethodConfig):
    """Seg-VAR and its ablations. A stage set to null is left out."""

    version: ClassVar[int] = 1
    tasks: ClassVar[tuple[Task, ...]] = ("predict", "reconstruct")
    family: ClassVar[Literal["generative"]] = "generative"
    controls: ClassVar[Mapping[str, str]] = {
        "twin": "twin",
        "image_encoder": "image encoder alone",
        "seglat_decoder": "decoder alone",
    }
    citation: ClassVar[str] = """\
@article{zheng2025segvar,
  title = {{Seg-VAR}: Image Segmentation with Visual Autoregressive Modeling},
  author = {Zheng, Rongkun and Qi, Lu and Chen, Xi and Wang, Yi and Wang, Kun and Zhao, Hengshuang},
  journal = {arXiv preprint arXiv:2511.12594},
  year = {2025}
}"""

    control: Literal["", "twin", "image_encoder", "seglat_decoder"] = ""
    """What stands beside the method to tell what its parts add. ``twin``: the image encoder with
    logits of pixels in place of codes, trained like stage 3 by cross-entropy.
    ``image_encoder``, ``seglat_decoder``: codes chosen by one of the two alone, of the very
    same training."""
    colours: ColourSettings = ColourSettings()
    void: Void = "paint"
    """Whether ignored pixels are painted black like the background (N), or take a label from
    their surroundings."""
    tokenizer: TokenizerSettings = TokenizerSettings()
    decoder: DecoderSettings = DecoderSettings()
    latent: LatentSettings | None = LatentSettings()
    """Null: vanilla VAR, whose colours are decoded by nearest colour."""
    image_encoder: ImageEncoderSettings = ImageEncoderSettings()
    train_tokenizer: Stage
    """Trains the tokenizer, unless ``weights`` has VAR's for it."""
    train_seglat: Stage | None
    """Stage 1. Null: codes are predicted by the image encoder alone."""
    train_latent: Stage | None
    """Stage 2. Null exactly when ``latent`` is."""
    train_image: Stage | None
    """Stage 3. Null: codes are predicted by the seglat decoder alone."""
    latent_first: bool = False
    """Stage 2 before stage 1: the decoder then learns the codes of the seglats that it will be
    asked for. In the paper's order stage 2 changes them after the decoder has learned them."""
    joint: bool = False
    """Stages 1 and 3 as one, for as long and on the images of stage 3."""

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        if (self.latent is None) != (self.train_latent is None):
            raise ValueError("latent and train_latent must be both given or both null")
        if self.latent is None and self.colours.cell == "centroid":
            raise ValueError(
                "without a latent decoder nothing tells which class a centroid's colour stands "
                "for; set colours.cell to class"
            )
        if not (self.train_seglat or self.train_image):
            raise ValueError("one of train_seglat and train_image must be given")
        if self.tokenizer.class_weight and self.colours.cell == "centroid":
            raise ValueError("tokenizer.class_weight needs colours.cell: class")
        if self.joint and not (self.train_seglat and self.train_image):
            raise ValueError("joint makes one of train_seglat and train_image; give both")
        if self.decoder.classes == "present" and not self.train_image:
            raise ValueError("decoder.classes: present needs the image encoder to tell which")
        return self

    @model_validator(mode="after")
    def _part_is_there(self) -> Config:
        if self.control and not self.train_image:
            raise ValueError(f"control: {self.control} needs the image encoder's stage")
        if self.control in ("image_encoder", "seglat_decoder") and not self.train_seglat:
            raise ValueError(f"control: {self.control} is a part of both; give train_seglat")
        return self

    @property
    def role(self) -> Role:
        """Controls do not repeat the codec; the twin classifies pixels."""
        if self.control:
            twin = self.control == "twin"
            return Role(("predict",), "discriminative" if twin else "generative", control=True)
        return super().role

    def needs(self, folder: str = "") -> tuple[tuple[str, str], ...]:
        settings = self.image_encoder
        if not settings.pretrained or {"image", "joint", "twin"} & set(self.weights):
            return ()
        return weights_needs(repository(settings.backbone), "image_encoder.pretrained: false")

    def pretraining(self, stage: str) -> str:
        settings = self.image_encoder
        if stage not in ("image", "joint", "twin") or not settings.pretrained:
            return "random"
        return training_set(settings.backbone)

    @property
    def whole(self) -> Config:
        """The method itself, of a control that is a part of it."""
        is_part = self.control in ("image_encoder", "seglat_decoder")
        return self.model_copy(update={"control": ""}) if is_part else self

    @property
    def gives_probabilities(self) -> bool:
        """With latent learning; vanilla VAR takes the nearest colour. The twin has them."""
        return self.latent is not None or self.control == "twin"

    @property
    def generates(self) -> bool:
        """Whether the seglat decoder takes part in prediction."""
        return self.train_seglat is not None

    @property
    def looks(self) -> bool:
        """Whether the image encoder takes part in prediction."""
        return self.train_image is not None

    def stages(self, data: DataSpec) -> tuple[Stage, ...]:
        """Return the stages in order: the paper's or ``latent_first``, a joint one last."""
        if self.control == "twin":
            assert self.train_image is not None, "validated"
            twin = {"name": "twin", "modules": ("image_encoder",), "tasks": ("predict",)}
            return (self.train_image.model_copy(update=twin),)
        given = [
            self.train_tokenizer,
            None if self.joint else self.train_seglat,
            self.train_latent,
            self.train_image,
        ]
        if self.latent_first:
            given[1], given[2] = given[2], given[1]
        if self.joint and self.train_image:
            both = {"name": "joint", "modules": ("decoder", "image_encoder")}
            given[-1] = self.train_image.model_copy(update=both)
        return tuple(stage for stage in given if stage is not None)

    def depends_on(self, stage: str) -> Mapping[str, Any]:
        """Return what a stage's weights depend on.

        So decodings share all training, and ablations the stages before they differ.
        """
        given = set(_OF_STAGE[stage])
        if stage == "seglat" and self.latent_first:
            given |= {"latent"}
        settings = self.model_dump(mode="json", include=given)
        for part, names in (("decoder", _OF_DECODING), ("image_encoder", ("weight",))):
            for name in names if part in settings else ():
                del settings[part][name]
        return settings


_OF_THE_TOKENIZER = {"colours", "void", "tokenizer"}
_OF_STAGE: Mapping[str, set[str]] = {
    "tokenizer": _OF_THE_TOKENIZER,
    "seglat": _OF_THE_TOKENIZER | {"decoder"},
    "latent": _OF_THE_TOKENIZER | {"latent"},
    "image": _OF_THE_TOKENIZER | {"latent", "image_encoder", "decoder"},
    "twin": {"tokenizer", "image_encoder"},
    "joint": _OF_THE_TOKENIZER | {"latent", "image_encoder", "decoder"},
}
"""Settings behind the weights of a stage, those of the stages before it included."""
_OF_DECODING = ("guidance", "decoding", "top_k", "top_p")
"""Settings of the decoder that no training knows."""


def _paper_stage(name: str, *modules: str) -> Stage:
    """Make a stage as published, as far as it is.

    N: AdamW, 1e-4, weight decay 0.05, jitter of 0.1 to 2.0 (trap T13). Steps and batch sizes
    are not known; 90k at 16 is Mask2Former's schedule for Cityscapes, whose augmentation the
    paper takes.
    """
    return Stage(
        name=name,
        modules=modules,
        steps=90_000,
        batch_size=16,
        lr=1e-4,
        weight_decay=0.05,
        augment=Augment(scale=(0.1, 2.0)),
    )


PAPER = Config(
    # Seg-VAR takes VAR's tokenizer: `weights convert seg_var vae_ch160v4096z32.pth`. Trained
    # here instead, it has the schedule of the stages after it.
    train_tokenizer=_paper_stage("tokenizer", "tokenizer"),
    train_seglat=_paper_stage("seglat", "decoder"),
    train_latent=_paper_stage("latent", "latent_encoder", "latent_decoder"),
    train_image=_paper_stage("image", "image_encoder"),
)

TINY = Config(
    colours=ColourSettings(order="maximin", cell="class"),
    void="fill",
    tokenizer=TokenizerSettings(
        autoencoder="conv",
        width=32,
        multipliers=(1, 2, 3),
        blocks=2,
        num_codes=256,
        latent_channels=16,
        sides=(1, 2, 4),
        restart_below=0.05,
        image_weight=0.1,
    ),
    decoder=DecoderSettings(
        width=64, depth=2, heads=2, image_sees="current", image_weight=0.0, decoding="argmax"
    ),
    latent=LatentSettings(width=64, depth=1, heads=4, patch=8, loss="ce"),
    image_encoder=ImageEncoderSettings(
        backbone="resnet10t",
        pretrained=False,
        width=96,
        depth=1,
        heads=3,
        sees="scales",
        own_choices=1.0,
        weight=3.0,
    ),
    train_tokenizer=Stage(
        name="tokenizer",
        modules=("tokenizer",),
        steps=300,
        lr=3e-3,
        weight_decay=0.0,
        warmup_steps=10,
    ),
    train_seglat=Stage(name="seglat", modules=("decoder",), steps=100, lr=2e-3, warmup_steps=20),
    train_latent=Stage(
        name="latent", modules=("latent_encoder", "latent_decoder"), steps=80, lr=2e-3
    ),
    train_image=Stage(
        name="image",
        modules=("image_encoder",),
        steps=300,
        lr=2e-3,
        warmup_steps=20,
        augment=Augment(scale=(0.75, 1.5), colour=0.2),
    ),
)

PRESETS = {"tiny": TINY, "paper": PAPER}
