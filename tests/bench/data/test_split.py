"""A split under a protocol: order, sizes, corruption, memory."""

import numpy as np
import pytest

from bench.core.schema import Condition
from bench.data import split as module
from tests.helpers.drawn import Drawn, split

FOG = Condition(corruption="fog", severity=3)


@pytest.mark.parametrize(
    ("limit", "start", "ids"), [(3, 0, "012"), (5, 2, "234"), (None, 9, ["9", "10"])]
)
def test_a_part_is_a_range_of_the_images(limit, start, ids):
    data = split()
    part = module.Split(data.dataset, data.reference, data.protocol, limit, start)
    assert part.ids == tuple(ids)
    assert part.load(0).id == part.ids[0]
    assert len(part.clusters) == len(part)


def test_image_and_label_have_the_protocol_s_size_and_the_truth_its_own():
    loaded = split(resize=(16, 40)).load(0)
    assert loaded.image.shape == (16, 40, 3)
    assert loaded.label.shape == (16, 40)
    assert loaded.truths == ()
    sizes = [split(resize=(16, 40)).truth(0, name).label.shape for name in ("native", "input")]
    assert sizes == [Drawn(1).size, (16, 40)]


def test_a_corruption_depends_on_seed_and_image_and_on_nothing_else():
    data = split()
    first = data.load(1, FOG, seed=0).image
    assert np.array_equal(split(images=5).load(1, FOG, seed=0).image, first)
    assert not np.array_equal(data.load(1, FOG, seed=1).image, first)
    assert np.array_equal(data.load(1, FOG, seed=0).image, first)
    assert np.array_equal(data.load(1, FOG).label, data.load(1).label)


@pytest.mark.parametrize("corrupt_at", ["input", "native"])
def test_an_image_is_corrupted_before_or_after_the_resize(corrupt_at):
    noise = Condition(corruption="gaussian_noise", severity=5)
    size = (8, 16)
    loaded = split(resize=size, corrupt_at=corrupt_at).load(0, noise)
    clean = split(resize=size).load(0)
    spread = np.std(loaded.image.astype(float) - clean.image)
    # Resizing to a quarter averages the noise of some sixteen pixels.
    assert (spread > 30) == (corrupt_at == "input")


def test_decoded_samples_are_kept_while_there_is_room(monkeypatch):
    class Counted(Drawn):
        reads = 0

        def __getitem__(self, index):
            self.reads += 1
            return super().__getitem__(index)

    for room, reads in ((2**30, 4), (1, 4 + 3)):
        monkeypatch.setattr(module, "CACHE_BYTES", room)
        dataset = Counted(4)
        data = module.Split(dataset, split().reference, split().protocol)
        for _ in range(2):
            for index in range(4):
                data.sample(index)
        assert dataset.reads == reads


def test_widths_follow_the_height_that_a_protocol_means_them_at():
    blur = Condition(corruption="gaussian_blur", severity=3)
    plain, scaled = (split(resize=(32, 64), reference_height=h) for h in (None, 16))
    sharp = plain.load(0).image
    moved = [
        np.abs(data.load(0, blur).image.astype(int) - sharp).mean() for data in (plain, scaled)
    ]
    assert moved[0] < moved[1]  # twice the height, twice the width
    same = split(resize=(32, 64), reference_height=32)
    assert np.array_equal(same.load(0, blur).image, plain.load(0, blur).image)
