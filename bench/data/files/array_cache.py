"""Arrays that take long to make, kept on disk for whoever needs the same: any process, any run.

Corrupted images and what the truth alone tells are the same for every method and seed of a
suite's trainings. They are looked up by a hash of all that they depend on, so a lookup changes
no result.
"""

from __future__ import annotations

import io
import logging
import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from diskcache import Cache, Timeout

MOST_BYTES = 32 * 2**30
"""Of all arrays; when they are reached, what is further made is not kept. Evicting instead would
keep nothing for long: every method passes through the same images in the same order."""
LEAST_FREE_BYTES = 8 * 2**30
"""On the disk, for others."""
EXPIRE_SECONDS = 24 * 3600
"""After which an array makes room."""
FAULTS = (OSError, sqlite3.Error, Timeout, BadZipFile, ValueError, KeyError)
"""What a full disk, a damaged file or a busy database may raise: arrays are then made again."""
logger = logging.getLogger(__name__)


class ArrayCache:
    """Groups of named arrays in a folder that any number of processes share."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self.folder, self.most_bytes = folder, most_bytes
        self._cache: Cache | None = None

    def get(self, key: str) -> dict[str, np.ndarray] | None:
        """Return arrays as they were put, or None if they are not there."""
        try:
            content = self._opened().get(key)
            if content is None:
                return None
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except FAULTS as error:
            logger.debug("%s: %s is made again (%s)", self.folder, key, error)
            return None

    def put(self, key: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep arrays if there is room."""
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]  # its first keyword has a type
        try:
            cache = self._opened()
            free = shutil.disk_usage(self.folder).free
            room = min(self.most_bytes - cache.volume(), free - LEAST_FREE_BYTES)
            if buffer.tell() <= room:
                cache.set(key, buffer.getvalue(), expire=EXPIRE_SECONDS)
            elif cache.expire():
                self.put(key, arrays)
        except FAULTS as error:
            logger.debug("%s: %s is not kept (%s)", self.folder, key, error)

    def _opened(self) -> Cache:
        if self._cache is None:
            self._cache = Cache(str(self.folder), eviction_policy="none", size_limit=2**62)
        return self._cache

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_cache": None}
