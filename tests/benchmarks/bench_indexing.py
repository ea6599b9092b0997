"""Time to list and fingerprint a split of 25,000 images, cold and warm.

    python -m pytest tests/benchmarks/bench_indexing.py --benchmark-columns=median,max,rounds

Files are a few bytes each, so that listing, stat and the index of digests are what is timed, in
processor time, which is steadier than wall time on a shared machine; cold, the reading of real
files comes on top. BENCH_INDEXING=1000 times fewer.
"""

import os
import time
from pathlib import Path

import pytest

from bench.data.dataset import Dataset
from bench.data.datasets import load_dataset_class

IMAGES = int(os.environ.get("BENCH_INDEXING", "25000"))
MOST_SECONDS = 10.0
CITIES = 20


def draw_cityscapes(root: Path) -> None:
    """Write files with the names and folders of Cityscapes, and any content."""
    for number in range(IMAGES):
        city = f"city{number % CITIES:02d}"
        frame = f"train/{city}/{city}_{number:06d}_000019"
        for path in (f"leftImg8bit/{frame}_leftImg8bit.png", f"gtFine/{frame}_gtFine_labelIds.png"):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(str(number).encode())
            os.utime(root / path, ns=(1, 1))


def draw_bdd(root: Path) -> None:
    """Write files with the names of BDD, all in two folders."""
    for number in range(IMAGES):
        for path in (f"seg/images/train/{number}.jpg", f"seg/labels/train/{number}_train_id.png"):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(str(number).encode())
            os.utime(root / path, ns=(1, 1))


def index(name: str, root: Path) -> str:
    """Open a split anew and fingerprint it, as every ``plan`` does."""
    found = load_dataset_class(name)
    data: Dataset = found("train", "", root, found.Options())
    data.check()
    content = data.fingerprint()
    assert len(data) == IMAGES
    assert data.cluster(IMAGES - 1)
    return content


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize(("name", "draw"), [("cityscapes", draw_cityscapes), ("bdd", draw_bdd)])
def test_a_warm_index_takes_seconds(benchmark, name, draw, tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    draw(tmp_path)
    started = time.process_time()
    content = index(name, tmp_path)
    benchmark.extra_info.update(images=IMAGES, cold_s=time.process_time() - started)
    assert benchmark.pedantic(index, (name, tmp_path), rounds=3) == content
    assert benchmark.stats.stats.max < MOST_SECONDS
