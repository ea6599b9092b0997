"""Where the files of a split are: paths with fields in braces.

``leftImg8bit/val/{city}/{frame}_leftImg8bit.png`` stands for every file of that form; a
field is one or more characters of one name. The same fields in the label's path lead from
an image to its label, and together they are the image's id, as ``frankfurt/frankfurt_0_1``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bench.core.errors import DatasetError, DatasetMissing

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
"""What ``.*`` stands for, in lower case."""


class Pair(NamedTuple):
    """One image and what belongs to it on disk."""

    id: str
    image: Path
    label: Path
    instance: Path | None = None
    depth: Path | None = None
    fields: tuple[tuple[str, str], ...] = ()
    """What each field of the image's path is."""


class Layout(NamedTuple):
    """Where a split's images and labels are, below the dataset's folder."""

    images: str
    labels: str
    listed: tuple[str, ...] = ()
    """Text files, one image per line: only these are in the split. A line is an id, or the path
    of an image, as MSeg's lists have it before that of its label."""
    other_labels: str = ""
    """Where a label is that is not in ``labels``."""
    instances: str = ""
    """Where instance numbers are; a copy without this folder has none."""
    depth: str = ""
    """Where depth is; a copy without this folder has none."""

    def fill(self, **names: str) -> Layout:
        """Put names in place of fields, such as the folder of a split for ``{split}``."""

        def filled(path: str) -> str:
            for name, value in names.items():
                path = path.replace(f"{{{name}}}", value)
            return path

        return Layout(
            filled(self.images),
            filled(self.labels),
            tuple(map(filled, self.listed)),
            *map(filled, (self.other_labels, self.instances, self.depth)),
        )

    @property
    def marker(self) -> str:
        """The folder that all images are in: what tells this layout from others."""
        return _fixed_part(self.images)

    def is_in(self, folder: Path) -> bool:
        """Whether a folder has the folder of all images."""
        if self.marker:
            return (folder / self.marker).is_dir()
        first = self.images.split("/")[0]
        return any(_expression(first).fullmatch(entry) for entry in _entries(folder))

    def is_complete(self, folder: Path) -> bool:
        """Whether the folders and the list are there; ``find`` says what is not."""
        listed = all((folder / path).is_file() for path in self.listed)
        return self.is_in(folder) and listed and (folder / _fixed_part(self.labels)).is_dir()

    def find(self, folder: Path, keep: Callable[[str], bool]) -> tuple[Pair, ...]:
        """List the pairs whose id is kept, sorted by id.

        Raises:
            DatasetError: if there are none, or a label or a listed image is missing.
        """
        images = dict(_matches(folder, self.images))
        if self.listed:
            images = self._select(folder, images)
        named: dict[str, tuple[str, dict[str, str]]] = {}
        for path, values in sorted(images.items()):
            id = "/".join(values.values())
            if id in named:
                raise DatasetError(
                    f"{folder / path}: has the id {id!r} of {folder / named[id][0]}; "
                    "remove or replace one of them"
                )
            named[id] = (path, values)
        kept = {id: entry for id, entry in sorted(named.items()) if keep(id)}
        if not kept:
            wanted = _as_glob(self.images.removeprefix(f"{self.marker}/"))
            raise DatasetError(
                f"{folder / self.marker}: holds no {wanted} of this split; "
                "copy the images of the split there"
            )
        files = _Files(folder)
        extras = self._extras(files, [values for _, values in kept.values()])
        pairs = tuple(
            self._pair(files, id, folder / path, values, extras)
            for id, (path, values) in kept.items()
        )
        _refuse_missing(pairs, folder / _fixed_part(self.labels), files)
        return pairs

    def _pair(
        self, files: _Files, id: str, image: Path, values: dict[str, str], extras: _Extras
    ) -> Pair:
        label = files.first(values, self.labels, self.other_labels)
        instance, depth = (files.first(values, path) if path else None for path in extras)
        return Pair(id, image, label, instance, depth, tuple(values.items()))

    def _extras(self, files: _Files, all_values: list[dict[str, str]]) -> _Extras:
        """Return the patterns of what the copy has beside labels, empty for what it has not."""
        return _Extras(
            *(
                pattern if pattern and files.has(pattern, all_values) else ""
                for pattern in (self.instances, self.depth)
            )
        )

    def _select(self, folder: Path, found: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        """Keep the images that the lists name."""
        by_id = {"/".join(values.values()): image for image, values in found.items()}
        kept: dict[str, dict[str, str]] = {}
        for listed in self.listed:
            path = folder / listed
            try:
                names = [line.strip() for line in path.read_text().splitlines() if line.strip()]
            except OSError:
                raise DatasetError(
                    f"{path}: no such file; it lists the images of the split: copy it from the "
                    "original"
                ) from None
            names = [name.split()[0] if name.split()[0] in found else name for name in names]
            by_name = {**by_id, **{image: image for image in found}}
            missing = [name for name in names if name not in by_name]
            if missing:
                raise DatasetError(
                    f"{folder / self.marker}: image {missing[0]!r} missing{_others(missing)}, "
                    f"which {path} lists; copy it from the original"
                )
            kept |= {by_name[name]: found[by_name[name]] for name in names}
        return kept


class _Extras(NamedTuple):
    """Patterns of what may lie beside labels; empty where a copy has none."""

    instances: str
    depth: str


class _Files:
    """The names in the folders below one, each listed once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[Path, frozenset[str]] = {}

    def has(self, pattern: str, all_values: list[dict[str, str]]) -> bool:
        """Whether there is the folder of a pattern, or where that has no name, any file."""
        if folder := _fixed_part(pattern):
            return (self._folder / folder).is_dir()
        return any(self.holds(self.first(values, pattern)) for values in all_values)

    def holds(self, path: Path) -> bool:
        """Whether a file is there."""
        if path.parent not in self._names:
            self._names[path.parent] = frozenset(_entries(path.parent))
        return path.name in self._names[path.parent]

    def first(self, values: dict[str, str], *patterns: str) -> Path:
        """Return the first file of the patterns that is there, or that of the first pattern."""
        paths = [
            self._folder / name.format(**values)
            for pattern in patterns
            if pattern
            for name in _of_any_kind(pattern)
        ]
        return next((path for path in paths if self.holds(path)), paths[0])


def _of_any_kind(pattern: str) -> list[str]:
    if not pattern.endswith(".*"):
        return [pattern]
    return [pattern.removesuffix(".*") + suffix for suffix in IMAGE_SUFFIXES]


def find_root(root: Path | None, folders: tuple[str, ...], layouts: tuple[Layout, ...]) -> Path:
    """Find a dataset's folder: ``root`` itself or one of ``folders`` in it, in any case.

    Args:
        root: the data root, if one was given.
        folders: where copies of the dataset are kept; the first is this project's name for it.
        layouts: how its files lie, of which a copy has one.

    Raises:
        DatasetMissing: if no root was given, or no place has such a layout.
        DatasetError: if the root is no folder.
    """
    name = folders[0]
    if root is None:
        message = f"{name} needs its files: give --data-root DIR or set BENCH_DATA"
        raise DatasetMissing({name: message})
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder; --data-root (or BENCH_DATA) must name one")
    places = [root, *(place for folder in folders for place in _in_any_case(root, folder))]
    for place in places:
        if any(layout.is_in(place) for layout in layouts):
            return place
    if places == [root]:
        places.append(root / name)
    wanted = layouts[0].marker or _as_glob(layouts[0].images.split("/")[0])
    looked = " or ".join(str(place / wanted) for place in places)
    message = f"{name} has no folder {wanted}/: copy the split to {looked}"
    raise DatasetMissing({name: message})


def _in_any_case(root: Path, folder: str) -> Iterator[Path]:
    """Yield the folders of that relative path, upper or lower case whatever."""
    head, _, rest = folder.partition("/")
    for path in sorted(root.iterdir()) if root.is_dir() else []:
        if path.name.lower() == head.lower():
            yield from _in_any_case(path, rest) if rest else (path,)


def _matches(folder: Path, pattern: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the relative path of every file of a pattern, and what its fields are."""
    names = pattern.split("/")
    pending: list[tuple[str, dict[str, str]]] = [("", {})]
    for depth, name in enumerate(names):
        last, following = depth == len(names) - 1, []
        for path, fields in pending:
            if "{" not in name:
                following.append((f"{path}{name}", fields))
                continue
            for entry in _entries(folder / path):
                match = _expression(name).fullmatch(entry)
                if match:
                    following.append((f"{path}{entry}", {**fields, **match.groupdict()}))
        pending = following if last else [(f"{path}/", fields) for path, fields in following]
    yield from pending


def _entries(folder: Path) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if not name.startswith("._")]
    except (FileNotFoundError, NotADirectoryError):
        return []


@cache
def _expression(name: str) -> re.Pattern[str]:
    """Turn ``{frame}_gtFine.png`` into a regular expression with named groups."""
    parts = re.split(r"\{(\w+)\}", name.removesuffix(".*"))
    expression = "".join(
        f"(?P<{part}>.+)" if i % 2 else re.escape(part) for i, part in enumerate(parts)
    )
    kinds = "|".join(map(re.escape, IMAGE_SUFFIXES))
    return re.compile(expression + (f"(?i:{kinds})" if name.endswith(".*") else ""))


def _as_glob(pattern: str) -> str:
    return re.sub(r"{\w+}", "*", pattern)


def _fixed_part(pattern: str) -> str:
    """Return the leading folders of a path that hold no field."""
    names = pattern.split("/")[:-1]
    fields = [index for index, name in enumerate(names) if "{" in name]
    return "/".join(names[: fields[0]] if fields else names)


def _refuse_missing(pairs: tuple[Pair, ...], labels: Path, files: _Files) -> None:
    if not labels.is_dir():
        raise DatasetError(
            f"{labels}: no such folder; the labels of {pairs[0].image.parent} belong there"
        )
    for kind in ("label", "instance", "depth"):
        paths = [(getattr(pair, kind), pair.image) for pair in pairs]
        missing = [entry for entry in paths if entry[0] is not None and not files.holds(entry[0])]
        if missing:
            path, image = missing[0]
            raise DatasetError(
                f"{path}: {kind} missing{_others(missing)}; copy it from the original, or remove "
                f"its image {image}"
            )


def _others(missing: object) -> str:
    count = len(missing) - 1  # type: ignore[arg-type]
    return f" (and {count} more)" if count else ""
