"""Random changes of training samples: the turn of the hue, and crops of more than one class."""

import numpy as np
import pytest
import torch

from bench.core.schema import IGNORE_INDEX
from bench.core.stage import Augment
from bench.data.transforms import Loaded, augment, to_tensors

STILL = {"flip": False}


def sample(label):
    image = np.random.default_rng(0).integers(0, 256, (*label.shape, 3), dtype=np.uint8)
    return Loaded("one", image, label, ())


def shares(label):
    counts = np.bincount(label[label != IGNORE_INDEX], minlength=1)
    return counts.max() / max(counts.sum(), 1)


@pytest.fixture
def striped():
    """All of class 0 but for a stripe of class 1 at one end."""
    label = np.zeros((16, 64), np.uint8)
    label[:, 56:] = 1
    return sample(label)


def test_crops_are_drawn_anew_while_one_class_has_too_much(striped):
    def crops(ratio):
        settings = Augment(**STILL, cat_max_ratio=ratio)
        return [augment(striped, settings, (16, 16), seed).label for seed in range(60)]

    plain, chosen = crops(1.0), crops(0.75)
    mixed = [sum(shares(label) < 0.75 for label in labels) for labels in (plain, chosen)]
    assert mixed[1] > 2 * mixed[0]
    for before, after in zip(plain, chosen, strict=True):
        if shares(before) < 0.75:
            assert np.array_equal(before, after)  # what was good is not drawn anew


def test_a_crop_of_one_class_is_taken_where_there_is_no_other():
    for label in (np.zeros((8, 8), np.uint8), np.full((8, 8), IGNORE_INDEX, np.uint8)):
        settings = Augment(**STILL, cat_max_ratio=0.75)
        assert augment(sample(label), settings, (4, 4), 3).label.shape == (4, 4)


def test_the_hue_turns_and_brightness_stays(striped):
    image = augment(striped, Augment(**STILL, hue=0.1), (16, 64), 5).image
    assert not np.array_equal(image, striped.image)
    # The greatest and least channels of HSV do not know the hue.
    for extreme in (np.max, np.min):
        before, after = (extreme(i.astype(int), axis=2) for i in (striped.image, image))
        assert np.abs(before - after).max() <= 1


def test_without_hue_or_ratio_nothing_else_is_drawn(striped):
    """Settings that change nothing leave the other draws where they are."""
    plain = augment(striped, Augment(colour=0.3), (8, 32), 7)
    same = augment(striped, Augment(colour=0.3, hue=0.0, cat_max_ratio=1.0), (8, 32), 7)
    turned = augment(striped, Augment(colour=0.3, hue=0.2), (8, 32), 7)
    assert np.array_equal(plain.image, same.image)
    assert np.array_equal(plain.label, turned.label)


def test_instances_go_through_the_changes_of_their_labels(striped):
    """And are nowhere where the crop is larger than the image."""
    named = striped._replace(instance=7 * striped.label.astype(np.int32))
    settings = Augment(scale=(0.5, 2.0))
    for seed in range(20):
        changed = augment(named, settings, (24, 40), seed)
        expected = np.where(changed.label == IGNORE_INDEX, 0, 7 * changed.label.astype(int))
        assert np.array_equal(changed.instance, expected)
        alone = augment(striped, settings, (24, 40), seed)
        assert alone.instance is None
        assert np.array_equal(alone.label, changed.label)
        assert np.array_equal(alone.image, changed.image)


def test_a_batch_has_instances_if_any_sample_has(striped):
    device = torch.device("cpu")
    assert to_tensors([striped], [0], device).instance is None
    named = striped._replace(instance=np.ones((16, 64), np.int32))
    instance = to_tensors([striped, named], [0, 0], device).instance
    assert instance.dtype == torch.int64
    assert instance.float().mean((1, 2)).tolist() == [0, 1]
