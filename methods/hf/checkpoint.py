"""A checkpoint's files: where they are, and what they say, without loading any weights."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from bench import WeightsError
from methods._nn.hub import hub_answers

SEMANTIC = ("segformer", "upernet", "beit", "dpt")
"""Families with logits per pixel, by transformers' ``model_type``."""
MASKS = ("maskformer", "mask2former", "oneformer", "eomt")
"""Families that classify masks (Cheng et al., arXiv:2107.06278)."""
CONFIG = "config.json"
WEIGHTS = "model.safetensors"
WEIGHTS_INDEX = "model.safetensors.index.json"
PICKLED = "pytorch_model.bin"
PROCESSORS = ("preprocessor_config.json", "processor_config.json")
TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
)
"""Of OneFormer, whose task is a text."""
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


def check_family(config: Mapping[str, Any], source: str) -> str:
    """Return the family of a configuration of transformers.

    Raises:
        WeightsError: if it is none of those known here, naming the source.
    """
    family = str(config.get("model_type", ""))
    if family not in SEMANTIC + MASKS:
        known = ", ".join(SEMANTIC + MASKS)
        raise WeightsError(f"{source}: unknown family {family!r}; known are {known}")
    return family


class Missing(NamedTuple):
    """A checkpoint that is not here: what, and how it gets here."""

    what: str
    remedy: str


class Checkpoint:
    """A folder in the format of ``save_pretrained``.

    Raises:
        WeightsError: if a file is missing or says nothing that could be used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config: Mapping[str, Any] = self._json(CONFIG)
        self.family = check_family(self.config, str(folder / CONFIG))
        if not any((folder / name).is_file() for name in PROCESSORS):
            raise WeightsError(
                f"{folder / PROCESSORS[0]}: no such file; a checkpoint needs its processor's "
                "settings, which `save_pretrained` of the processor writes"
            )
        self.weights = tuple(self._weights())

    @property
    def pickled(self) -> bool:
        """Whether the weights are in PyTorch's own format and not in safetensors."""
        return self.weights[0].name == PICKLED

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that predictions depend on."""
        names = (CONFIG, WEIGHTS_INDEX, *PROCESSORS, *TOKENIZER)
        found = (self.folder / name for name in names)
        return (*(path for path in found if path.is_file()), *self.weights)

    @property
    def segments(self) -> bool:
        """Whether it was made for segmentation: an encoder alone has no head."""
        names = self.config.get("architectures") or ()
        return any(str(name).endswith("Segmentation") for name in names)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the outputs."""
        labels = self.config.get("id2label")
        if not isinstance(labels, Mapping):
            # Left out where they are transformers' defaults.
            return tuple(f"LABEL_{k}" for k in range(int(self.config.get("num_labels", 2))))
        return tuple(str(labels[key]) for key in sorted(labels, key=int))

    def _weights(self) -> Iterator[Path]:
        if (self.folder / WEIGHTS).is_file():
            yield self.folder / WEIGHTS
        elif (self.folder / WEIGHTS_INDEX).is_file():
            shards = sorted(set(self._json(WEIGHTS_INDEX)["weight_map"].values()))
            for name in shards:
                if not (self.folder / name).is_file():
                    raise WeightsError(
                        f"{self.folder / name}: no such file, but {WEIGHTS_INDEX} beside it has it"
                    )
                yield self.folder / name
        elif (self.folder / PICKLED).is_file():
            yield self.folder / PICKLED
        else:
            raise WeightsError(f"{self.folder}: has neither {WEIGHTS} nor {PICKLED}")

    def _json(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        try:
            content = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise WeightsError(
                f"{path}: no such file; `save_pretrained` of the model writes it"
            ) from None
        except ValueError as error:
            raise WeightsError(f"{path}: not readable as JSON ({error})") from error
        if not isinstance(content, dict):
            raise WeightsError(f"{path}: holds no JSON object")
        return content


def locate(model: str, revision: str) -> Path | Missing:
    """Find a checkpoint's folder: as it is named, in the Hub's cache, or on the Hub.

    Args:
        model: a folder, or a name on the Hub such as ``nvidia/mit-b0``.
        revision: of the Hub's repository; empty: its main branch.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    if not _HUB_NAME.fullmatch(model) or model.startswith("."):
        remedy = f"{model}: no such folder; give one that `save_pretrained` wrote, or a Hub name"
        return Missing(f"checkpoint {model}", remedy)
    return _from_hub(model, revision)


@cache
def _from_hub(name: str, revision: str) -> Path | Missing:
    """Return the Hub's files in its cache; what is not there yet is fetched if possible."""
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    settings = (CONFIG, *PROCESSORS, *TOKENIZER)
    for cached in (True, False) if hub_answers() else (True,):
        for weights in (("*.safetensors", WEIGHTS_INDEX), (PICKLED,)):
            try:
                folder = snapshot_download(
                    name,
                    revision=revision or None,
                    allow_patterns=[*settings, *weights],
                    local_files_only=cached,
                )
            except (OSError, HfHubHTTPError):
                break  # of this way
            if any(any(Path(folder).glob(pattern)) for pattern in weights):
                return Path(folder)
    remedy = (
        f"{name}: no {CONFIG} with weights in the Hub's cache {constants.HF_HUB_CACHE}, and the "
        f"Hub cannot be reached; fetch it with `hf download {name}` where there is a network, or "
        "give a folder with its files as `model`"
    )
    return Missing(f"checkpoint {name}", remedy)


def class_order(
    found: Sequence[str], wanted: Sequence[str], names: Mapping[str, str] | str, source: str
) -> tuple[int, ...]:
    """Return the output of a checkpoint that is each class of the data.

    Args:
        found: classes of the checkpoint, in the order of its outputs.
        wanted: classes of the data.
        names: the data's name for classes of the checkpoint that are called otherwise; or
            ``in_order`` if the outputs are the data's classes whatever they are called. Upper
            case, underscores and spaces at the ends make no difference.
        source: what errors call the checkpoint.

    Raises:
        WeightsError: if the classes are not the same, naming one of which that is so.
    """
    if len(found) != len(wanted):
        raise WeightsError(f"{source}: has {len(found)} classes; the data have {len(wanted)}")
    if isinstance(names, str):
        return tuple(range(len(found)))
    if unknown := [name for name in names if name not in found]:
        some = f"its classes are {', '.join(found[:5])} and so on"
        raise WeightsError(f"{source}: has no class {unknown[0]!r} to be renamed; {some}")
    places = {_plain(names.get(name, name)): k for k, name in enumerate(found)}
    for name in wanted:
        if _plain(name) not in places:
            left = [
                other
                for other in found
                if _plain(names.get(other, other)) not in {_plain(each) for each in wanted}
            ]
            raise WeightsError(
                f"{source}: no class of it is the data's {name!r} (without match: "
                f"{', '.join(left[:5])}); say which with classes: {{THEIRS: {name}}}, or "
                "classes: in_order"
            )
    return tuple(places[_plain(name)] for name in wanted)


def _plain(name: str) -> str:
    return name.strip().casefold().replace("_", " ")
