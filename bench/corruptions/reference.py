"""The ``reference`` backend: imagecorruptions itself, made to run where it can.

The released package (1.1.2) needs three names that are gone: ``pkg_resources``,
``numpy.float_`` and the ``multichannel`` argument of scikit-image's ``gaussian``. They
are given to that package alone, never to the process. It draws from NumPy's global
stream, so one call runs at a time and the stream is put back afterwards. Its
impulse_noise has drawn from an unseeded generator since scikit-image 0.19; here it is
given one with the key, and agrees with the other backends in distribution only.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from threading import Lock
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from bench.core.seeding import legacy_generator, numpy_generator, seeded
from bench.corruptions.catalogue.imagecorruptions import COMMON, VALIDATION

REFERENCE_NAMES = tuple(entry.name for entry in (*COMMON, *VALIDATION))
_USED = ("color", "filters", "util")  # of scikit-image
_LOCK = Lock()


def corrupt(image: np.ndarray, name: str, severity: int, seed: int) -> np.ndarray:
    """Call imagecorruptions, seeded as if by ``numpy.random.seed``.

    Raises:
        ValueError: if the corruption is not one of its, or the image is smaller than
            the 32 x 32 pixels that it takes.
        ModuleNotFoundError: if the package or one that it needs is not installed.
    """
    if name not in REFERENCE_NAMES:
        raise ValueError(f"imagecorruptions has no {name!r}; it has {', '.join(REFERENCE_NAMES)}")
    if min(image.shape[:2]) < 32:
        raise ValueError(f"image is {image.shape}; imagecorruptions takes at least 32 x 32 px")
    with _LOCK, seeded(0):
        package = _load()
        np.random.set_state(legacy_generator(seed).get_state(legacy=True))
        package.corruptions.sk.util.random_noise.keywords["rng"] = numpy_generator(seed)
        out = package.corrupt(image, severity=severity, corruption_name=name)
    return np.array(out)


@lru_cache(maxsize=1)
def _load() -> Any:
    with _resource_names(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its import from a deprecated SciPy module
        package = import_module("imagecorruptions")
    _mend(package.corruptions)
    return package


@contextmanager
def _resource_names() -> Iterator[None]:
    """Offer ``pkg_resources.resource_filename`` while the package is imported."""
    stand_in = ModuleType("pkg_resources")

    def resource_filename(module: str, name: str) -> str:
        return str(Path(str(sys.modules[module].__file__)).parent / name)

    stand_in.__dict__["resource_filename"] = resource_filename
    before = sys.modules.get("pkg_resources")
    sys.modules["pkg_resources"] = stand_in
    try:
        yield
    finally:
        del sys.modules["pkg_resources"]
        if before is not None:
            sys.modules["pkg_resources"] = before


def _mend(corruptions: Any) -> None:
    """Give the package's module the names it was written for."""
    color, filters, util = (import_module(f"skimage.{part}") for part in _USED)

    def gaussian(*arguments: Any, multichannel: bool = False, **options: Any) -> Any:
        smooth: Any = filters.gaussian
        return smooth(*arguments, channel_axis=-1 if multichannel else None, **options)

    numpy_then = ModuleType("numpy")
    numpy_then.__dict__.update(np.__dict__, float_=np.float64)
    corruptions.np = numpy_then
    corruptions.gaussian = gaussian
    noise = SimpleNamespace(random_noise=partial(util.random_noise))
    corruptions.sk = SimpleNamespace(util=noise, color=color)
