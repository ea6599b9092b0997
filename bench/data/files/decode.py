"""Image files to arrays; everything that can be wrong with one is said in one line."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from bench.core.errors import DatasetError

if TYPE_CHECKING:
    from PIL import Image

FARTHEST_M = 300.0
"""Depth that all beyond counts as."""


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
    from PIL import UnidentifiedImageError

    try:
        with open_image(file) as image:
            return np.array(image.convert(mode) if mode else image)
    except FileNotFoundError:
        raise DatasetError(f"{name}: no such file; copy it from the original") from None
    except TooManyPixels as error:
        raise DatasetError(f"{name}: {error}; replace it from the original") from None
    except (OSError, SyntaxError, ValueError) as error:
        # An open file's own description is of no use to anyone.
        reason = "no image" if isinstance(error, UnidentifiedImageError) else error
        raise DatasetError(
            f"{name}: damaged image ({reason}); replace it from the original"
        ) from error


class TooManyPixels(Exception):
    """A picture's header claims more pixels than any picture here has."""


def open_image(file: Path | BinaryIO) -> Image.Image:
    """Open a picture with Pillow; its pixels are not yet decoded.

    Raises:
        TooManyPixels: if its header claims more than Pillow's limit
            (``Image.MAX_IMAGE_PIXELS``, 89 million): decoding would take all memory.
        OSError: if it is missing or no picture.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(file)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        limit = Image.MAX_IMAGE_PIXELS
        raise TooManyPixels(f"its header claims more than {limit:,} pixels") from None


def read_depth(path: Path, metres: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Decode an image of depth or disparity to metres, float32 [H, W].

    A stored 0 means that nothing was measured; such a pixel gets the depth of the nearest one
    that has any, and more than 300 m count as that.

    Args:
        path: of the image.
        metres: from what is stored, float64 and positive [N], to metres.

    Raises:
        DatasetError: if the file is missing, damaged or holds no depth at all.
    """
    import cv2

    stored = _decode(path, None, str(path)).astype(np.float64)
    known = stored > 0
    if stored.ndim != 2 or not known.any():
        raise DatasetError(f"{path}: holds no depth; replace it from the original")
    depth = np.full(stored.shape, FARTHEST_M, np.float32)
    with np.errstate(divide="ignore"):
        depth[known] = np.minimum(metres(stored[known]), FARTHEST_M)
    if known.all():
        return depth
    unknown = (~known).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(
        unknown, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    by_label = np.zeros(nearest.max() + 1, np.float32)
    by_label[nearest[known]] = depth[known]
    filled: np.ndarray = by_label[nearest]
    return filled
