"""Arrays kept on disk: whole or not at all, within bounds, and once for all methods."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from bench import corruptions
from bench.core.schema import CLEAN, Condition, DataRef, Protocol
from bench.data import split as splits
from bench.data.files import array_cache
from bench.data.files.array_cache import ArrayCache
from bench.data.split import Split
from bench.engine.accelerator import make_accelerator
from bench.engine.evaluation.evaluate import evaluate
from bench.engine.evaluation.loading import EvaluationJob
from tests.helpers.drawn import Drawn, Silent
from tests.helpers.small_methods import SIZE, learned

CONDITIONS = [Condition(corruption=name, severity=2) for name in ("gaussian_noise", "contrast")]
LARGE = np.arange(60_000, dtype=np.uint16).reshape(200, 300)


def same(arrays, expected):
    return arrays.keys() == expected.keys() and all(
        np.array_equal(arrays[name], expected[name]) and arrays[name].dtype == expected[name].dtype
        for name in expected
    )


@pytest.fixture
def cache(tmp_path):
    return ArrayCache(tmp_path / "arrays")


def test_arrays_come_back_as_they_were_put(cache):
    arrays = {"image": LARGE, "number": np.asarray(3)}
    assert cache.get("key") is None
    cache.put("key", arrays)
    assert same(ArrayCache(cache.folder).get("key"), arrays)


def test_no_more_is_kept_than_there_is_room_for(cache):
    bounded = ArrayCache(cache.folder, most_bytes=2 * LARGE.nbytes)
    for key in "abc":
        bounded.put(key, {"image": LARGE})
    kept = [key for key in "abc" if bounded.get(key) is not None]
    assert kept == ["a"]
    assert sum(path.stat().st_size for path in cache.folder.rglob("*")) <= 2 * LARGE.nbytes


def test_what_expired_makes_room(cache, monkeypatch):
    bounded = ArrayCache(cache.folder, most_bytes=2 * LARGE.nbytes)
    monkeypatch.setattr(array_cache, "EXPIRE_SECONDS", -1)
    bounded.put("a", {"image": LARGE})
    monkeypatch.undo()
    bounded.put("b", {"image": LARGE})
    assert bounded.get("a") is None
    assert same(bounded.get("b"), {"image": LARGE})


def test_others_keep_their_room_on_the_disk(cache, monkeypatch):
    monkeypatch.setattr(array_cache, "LEAST_FREE_BYTES", 2**60)
    cache.put("key", {"image": LARGE})
    assert cache.get("key") is None


@pytest.mark.parametrize("damage", ["cut", "flip", "delete"])
def test_a_damaged_file_is_a_miss(cache, damage):
    cache.put("key", {"image": LARGE})
    (file,) = [path for path in cache.folder.rglob("*.val")]
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "delete":
        file.unlink()
    else:
        file.write_bytes(content if damage == "flip" else content[:-1000])
    assert cache.get("key") is None


def test_a_folder_that_cannot_be_written_to_costs_no_more_than_time(tmp_path: Path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    cache = ArrayCache(tmp_path / "file" / "arrays")
    cache.put("key", {"image": LARGE})
    assert cache.get("key") is None

    def busy(*arguments, **named):
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(array_cache, "Cache", busy)
    cache = ArrayCache(tmp_path / "arrays")
    cache.put("key", {"image": LARGE})
    assert cache.get("key") is None


def test_three_methods_cost_the_corruptions_and_truths_of_one(cache, monkeypatch):
    """Calls are counted, and the counts of images are those without a cache."""
    calls = {"corrupt": 0, "truth": 0, "sample": 0}

    def counted(name, function):
        def call(*arguments, **named):
            calls[name] += 1
            return function(*arguments, **named)

        return call

    monkeypatch.setattr(corruptions, "corrupt", counted("corrupt", corruptions.corrupt))
    monkeypatch.setattr(splits, "prepare_truth", counted("truth", splits.prepare_truth))
    methods = [learned("baselines", name) for name in ("segformer_tiny", "deeplabv3plus_tiny")]
    methods.append(learned("position_prior", "tiny"))
    found = {}
    for kept in (cache, None):
        for number, method in enumerate(methods):
            a_split = Split(
                Drawn(5), DataRef(dataset="drawn", split="val"), Protocol(resize=SIZE), cache=kept
            )
            for condition in (CLEAN, *CONDITIONS):
                job = EvaluationJob(a_split, condition, "predict", 0)
                (result,) = evaluate(method, job, make_accelerator(), Silent())
                arrays = [a.tolist() for a in result.counts if a is not None]
                arrays.append(result.preview.image.tolist())
                assert found.setdefault((number, str(condition)), arrays) == arrays
            if kept is not None:
                assert calls["corrupt"] == 5 * len(CONDITIONS)
                assert calls["truth"] == 5
    assert calls["corrupt"] == (1 + 3) * 5 * len(CONDITIONS)


def test_no_two_images_share_a_key():
    """Of another content, protocol, image, condition or seed; not of another metric."""

    def keys(images=2, limit=None, **protocol):
        reference = DataRef(dataset="drawn", split="val")
        settings = {"resize": SIZE, **protocol}
        a_split = Split(
            Drawn(images), reference, Protocol(**settings), limit, cache=ArrayCache(".")
        )
        return [
            a_split._key("image", index, condition, seed)
            for index in range(2)
            for condition in CONDITIONS
            for seed in (0, 1)
        ]

    every = [
        *keys(), *keys(images=3), *keys(resize=(24, 32)), *keys(corrupt_at="native"),
        *keys(backend="torch"), *keys(resize=None, short_side=24, crop=(24, 24)),
    ]  # fmt: skip
    assert len(set(every)) == len(every) == 6 * 8
    assert keys(limit=2, metrics=("aAcc",), micro_batch=1, eval_at="input") == keys()
