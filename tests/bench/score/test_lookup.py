import numpy as np
import pytest

from bench.score.counts import count_image, stack_counts
from bench.score.lookup import PRECISIONS, score_of

TRUTH = np.array([[0, 0, 1, 1]], np.uint8)
FOUND = np.array([[0, 1, 1, 1]], np.uint8)
COUNTS = stack_counts([count_image(TRUTH, FOUND, 2)])


def test_a_metric_of_single_classes() -> None:
    assert score_of("precision_camseg", COUNTS) == pytest.approx((1 + 2 / 3) / 2)
    assert score_of("precision_camseg", COUNTS, [1]) == pytest.approx(2 / 3)


def test_precisions_are_those_that_were_counted() -> None:
    scored = COUNTS._replace(precision=np.array([0.1, 0.2, 0.3, 0.4]))
    assert [score_of(name, scored) for name in PRECISIONS] == [0.1, 0.2, 0.3, 0.4]


def test_what_was_not_counted_is_nan() -> None:
    assert np.isnan(score_of("AP", COUNTS))
    of_before = COUNTS._replace(precision=np.array([0.1, 0.2]))
    assert score_of("AP50", of_before) == 0.2
    assert np.isnan(score_of("AP_cityscapes", of_before))
