"""The torch backend against the fast one, on the CPU."""

import numpy as np
import pytest
import torch

from bench.corruptions import GROUPS, SEVERITIES, corrupt, missing
from bench.corruptions.batched import corrupt_batch, noise
from bench.corruptions.batched.planes import padded
from tests.helpers.pictures import street

OWN_DRAWS = ("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise")
SHARED = [
    name
    for name in (*GROUPS["common"], *GROUPS["validation"], "salt_pepper")
    if name not in OWN_DRAWS and not missing(name)
]


@pytest.mark.parametrize("name", SHARED)
def test_agrees_where_the_draws_are_shared(name: str) -> None:
    images = np.stack([street(64, 80), street(64, 80)[::-1]])
    seeds = [5, 2**50 + 1]
    for severity in SEVERITIES[name]:
        batch = torch.from_numpy(images)
        out = corrupt_batch(batch, name, severity, torch.tensor(seeds)).numpy()
        assert (batch.numpy() == images).all()
        for image, seed, ours in zip(images, seeds, out, strict=True):
            difference = np.abs(corrupt(image, name, severity, seed).astype(int) - ours)
            assert difference.max() <= 1, severity


@pytest.mark.parametrize("name", GROUPS["imagenet_c_bar"])
def test_what_has_no_function_here_is_done_image_by_image(name: str) -> None:
    severity = SEVERITIES[name][0]
    ours = corrupt(street(48, 64), name, severity, 5, backend="torch")
    assert (ours == corrupt(street(48, 64), name, severity, 5)).all()


@pytest.mark.parametrize("name", [*SHARED, *OWN_DRAWS])
@pytest.mark.parametrize("size", [(40, 56), (3, 1)], ids=str)
def test_batch_mates_change_nothing(name: str, size: tuple[int, int]) -> None:
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, *size, 3), np.uint8))
    seeds = torch.tensor([11, 12, 13])
    together = corrupt_batch(images, name, 4, seeds)
    alone = [corrupt_batch(images[i : i + 1], name, 4, seeds[i : i + 1]) for i in range(3)]
    assert torch.equal(together, torch.cat(alone))


@pytest.mark.parametrize("name", OWN_DRAWS)
@pytest.mark.parametrize("severity", range(1, 6))
def test_agrees_in_distribution_where_not(name: str, severity: int) -> None:
    count = 200 * 300 * 3
    for level in (20, 128, 250):
        flat = np.full((200, 300, 3), level, np.uint8)
        theirs = corrupt(flat, name, severity, seed=1).ravel()
        ours = corrupt(flat, name, severity, seed=1, backend="torch").ravel()
        assert (ours != theirs).any()
        shares = [np.bincount(each, minlength=256).cumsum() / count for each in (ours, theirs)]
        # Two-sample Kolmogorov-Smirnov at a false alarm in 10,000.
        assert np.abs(shares[0] - shares[1]).max() < np.sqrt(np.log(2 / 1e-4) / count)


def test_poisson_counts_have_equal_mean_and_variance() -> None:
    flat = torch.full((1, 3, 300, 300), 51, dtype=torch.uint8)
    counts = noise.shot_noise(flat, 60, seeds=torch.tensor([1])).double() * 60 / 255
    assert counts.mean().item() == pytest.approx(12, abs=0.2)  # cut to whole levels
    assert counts.var().item() == pytest.approx(12, rel=0.03)


@pytest.mark.parametrize("border", ["edge", "symmetric", "reflect"])
def test_borders_match_numpy(border: str) -> None:
    planes = torch.arange(12.0).view(1, 1, 3, 4)
    ours = {"edge": "edge", "symmetric": "reflect", "reflect": "reflect101"}[border]
    expected = np.pad(planes[0, 0].numpy(), ((5, 7), (9, 2)), mode=border)
    assert (padded(planes, (5, 7, 9, 2), ours)[0, 0].numpy() == expected).all()


@pytest.mark.parametrize(
    ("images", "seeds", "message"),
    [
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), [0], r"\(1, 3, 8, 8\); they must be"),
        (torch.zeros(1, 8, 8, 3), [0], "torch.float32"),
        (torch.zeros(2, 8, 8, 3, dtype=torch.uint8), [0], r"seeds are \[0\]; one is wanted"),
        (torch.zeros(1, 8, 8, 3, dtype=torch.uint8), [-4], "none negative"),
    ],
)
def test_faults_are_named(images: torch.Tensor, seeds: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        corrupt_batch(images, "contrast", 1, torch.tensor(seeds))
