"""Image files to arrays, and what is said of those that cannot be read."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from bench.core.errors import DatasetError
from bench.data.files.decode import FARTHEST_M, read_depth, read_image, read_numbers

GRID = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.fixture
def save(tmp_path):
    def _save(array, mode=None):
        path = tmp_path / "image.png"
        image = Image.fromarray(array)
        (image.convert(mode) if mode else image).save(path)
        return path

    return _save


def test_an_image_of_any_mode_is_red_green_blue(save):
    colours = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    assert read_image(save(colours)).tolist() == colours.tolist()
    assert read_image(save(colours, "RGBA")).tolist() == colours.tolist()
    assert read_image(save(GRID)).tolist() == np.repeat(GRID[..., None], 3, 2).tolist()


def test_numbers_are_as_stored(save, tmp_path):
    assert read_numbers(save(GRID)).tolist() == GRID.tolist()
    deep = GRID.astype(np.uint16) * 1000
    assert read_numbers(save(deep)).tolist() == deep.tolist()
    indexed = Image.fromarray(GRID, "P")
    indexed.putpalette([255 - k for k in range(256) for _ in range(3)])
    indexed.save(tmp_path / "indexed.png")
    assert read_numbers(tmp_path / "indexed.png").tolist() == GRID.tolist()


def test_colours_are_no_numbers(save):
    with pytest.raises(DatasetError, match=r"one number a pixel, this is uint8 of shape \[3, 4, 3"):
        read_numbers(save(np.zeros((3, 4, 3), np.uint8)))


@pytest.mark.parametrize("read", [read_image, read_numbers])
def test_damaged_and_missing_files_are_named(read, save, tmp_path):
    with pytest.raises(DatasetError, match=r"absent\.png: no such file"):
        read(tmp_path / "absent.png")
    path = save(np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DatasetError, match=r"image\.png: damaged image"):
        read(path)
    with pytest.raises(DatasetError, match=r"member: damaged image \(no image\)"):
        read(io.BytesIO(b"no image"), "member")


def test_depth_is_filled_from_the_nearest_that_was_measured(save):
    stored = np.array([[0, 0, 8, 8], [2, 0, 0, 8]], np.uint16)
    depth = read_depth(save(stored), lambda numbers: 16 / numbers)
    assert depth.dtype == np.float32
    assert depth.tolist() == [[8, 2, 2, 2], [8, 8, 2, 2]]


def test_depth_beyond_what_counts_is_cut_and_none_at_all_is_refused(save):
    assert read_depth(save(np.array([[1, 9]], np.uint16)), lambda n: n * 1000.0).tolist() == [
        [FARTHEST_M] * 2
    ]
    with pytest.raises(DatasetError, match="holds no depth"):
        read_depth(save(np.zeros((2, 2), np.uint16)), lambda numbers: numbers)


@pytest.mark.parametrize("side", [10_000, 100_000])
@pytest.mark.parametrize("read", [read_image, read_numbers])
def test_a_header_that_claims_too_many_pixels_is_refused_by_name(read, save, side):
    path = save(GRID)
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", side, side)  # width and height, first in a PNG
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=f"{path}: its header claims more than 89,478,485"):
        read(path)
