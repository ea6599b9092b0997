"""With one seed, severities are steps of one change, so that curves over them are paired."""

import numpy as np
import pytest

from bench.core.schema import Condition, DataRef, Protocol
from bench.corruptions import CATALOGUE, NAMES, SEVERITIES, corrupt, missing
from bench.data.dataset import Dataset
from bench.data.datasets.scenes import SceneOptions, Scenes
from bench.data.split import Split
from tests.helpers.pictures import street

IMAGE = street()
APART = {"shot_noise", "glass_blur", "snow"}
"""Whose published draws depend on the severity: ``bench.corruptions`` says why."""
NESTED = [n for n in NAMES if CATALOGUE[n].random and n not in APART and not missing(n)]


def likeness(name: str, seeds: tuple[int, int]) -> float:
    """Correlation of what two severities change, each with a seed of its own; its size counts."""
    middle, last = SEVERITIES[name][len(SEVERITIES[name]) // 2 - 1], SEVERITIES[name][-1]
    changes = [
        corrupt(IMAGE, name, severity, seed).astype(float) - IMAGE
        for severity, seed in zip((middle, last), seeds, strict=True)
    ]
    return abs(float(np.corrcoef(changes[0].ravel(), changes[1].ravel())[0, 1]))


@pytest.mark.parametrize("name", NESTED)
def test_severities_of_one_seed_are_alike(name: str) -> None:
    other = np.mean([likeness(name, (5, seed)) for seed in (6, 7, 8)])
    assert likeness(name, (5, 5)) > other + 0.02


@pytest.mark.parametrize("name", ["salt_pepper", "impulse_noise", "camseg_salt_pepper"])
def test_what_a_lower_severity_replaced_stays_replaced(name: str) -> None:
    low, high = (corrupt(IMAGE, name, severity, seed=3) for severity in (2, 4))
    touched = low != IMAGE
    assert touched.any()
    assert (low[touched] == high[touched]).all()


def test_noise_of_a_higher_severity_is_that_of_a_lower_one_enlarged() -> None:
    grey = np.full((64, 64, 3), 128, np.uint8)
    low, high = (
        corrupt(grey, "camseg_gaussian_noise", severity, seed=3).astype(float) - 128
        for severity in (1, 3)
    )
    assert np.abs(high - 4 * low).max() <= 2.5  # 20 over 5; each is rounded


def test_a_split_keys_draws_by_the_corruption_alone(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
    scenes: Dataset = Scenes("val", "", None, SceneOptions(images=1, height=48, width=96))
    reference = DataRef(dataset="scenes", split="val")
    split = Split(scenes, reference, Protocol(resize=(48, 96)))
    clean = split.load(0).image
    low, high = (
        split.load(0, Condition(corruption="salt_pepper", severity=severity)).image
        for severity in (2, 5)
    )
    touched = (low != clean).any(axis=2)
    assert touched.any()
    assert (low[touched] == high[touched]).all()
