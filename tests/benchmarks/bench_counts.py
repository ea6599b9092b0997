"""Counting one prediction of 1024 x 2048 pixels in 19 classes."""

import numpy as np
import pytest
import torch

from bench.core.schema import IGNORE_INDEX
from bench.core.torchvision_ops import ensure_torchvision
from bench.score.counts import count_image
from bench.score.prepared import count_all, prepare_truth
from tests.helpers.measuring import compare, seconds

CLASSES = 19
MILLISECONDS = 25


@pytest.fixture(scope="module")
def street():
    """A truth with objects, borders and void, and a prediction off by some pixels: uint8."""
    height, width = 1024, 2048
    draws = np.random.default_rng(0)
    row, column = np.mgrid[:height, :width]
    truth = np.where(row < 400, 10, np.where(row < 700, 8, 0)).astype(np.uint8)
    instance = np.zeros((height, width), np.uint16)
    for number in range(1, 121):
        y, x, h, w = draws.integers((300, 0, 8, 8), (1000, 2000, 200, 150))
        inside = ((row - y) / h) ** 2 + ((column - x) / w) ** 2 < 1
        truth[inside], instance[inside] = draws.integers(CLASSES), number
    truth[940:], instance[940:] = IGNORE_INDEX, 0
    predicted = np.roll(truth, (3, 5), axis=(0, 1))
    blotches = np.kron(draws.random((height // 16, width // 16)) < 0.1, np.ones((16, 16))) > 0
    predicted[blotches | (predicted == IGNORE_INDEX)] = 7
    return truth, instance, predicted


def mmseg_histogram(truth: np.ndarray, predicted: np.ndarray) -> torch.Tensor:
    """Count as open-mmlab/mmsegmentation v1.2.2 does (IoUMetric.intersect_and_union)."""
    label, said = torch.from_numpy(truth), torch.from_numpy(predicted)
    labelled = label != IGNORE_INDEX
    said, label = said[labelled], label[labelled]
    hit = said[said == label]
    areas = [
        torch.histc(values.float(), bins=CLASSES, min=0, max=CLASSES - 1).cpu()
        for values in (hit, said, label)
    ]
    return torch.stack(areas)


def test_the_confusion_alone(performance, light, street):
    ensure_torchvision()
    from torchmetrics.classification import MulticlassJaccardIndex

    truth, _, predicted = street
    ours = count_image(truth, predicted, CLASSES)[:CLASSES, :CLASSES]
    areas = mmseg_histogram(truth, predicted).long().numpy()
    assert (areas == [np.diag(ours), ours.sum(axis=0), ours.sum(axis=1)]).all()
    theirs = MulticlassJaccardIndex(CLASSES, ignore_index=IGNORE_INDEX)
    label, said = torch.from_numpy(truth).long()[None], torch.from_numpy(predicted).long()[None]
    theirs.update(said, label)
    assert (theirs.confmat.numpy() == ours).all()
    rounds = 3 if light else 9

    def confusion():
        return count_image(truth, predicted, CLASSES)

    jaccard = compare(confusion, lambda: theirs.update(said, label), rounds)
    performance.faster(
        "confusion of a prediction beside torchmetrics",
        "torchmetrics' MulticlassJaccardIndex",
        jaccard,
        10,
    )
    histogram = compare(confusion, lambda: mmseg_histogram(truth, predicted), rounds)
    performance.faster("confusion of a prediction", "mmsegmentation's histograms", histogram, 30)


def test_everything_that_is_stored(performance, light, street):
    """Bands, sizes and instances besides, the truth's part being prepared."""
    truth, instance, predicted = street
    prepared = prepare_truth(truth, CLASSES, instance)
    rounds = 3 if light else 15
    times = sorted(seconds(lambda: count_all(prepared, predicted)) for _ in range(rounds))
    apart = min(seconds(lambda: prepare_truth(truth, CLASSES, instance)) for _ in range(3))
    performance.at_most(
        "all counts of a prediction, the truth prepared",
        1000 * times[rounds // 2],
        MILLISECONDS,
        "ms",
        f"{1000 * times[0]:.3g} to {1000 * times[-1]:.3g} ms; the truth once: "
        f"{1000 * apart:.3g} ms",
    )
