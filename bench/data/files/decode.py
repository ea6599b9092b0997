"""Image files to arrays; everything that can be wrong with one is said in one line."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np

from bench.core.errors import DatasetError


def read_image(file: Path | BinaryIO, name: str = "") -> np.ndarray:
    """Decode an image to uint8 [H, W, 3], RGB.

    Args:
        file: a path, or an open file with a name for errors.
        name: what errors call it; the path by default.

    Raises:
        DatasetError: if the file is missing or damaged.
    """
    return _decode(file, "RGB", name or str(file))


def read_numbers(file: Path | BinaryIO, name: str = "") -> np.ndarray:
    """Decode a greyscale or palette image to integers [H, W]; palette indices are the values.

    Args:
        file: a path, or an open file with a name for errors.
        name: what errors call it; the path by default.

    Raises:
        DatasetError: if the file is missing, damaged or not a map of numbers.
    """
    name = name or str(file)
    stored = _decode(file, None, name)
    if stored.ndim != 2 or stored.dtype.kind not in "bui":
        raise DatasetError(
            f"{name}: a label must be one number a pixel, this is {stored.dtype} of shape "
            f"{list(stored.shape)}; point the data root at the label ids, not at their colours"
        )
    return stored


def _decode(file: Path | BinaryIO, mode: str | None, name: str) -> np.ndarray:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file) as image:
            return np.array(image.convert(mode) if mode else image)
    except FileNotFoundError:
        raise DatasetError(f"{name}: no such file; copy it from the original") from None
    except (OSError, SyntaxError, ValueError) as error:
        # An open file's own description is of no use to anyone.
        reason = "no image" if isinstance(error, UnidentifiedImageError) else error
        raise DatasetError(
            f"{name}: damaged image ({reason}); replace it from the original"
        ) from error
