"""What timm's weights were trained on, by the tag that timm has for them."""

from __future__ import annotations

from bench import ensure_torchvision

LARGE = ("in21k", "in22k", "in12k")
"""In tags of weights that saw more than ImageNet-1k, whatever they were tuned on after it."""


def training_set(model: str) -> str:
    """Return the data of the weights that timm gives a model by its name, tag included.

    Returns:
        ``imagenet-22k`` for all of ImageNet, which releases of it have as 21k or 22k classes,
        ``imagenet-1k``, or timm's own tag for anything else.

    Raises:
        ValueError: if timm has no weights of that name.
    """
    ensure_torchvision()
    import timm

    settings = timm.get_pretrained_cfg(model, allow_unregistered=True)
    if settings is None:
        raise ValueError(f"timm has no weights of {model!r}")
    tag = str(settings.tag)
    if any(name in tag for name in LARGE):
        return "imagenet-22k"
    return "imagenet-1k" if "in1k" in tag else tag
