"""What a bootstrap draws."""

import numpy as np
import pytest

from bench.score.counts import Counts, count_image, stack_counts
from bench.score.metrics import METRICS
from bench.score.resampling import replicates, resampling
from bench.score.stats import score_cells

MIOU = METRICS["mIoU"]


def test_images_sequences_or_blocks():
    images = resampling([f"{i}" for i in range(30)])
    assert (images.unit, images.drawn, images.note) == ("image", 30, "30 images")
    sequences = resampling([f"{i % 10}" for i in range(30)])
    assert (sequences.unit, sequences.drawn) == ("sequence", 10)
    assert sequences.note == "10 sequences (30 images)"
    blocks = resampling(["a"] * 60 + ["b"] * 41)
    assert (blocks.unit, blocks.length, blocks.drawn) == ("block", 11, 10)
    assert blocks.note == (
        "10 blocks of 11 consecutive frames, as the 101 images come from only 2 sequences"
    )


def test_blocks_hold_consecutive_frames_of_one_sequence():
    """Frames that lie apart in the file, as sequences take turns, are consecutive in theirs."""
    names = ["a", "b"] * 10 + ["a"] * 5
    plan = resampling(names)
    assert plan.length == 3
    marks = plan.candidates(np.eye(25))
    assert marks.shape == (25, 25)
    assert (marks.sum(axis=0) == 3).all()  # every frame is in as many blocks
    own = {name: [i for i, other in enumerate(names) if other == name] for name in "ab"}
    for mark in marks:
        members = np.flatnonzero(mark)
        name = names[members[0]]
        places = sorted(own[name].index(member) for member in members)
        size = len(own[name])
        assert any({(start + i) % size for i in range(3)} == set(places) for start in range(size))


def test_a_sequence_shorter_than_a_block_goes_round():
    plan = resampling(["long"] * 38 + ["short"] * 2)
    assert plan.length == 4
    marks = plan.candidates(np.eye(40))
    assert (marks[-2:, -2:] == 2).all()
    assert (marks.sum(axis=0) == 4).all()


def test_few_units_widen_the_interval():
    """Ten equal blocks of ten equal frames hold ten observations, not a hundred."""
    generator = np.random.default_rng(0)
    hits = np.repeat(generator.integers(100, 180, 10), 10)
    truth = np.zeros(200, int)
    counts = stack_counts([count_image(truth, np.arange(200) >= hit, 2) for hit in hits])
    alone = score_cells(MIOU, [counts], ["k"], [f"{i}" for i in range(100)])[0]
    blocks = score_cells(MIOU, [counts], ["k"], ["one"] * 100)[0]
    assert blocks.value == alone.value
    assert blocks.units == 10
    assert blocks.image_error > 2 * alone.image_error
    low, high = blocks.interval()
    percentiles = np.quantile(blocks.draws, [0.025, 0.975])
    assert (high - low) / np.ptp(percentiles) == pytest.approx(
        2.262 / 1.960 * np.sqrt(10 / 9), rel=0.05
    )


def test_blocks_are_paired_between_cells():
    truth = np.arange(200) % 3
    counts: Counts = stack_counts([count_image(truth, truth % 2, 3) for _ in range(40)])
    plan = resampling(["one"] * 40)
    one, two = replicates(MIOU, [counts, counts], plan, resamples=50)
    np.testing.assert_array_equal(one, two)
    np.testing.assert_allclose(one, MIOU(counts))
