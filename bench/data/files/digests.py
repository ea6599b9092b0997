"""Digests of files, read again only where a file's size or time changed."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

from bench.core.errors import DatasetError
from bench.core.files import write_json
from bench.core.schema import fingerprint
from bench.data.files.cache import cache_folder

RACY_NS = 2_000_000_000
"""A file changed so recently may change again without a newer time stamp."""

Index = dict[str, list[int | str]]
"""By file name: size in bytes, time of change in nanoseconds, digest."""


def file_digests(paths: Iterable[Path]) -> dict[Path, str]:
    """Hash the content of files, reading again only those whose size or time changed.

    Digests are kept in the cache folder, one index for each folder of files. A file that
    was changed within the last two seconds is not kept, since a change after it could
    leave the same time stamp.

    Raises:
        DatasetError: if a file is missing.
    """
    found: dict[Path, str] = {}
    for folder, members in _by_folder(paths).items():
        found.update(_folder_digests(folder, members))
    return found


def changed_files(paths: Iterable[Path]) -> list[Path]:
    """Read every file, and return those that changed behind an unchanged size and time.

    Their digests are forgotten, so that the next :func:`file_digests` reads them again.

    Raises:
        DatasetError: if a file is missing.
    """
    changed = []
    for folder, members in _by_folder(paths).items():
        _folder_digests(folder, members)
        place = _index_path(folder)
        index = _read_index(place)
        wrong = [p for p in members if p.name in index and index[p.name][2] != _digest(p)]
        if wrong:
            write_json(
                place, json.dumps({k: v for k, v in index.items() if folder / k not in wrong})
            )
        changed += wrong
    return changed


def _by_folder(paths: Iterable[Path]) -> dict[Path, list[Path]]:
    folders: dict[Path, list[Path]] = {}
    for path in paths:
        folders.setdefault(path.parent, []).append(path)
    return folders


def _folder_digests(folder: Path, paths: list[Path]) -> dict[Path, str]:
    index_path = _index_path(folder)
    index = _read_index(index_path)
    now, found, changed = time.time_ns(), {}, False
    for path in paths:
        try:
            stat = os.stat(path)
            known = index.get(path.name)
            if known is None or known[:2] != [stat.st_size, stat.st_mtime_ns]:
                known = [stat.st_size, stat.st_mtime_ns, _digest(path)]
                if now - stat.st_mtime_ns > RACY_NS:
                    index[path.name], changed = known, True
        except FileNotFoundError:
            raise DatasetError(f"{path}: no such file; copy it from the original") from None
        found[path] = str(known[2])
    if changed:
        write_json(index_path, json.dumps(index))
    return found


def _index_path(folder: Path) -> Path:
    return cache_folder() / "digests" / f"{fingerprint(str(folder.resolve()))}.json"


def _read_index(path: Path) -> Index:
    """Read an index; a missing or damaged one only means that files are hashed again."""
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]
