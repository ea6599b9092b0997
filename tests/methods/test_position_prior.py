"""The floor, against counting by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bench.core.schema import IGNORE_INDEX, Batch, DataSpec
from methods.position_prior.config import Config
from methods.position_prior.method import PositionPrior

CLASSES = 3
SIZE = (3, 4)


def fitted(labels, parts=1):
    data = DataSpec(classes=("a", "b", "c"), palette=((0, 0, 0),) * 3, size=SIZE)
    method = PositionPrior(Config(), data)
    batches = [
        Batch(torch.zeros(len(part), 3, *SIZE), torch.from_numpy(part), torch.zeros(len(part)))
        for part in np.array_split(labels, parts)
    ]
    method.fit("count", batches)
    return method


def predicted(method, size=SIZE):
    return method.predict(torch.zeros(2, 3, *size), torch.zeros(2)).numpy()


def counted(labels):
    """The most frequent class of every position, one pixel at a time."""
    overall = [(labels == k).sum() for k in range(CLASSES)]
    answer = np.empty(SIZE, dtype=np.int64)
    for place in np.ndindex(SIZE):
        seen = [(labels[:, *place] == k).sum() for k in range(CLASSES)]
        answer[place] = np.argmax(seen if any(seen) else overall)  # the first of equals
    return answer


labels = hnp.arrays(np.int64, (5, *SIZE), elements=st.sampled_from([0, 1, 2, IGNORE_INDEX]))


@settings(max_examples=60, deadline=None)
@given(labels.filter(lambda label: (label != IGNORE_INDEX).any()), st.integers(1, 5))
def test_each_position_takes_its_most_frequent_class(labels, parts):
    prediction = predicted(fitted(labels, parts))
    assert (prediction == counted(labels)).all()


def test_scores_are_frequencies():
    labels = np.zeros((4, *SIZE), dtype=np.int64)
    labels[0] = 2
    method = fitted(labels)
    scores = method.logits(torch.zeros(1, 3, *SIZE), torch.zeros(1))
    assert scores[0, :, 1, 2].tolist() == [0.75, 0.0, 0.25]


def test_another_image_size_takes_the_nearest_position():
    labels = np.zeros((1, *SIZE), dtype=np.int64)
    labels[0, :, 2:] = 1
    larger = predicted(fitted(labels), (6, 8))
    assert (larger[0] == np.repeat(np.repeat(labels[0], 2, 0), 2, 1)).all()


def test_a_set_without_a_label_is_refused():
    with pytest.raises(ValueError, match="no pixel is labelled"):
        fitted(np.full((2, *SIZE), IGNORE_INDEX))
