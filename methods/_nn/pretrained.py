"""Encoders pretrained on ImageNet: where their weights are, and what they were trained on."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import WeightsError, ensure_torchvision
from methods._nn.hub import hub_answers

if TYPE_CHECKING:
    from torch import Tensor, nn

LARGE = ("in21k", "in22k", "in12k")
"""In tags of weights that saw more than ImageNet-1k, whatever they were tuned on after it."""
FILES = ("model.safetensors", "pytorch_model.bin")
"""Of a Hub repository's weights; the first that it has."""
CONTENT = "backbone_weights"
"""What keys call the digest of such a file (``MethodConfig.files``)."""


def training_set(model: str) -> str:
    """Return the data of the weights that timm gives a model by its name, tag included.

    Returns:
        ``imagenet-22k`` for all of ImageNet, which releases of it have as 21k or 22k classes,
        ``imagenet-1k``, or timm's own tag for anything else.

    Raises:
        ValueError: if timm has no weights of that name.
    """
    tag = str(_settings(model).tag)
    if any(name in tag for name in LARGE):
        return "imagenet-22k"
    return "imagenet-1k" if "in1k" in tag else tag


def repository(model: str) -> str:
    """Return the Hub repository of the weights that timm gives a model by its name.

    Raises:
        ValueError: if timm has no weights of that name.
    """
    return str(_settings(model).hf_hub_id)


def _settings(model: str) -> Any:
    ensure_torchvision()
    import timm

    settings = timm.get_pretrained_cfg(model, allow_unregistered=True)
    if settings is None:
        raise ValueError(f"timm has no weights of {model!r}")
    return settings


@cache
def find(source: str) -> Path | None:
    """Return the file of an encoder's weights: in a folder, in the Hub's cache, or fetched.

    Args:
        source: a folder, or a repository of the Hub.
    """
    if Path(source).expanduser().is_dir():
        files = (Path(source).expanduser() / name for name in FILES)
        return next((path for path in files if path.is_file()), None)
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    for cached in (True, False) if hub_answers() else (True,):
        for name in FILES:
            try:
                return Path(hf_hub_download(source, name, local_files_only=cached))
            except (OSError, ValueError, HfHubHTTPError):
                continue  # with the next way
    return None


def weights_needs(source: str, instead: str) -> tuple[tuple[str, str], ...]:
    """Return an encoder's weights as what a method needs, if they are not here.

    Args:
        source: as of :func:`find`.
        instead: the setting that starts from drawn weights.
    """
    if find(source) is not None:
        return ()
    from huggingface_hub import constants

    remedy = (
        f"{source}: no weights in the Hub's cache {constants.HF_HUB_CACHE}, and the Hub cannot be "
        f"reached; fetch them with `hf download {source}` where there is a network, or set "
        f"{instead} to start from drawn weights, which no published number does"
    )
    return ((f"ImageNet weights {source}", remedy),)


def weights_content(source: str) -> dict[str, tuple[Path, ...]]:
    """Return the file of an encoder's weights as what results depend on."""
    path = find(source)
    return {} if path is None else {CONTENT: (path,)}


def load_part(module: nn.Module, path: Path, prefix: str = "") -> None:
    """Load a part of a network from a file that may hold more, such as a classifier.

    Args:
        module: the part.
        path: of weights, in safetensors or in PyTorch's format, of which no code is run.
        prefix: of the part's names in the file.

    Raises:
        WeightsError: if the file cannot be read or is of another network.
    """
    tensors = {
        n.removeprefix(prefix): x for n, x in read_weights(path).items() if n.startswith(prefix)
    }
    places = module.state_dict()
    wrong = [k for k, x in places.items() if k not in tensors or tensors[k].shape != x.shape]
    if wrong:
        raise WeightsError(f"{path}: not of this backbone; it lacks {', '.join(wrong[:3])}")
    module.load_state_dict({name: tensors[name] for name in places})


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a file's tensors by name; no code in it is run.

    Raises:
        WeightsError: if it cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from bench import read_tensors

    if path.suffix != ".safetensors":
        return dict(read_tensors(path))
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path}: not a readable safetensors file ({error})") from error
