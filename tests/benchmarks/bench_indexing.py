"""Time to list and fingerprint a split of 25,000 images, cold and warm.

Files are a few bytes each, so that listing, stat and the index of digests are what is timed, in
processor time, which is steadier than wall time on a shared machine; cold, the reading of real
files comes on top.
"""

import os
import time
from pathlib import Path

import pytest

from bench.data.dataset import Dataset
from bench.data.datasets import load_dataset_class

IMAGES, LIGHT_IMAGES = 25_000, 2500
MOST_SECONDS = 10.0
CITIES = 20


def draw_cityscapes(root: Path, images: int) -> None:
    """Write files with the names and folders of Cityscapes, and any content."""
    for number in range(images):
        city = f"city{number % CITIES:02d}"
        frame = f"train/{city}/{city}_{number:06d}_000019"
        for path in (f"leftImg8bit/{frame}_leftImg8bit.png", f"gtFine/{frame}_gtFine_labelIds.png"):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(str(number).encode())
            os.utime(root / path, ns=(1, 1))


def draw_bdd(root: Path, images: int) -> None:
    """Write files with the names of BDD, all in two folders."""
    for number in range(images):
        for path in (f"seg/images/train/{number}.jpg", f"seg/labels/train/{number}_train_id.png"):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(str(number).encode())
            os.utime(root / path, ns=(1, 1))


def index(name: str, root: Path, images: int) -> str:
    """Open a split anew and fingerprint it, as every ``plan`` does."""
    found = load_dataset_class(name)
    data: Dataset = found("train", "", root, found.Options())
    data.check()
    content = data.fingerprint()
    assert len(data) == images
    assert data.cluster(images - 1)
    return content


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize(("name", "draw"), [("cityscapes", draw_cityscapes), ("bdd", draw_bdd)])
def test_a_warm_index_takes_seconds(
    benchmark, performance, light, name, draw, tmp_path, monkeypatch
):
    images = LIGHT_IMAGES if light else IMAGES
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    draw(tmp_path, images)
    started = time.process_time()
    content = index(name, tmp_path, images)
    cold = time.process_time() - started
    rounds = 1 if light else 3
    assert benchmark.pedantic(index, (name, tmp_path, images), rounds=rounds) == content
    warm = benchmark.stats.stats.max * IMAGES / images
    what = f"{name} of {IMAGES} images listed and fingerprinted again"
    performance.at_most(what, warm, MOST_SECONDS, "s", f"the first time {cold:.3g} s and reading")
