"""Classes that a user declares: their names, colours and stored values, from options alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from bench.core.errors import DatasetError
from bench.core.registry import suggest
from bench.core.schema import IGNORE_INDEX, Frozen
from bench.data.dataset import LabelSpace
from bench.data.files.colours import colormap, distinct

Byte = Annotated[int, Field(ge=0, le=255)]
Colour = tuple[Byte, Byte, Byte]
VOID = "void"
"""In ``values``, what stands for no class."""


class DeclaredClass(Frozen):
    """One class: the value that labels store for it, and its colour."""

    id: Byte | None = None
    """Its place in the list, if absent."""
    colour: Colour | None = None
    """A colour of its own, if absent."""


Declared = tuple[str, ...] | Mapping[str, Byte | Colour | DeclaredClass | None]


class LabelOptions(Frozen):
    """What the labels of a declared data set mean."""

    classes: str | Declared
    """A list of names in the order of their ids; a mapping from names to an id, a colour or
    both as ``{id: 7, colour: [128, 64, 128]}``; or a YAML file with either."""
    stored: Literal["ids", "colours"] = "ids"
    """What a pixel of a label image is: a number, or a class's colour."""
    void: tuple[Byte | Colour, ...] | Literal["rest"] = (IGNORE_INDEX,)
    """Values, or colours, of pixels without a class; ``rest``: all that no class has."""
    values: Mapping[Byte, str | None] = {}
    """From stored values to names of classes, or to ``void``; in place of the ids."""
    label_space: str = ""
    """Name of the label space, such as one that a taxonomy has (``cityscapes-19``)."""
    title: str = ""
    """What to call the data set."""
    licence: str = "as its owner says"
    citation: str = ""
    """BibTeX."""

    @model_validator(mode="after")
    def _values_are_of_ids(self) -> LabelOptions:
        if self.values and self.stored == "colours":
            raise ValueError(
                "values map stored numbers; with stored: colours, classes have colours"
            )
        if self.void == "rest":
            return self
        for value in self.void:
            if isinstance(value, int) and self.stored == "colours" and self.void != (IGNORE_INDEX,):
                raise ValueError(f"void holds {value}; with stored: colours it lists colours")
            if not isinstance(value, int) and self.stored == "ids":
                raise ValueError(f"void holds {list(value)}; with stored: ids it lists numbers")
        return self


class ClassTable(NamedTuple):
    """Declared classes, resolved."""

    space: LabelSpace
    encoding: Mapping[int, int]
    """From each stored value to a class or IGNORE_INDEX; of colours, from their places."""
    colours: Mapping[Colour, int] | None = None
    """From each stored colour to a class or IGNORE_INDEX, where labels store colours."""
    rest_is_void: bool = False
    """Whether other colours have no class, instead of being faults."""

    @property
    def meaning(self) -> list[object]:
        """All that decides what a stored label means, for fingerprints."""
        colours = sorted(self.colours.items()) if self.colours is not None else []
        return [*sorted(self.encoding.items()), *colours, self.rest_is_void]

    def values(self, label: np.ndarray, name: str) -> np.ndarray:
        """Turn a label image of colours, uint8 [H, W, 3], into classes, int64 [H, W].

        Raises:
            DatasetError: for a colour that is no class's.
        """
        assert self.colours is not None
        packed = label.astype(np.int64) @ np.array([65536, 256, 1])
        stored, inverse = np.unique(packed, return_inverse=True)
        classes = np.empty(len(stored), np.int64)
        known = {
            red * 65536 + green * 256 + blue: k for (red, green, blue), k in self.colours.items()
        }
        for place, colour in enumerate(stored.tolist()):
            if colour not in known and not self.rest_is_void:
                triple = [colour >> 16, colour >> 8 & 255, colour & 255]
                raise DatasetError(
                    f"{name}: holds the colour {triple}, which no class has: add it to classes or "
                    "void, or replace the file if it was resized or compressed"
                )
            classes[place] = known.get(colour, IGNORE_INDEX)
        return classes[inverse].reshape(packed.shape)


def read_classes(options: LabelOptions, folder: Path | None) -> ClassTable:
    """Resolve declared classes.

    Args:
        options: what the user wrote.
        folder: where a relative file of classes lies.

    Raises:
        DatasetError: if the file or what it says is wrong.
    """
    declared, where = options.classes, "classes"
    if isinstance(declared, str):
        path = (folder or Path()) / declared
        declared, where = _read(path), str(path)
    entries = _entries(declared)
    count = len(entries)
    if not 0 < count <= IGNORE_INDEX:
        raise DatasetError(f"{where}: {count} classes; there must be 1 to {IGNORE_INDEX}")
    palette = distinct(
        entry.colour or spare
        for entry, spare in zip(entries.values(), colormap(count), strict=True)
    )
    name = options.label_space or f"declared-{count}"
    space = LabelSpace(name=name, classes=tuple(entries), palette=palette)
    if options.stored == "colours":
        return _of_colours(space, entries, options, where)
    return ClassTable(space, _encoding(entries, options, where))


def _read(path: Path) -> Declared:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe", pure=True).load(path.read_text())
        adapter: TypeAdapter[Declared] = TypeAdapter(Declared)
        return adapter.validate_python(content)
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file; it lists the classes: write it") from None
    except (YAMLError, ValidationError, UnicodeDecodeError) as error:
        first = str(error).splitlines()[0]
        raise DatasetError(
            f"{path}: not a list of class names, nor a mapping from names to ids or colours "
            f"({first}); correct it"
        ) from error


def _entries(declared: Declared) -> dict[str, DeclaredClass]:
    if not isinstance(declared, Mapping):
        return {name: DeclaredClass() for name in declared}
    entries = {}
    for name, entry in declared.items():
        if isinstance(entry, int):
            entry = DeclaredClass(id=entry)
        elif isinstance(entry, tuple):
            entry = DeclaredClass(colour=entry)
        entries[name] = entry or DeclaredClass()
    return entries


def _encoding(
    entries: Mapping[str, DeclaredClass], options: LabelOptions, where: str
) -> dict[int, int]:
    rest = options.void == "rest"
    encoding = dict.fromkeys(range(256), IGNORE_INDEX) if rest else {}
    encoding |= {value: IGNORE_INDEX for value in options.void if isinstance(value, int)}
    names = list(entries)
    if options.values:
        for value, name in options.values.items():
            if name not in (None, VOID) and name not in entries:
                raise DatasetError(f"values: no class {name!r} in {where}; {suggest(name, names)}")
            encoding[value] = IGNORE_INDEX if name in (None, VOID) else names.index(name)
        return encoding
    taken: dict[int, str] = {}
    for index, (name, entry) in enumerate(entries.items()):
        value = index if entry.id is None else entry.id
        if value in taken:
            raise DatasetError(f"{where}: {taken[value]} and {name} both have the id {value}")
        if not rest and value in options.void:
            raise DatasetError(f"{where}: {name} has the id {value}, which is void too")
        taken[value], encoding[value] = name, index
    return encoding


def _of_colours(
    space: LabelSpace, entries: Mapping[str, DeclaredClass], options: LabelOptions, where: str
) -> ClassTable:
    if without := [name for name, entry in entries.items() if entry.colour is None]:
        raise DatasetError(f"{where}: {without[0]} has no colour, but labels store colours")
    colours: dict[Colour, int] = {}
    if options.void != "rest":
        colours = {value: IGNORE_INDEX for value in options.void if not isinstance(value, int)}
    for index, (name, entry) in enumerate(entries.items()):
        assert entry.colour is not None
        if entry.colour in colours:
            raise DatasetError(f"{where}: the colour {list(entry.colour)} of {name} occurs twice")
        colours[entry.colour] = index
    encoding = {**{index: index for index in range(len(entries))}, IGNORE_INDEX: IGNORE_INDEX}
    return ClassTable(space, encoding, colours, options.void == "rest")
