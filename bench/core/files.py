"""Files that are either whole or absent, whoever else writes them."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO


def write_atomic(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file so that readers see all of it or nothing of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8, atomically."""
    write_atomic(path, lambda file: file.write(text.encode()))


def write_json(path: Path, text: str) -> None:
    """Write JSON text atomically, with a newline at its end."""
    write_text(path, text + "\n")


class DamagedFile(Exception):
    """A file is torn, or not one that this project wrote."""


_HEAD, _JOINT, _TAIL = '{"sha256": "', '", "content": ', "}\n"


def write_sealed(path: Path, text: str) -> None:
    """Write JSON text atomically within an object that has its SHA-256 too."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    write_text(path, f"{_HEAD}{digest}{_JOINT}{text}{_TAIL}")


def read_sealed(path: Path) -> str:
    """Return the JSON text of a sealed file.

    Raises:
        FileNotFoundError: if there is none.
        DamagedFile: if it is not as it was written, naming it.
    """
    try:
        whole = path.read_text()
    except UnicodeDecodeError as error:
        raise DamagedFile(f"{path}: not text") from error
    start = len(_HEAD) + 64 + len(_JOINT)
    digest, text = whole[len(_HEAD) : len(_HEAD) + 64], whole[start : -len(_TAIL)]
    framed = whole == f"{_HEAD}{digest}{_JOINT}{text}{_TAIL}"
    if not framed or hashlib.sha256(text.encode()).hexdigest() != digest:
        raise DamagedFile(f"{path}: not as it was written (its checksum differs)")
    return text
