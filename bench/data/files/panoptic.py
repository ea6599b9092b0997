"""What data sets share that store segments in COCO's panoptic format.

A pixel's colour is a segment's number, red + 256 green + 65536 blue; a JSON file says of each
segment what category it is, and whether it is a crowd (cocodataset.org/#format-data, part 4).
"""

from __future__ import annotations

import json
from abc import abstractmethod
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.core.errors import DatasetError
from bench.data.files.decode import read_image
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Pair


class Segment(NamedTuple):
    """What the JSON file says of a segment."""

    category: int
    crowd: bool


class PanopticFolder(FolderDataset):
    """A split whose labels are panoptic images with a file of segments."""

    @property
    @abstractmethod
    def segments_file(self) -> Path:
        """The JSON file that says what the segments of the split are."""

    @abstractmethod
    def is_thing(self, category: int) -> bool:
        """Whether the objects of a category are told apart."""

    def extra_files(self) -> tuple[Path, ...]:
        """Return the file of segments."""
        return (self.segments_file,)

    @cached_property
    def segments(self) -> dict[str, dict[int, Segment]]:
        """For each label file what every segment is."""
        path = self.segments_file
        try:
            content = json.loads(path.read_bytes())
            return {
                entry["file_name"]: {
                    s["id"]: Segment(s["category_id"], bool(s.get("iscrowd", 0)))
                    for s in entry["segments_info"]
                }
                for entry in content["annotations"]
            }
        except FileNotFoundError:
            raise DatasetError(
                f"{path}: no such file; it says what the segments are: copy it from the original"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(
                f"{path}: no panoptic annotations ({error}); replace it from the original"
            ) from error

    def read_values(self, pair: Pair) -> np.ndarray:
        """Return category ids, 0 where there is no segment."""
        found, inverse, known = self._found(pair)
        values = np.array([known[segment].category for segment in found])
        return values[inverse]

    def read_instance(self, pair: Pair) -> np.ndarray:
        """Return the numbers of things, int32 [H, W]; 0 of stuff, void and crowds."""
        found, inverse, known = self._found(pair)
        numbers = [
            0 if known[segment].crowd or not self.is_thing(known[segment].category) else number
            for number, segment in enumerate(found, start=1)
        ]
        return np.array(numbers, np.int32)[inverse]

    def _found(self, pair: Pair) -> tuple[list[int], np.ndarray, dict[int, Segment]]:
        """Return an image's segment ids, the place of each pixel's among them, and what they are.

        Raises:
            DatasetError: if the image holds a segment that is not listed.
        """
        colours = read_image(pair.label).astype(np.int64)
        segments = colours @ np.array([1, 256, 65536])  # [H, W]
        found, inverse = np.unique(segments, return_inverse=True)
        known = {0: Segment(0, crowd=False), **self.segments.get(pair.label.name, {})}
        unknown = [int(segment) for segment in found if int(segment) not in known]
        if unknown:
            raise DatasetError(
                f"{pair.label}: holds segment {unknown[0]}, which {self.segments_file} does not "
                "list; both must be of one release: replace them from the original"
            )
        return found.tolist(), inverse.reshape(segments.shape), known
