"""Tensors out of foreign PyTorch files, without running anything that is in them.

``torch.load`` executes what a file's pickle says. Here no class or function that a file
names is ever imported: tensors are rebuilt from their bytes, plain containers are kept,
and every other object becomes an inert record of its attributes. A file that asks for more
memory than its size can account for is refused before it gets it.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.core.errors import UnreadableWeights

SECTIONS = ("state_dict", "model")
"""Where checkpoints keep their weights, beside what else training left."""
EXPANDED = 2**20
"""Numbers that a tensor may have beyond those stored: strides of 0 repeat them."""
_DTYPES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


class Inert:
    """What stands for an object of a class that is not trusted: its attributes alone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take any arguments, as the class that it stands for might."""

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.__dict__.update(state)

    def __setitem__(self, key: Any, value: Any) -> None:
        """Drop an item: pickles of dict-like objects set some."""

    def append(self, value: Any) -> None:
        """Drop an item: pickles of list-like objects append some."""

    def extend(self, values: Any) -> None:
        """Drop items, likewise."""


def read_tensors(path: Path, section: str | None = None) -> dict[str, Tensor]:
    """Read a state dict, a checkpoint that has one, or a whole pickled module.

    Args:
        path: the file.
        section: the checkpoint's entry to read, such as one with averaged weights; by
            default the first of ``SECTIONS`` that it has, or else all of it.

    Raises:
        UnreadableWeights: if the file is absent, damaged, of the format before torch 1.6, or
            without tensors, or has no such section.
    """
    if not path.is_file():
        raise UnreadableWeights(f"{path}: no such file")
    try:
        if not zipfile.is_zipfile(path):
            text = "not a torch file of version 1.6 or later (no zip archive)"
            raise UnreadableWeights(f"{path}: {text}")
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive, path)
            content = _section(_read_pickle(archive, path), section, path)
        tensors = {key.removeprefix("."): tensor for key, tensor in _walk(content, "")}
    except UnreadableWeights:
        raise
    except zipfile.BadZipFile as error:
        raise UnreadableWeights(f"{path}: damaged ({error})") from error
    except Exception as error:  # one flipped bit can make a pickle do anything
        text = f"{type(error).__name__}: {error}"
        raise UnreadableWeights(f"{path}: damaged or of an unknown layout ({text})") from error
    if not tensors:
        raise UnreadableWeights(f"{path}: holds neither a state dict nor a module")
    return tensors


def _check_sizes(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuse an archive whose entries are larger than itself: torch compresses none.

    Raises:
        UnreadableWeights: naming the file.
    """
    claimed, size = sum(entry.file_size for entry in archive.infolist()), path.stat().st_size
    if claimed > size:
        raise UnreadableWeights(f"{path}: claims to hold {claimed:,} bytes, and has {size:,}")


def _section(content: Any, section: str | None, path: Path) -> Any:
    parts = {}
    if isinstance(content, Mapping):
        parts = {key: part for key, part in content.items() if isinstance(part, Mapping)}
    if section is None:
        return next((parts[name] for name in SECTIONS if name in parts), content)
    if section not in parts:
        has = ", ".join(sorted(map(str, parts))) or "none"
        raise UnreadableWeights(f"{path}: has no section {section!r}; its sections: {has}")
    return parts[section]


def _read_pickle(archive: zipfile.ZipFile, path: Path) -> Any:
    names = [name for name in archive.namelist() if name.endswith("data.pkl")]
    if len(names) != 1:
        raise UnreadableWeights(
            f"{path}: a zip archive, but with {len(names)} files data.pkl, not one"
        )
    pickled = archive.read(names[0])  # whole, so that its checksum is compared
    _check_memo(pickled, path)
    return _Reader(io.BytesIO(pickled), archive, names[0].removesuffix("data.pkl")).load()


def _check_memo(pickled: bytes, path: Path) -> None:
    """Refuse a pickle that numbers its objects beyond how many it can have.

    Python makes a table of all numbers up to the largest: gigabytes for a damaged one.

    Raises:
        UnreadableWeights: naming the file.
    """
    for opcode, argument, _ in pickletools.genops(pickled):
        if "PUT" in opcode.name and argument is not None and argument > len(pickled):
            raise UnreadableWeights(f"{path}: damaged (object number {argument:,} in its pickle)")


def _walk(content: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of a state dict or a pickled module by their dotted names."""
    if isinstance(content, Tensor):
        yield name, content
    elif isinstance(content, Mapping):
        for key, value in content.items():
            yield from _walk(value, f"{name}.{key}")
    elif isinstance(content, Inert):
        for part in ("_parameters", "_buffers", "_modules"):
            yield from _walk(content.__dict__.get(part), name)


class _Reader(pickle.Unpickler):
    def __init__(self, file: Any, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(file)
        self.archive, self.folder = archive, folder

    def find_class(self, module: str, name: str) -> Callable[..., Any] | type:
        """Never import: known names have a meaning of their own, all others are inert."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _rebuild_parameter
        if module == "torch" and name in _DTYPES:
            return type(name, (Inert,), {"dtype": _DTYPES[name]})
        return Inert

    def persistent_load(self, pid: Any) -> Tensor:
        """Read a storage: ("storage", type, key, location, number of elements)."""
        _, kind, key, _, _ = pid
        content = bytearray(self.archive.read(f"{self.folder}data/{key}"))
        dtype = getattr(kind, "dtype", None)
        if not isinstance(dtype, torch.dtype):
            raise pickle.UnpicklingError(f"storage {key} has an unknown type")
        return torch.frombuffer(content, dtype=dtype) if content else torch.empty(0, dtype=dtype)


def _rebuild_tensor(
    storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
) -> Tensor:
    wanted = math.prod(size)
    if wanted > max(len(storage), EXPANDED):
        text = f"a tensor of {list(size)} with strides {list(stride)} is made of {len(storage):,}"
        raise pickle.UnpicklingError(f"{text} numbers; it would ask for {wanted:,}")
    return storage.as_strided(size, stride, offset).clone()


def _rebuild_parameter(data: Tensor, *_: Any) -> Tensor:
    return data
