"""Which images of a cell are kept, and at what size."""

import numpy as np
import pytest

from bench.data.transforms import Loaded
from bench.engine.evaluation.previews import PREVIEWS, WIDEST_PX, make_preview, preview_places


@pytest.mark.parametrize("images", [1, 3, PREVIEWS, 9, 101, 500])
def test_images_are_kept_from_all_over_a_split(images):
    places = sorted(preview_places(images))
    assert len(places) == min(PREVIEWS, images)
    assert all(0 <= place < images for place in places)
    gaps = np.diff([-1, *places, images])
    assert gaps.max() <= 2 * max(1, images // len(places)) + 1


def loaded(name, height, width):
    label = np.arange(height * width, dtype=np.uint8).reshape(height, width) % 5
    return Loaded(name, np.repeat(label[..., None], 3, axis=2), label, ())


def test_wide_images_are_kept_smaller_and_labels_keep_their_values():
    kept = [(sample := loaded("a", 64, 2 * WIDEST_PX), sample.label)]
    kept.append(((other := loaded("b", 32, 48)), other.label))
    preview = make_preview(kept)
    assert list(preview.ids) == ["a"]  # the other one has another size
    assert preview.image.shape == (1, 32, WIDEST_PX, 3)
    assert preview.label.shape == preview.prediction.shape == (1, 32, WIDEST_PX)
    assert set(np.unique(preview.label)) <= set(range(5))


def test_small_images_are_kept_as_they_are():
    sample = loaded("b", 32, 48)
    preview = make_preview([(sample, sample.label)])
    assert np.array_equal(preview.image[0], sample.image)
    assert np.array_equal(preview.prediction[0], sample.label)
