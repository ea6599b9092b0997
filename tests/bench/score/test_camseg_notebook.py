"""The notebook's reading of the truth, beside others, from the same predictions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.core.errors import SuiteError
from bench.core.schema import CLEAN, IGNORE_INDEX
from bench.data.transforms import resize_label
from bench.engine.accelerator import make_accelerator
from bench.engine.evaluation.evaluate import evaluate
from bench.engine.evaluation.loading import EvaluationJob
from bench.engine.plan import Settings, make_plan
from bench.report.tables.protocol import change_shares
from bench.score.geometry.camseg_notebook import colours, refusal, squash
from bench.score.metrics import METRICS
from bench.suite.reading import read_suite
from tests.helpers.drawn import Silent, split
from tests.helpers.small_methods import SIZE, learned

PALETTE = ((128, 64, 128), (70, 130, 180), (0, 0, 142))
SQUARE = (32, 32)
SUITE = """\
name: trial
question: What does the notebook change?
methods: [{adapter: position_prior}, {adapter: cam_seg}]
train_on: [{dataset: scenes, options: {images: 4}}]
test_on: [{dataset: scenes, options: {images: 2}}]
tasks: [predict, label]
protocol: {resize: [48, 48], eval_at: native}
also_eval_at: [camseg_notebook]
"""


def by_hand(label: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The release's steps, one pixel at a time."""
    table = np.array([(0, 0, 0), PALETTE[0], (0, 130, 180), PALETTE[2]])
    image = table[np.where(label == IGNORE_INDEX, 0, label + 1)].astype(np.uint8)
    small = np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR))
    nearest = [
        [np.sqrt(((pixel - table) ** 2).sum(axis=1)).argmin() for pixel in row]
        for row in small.astype(float)
    ]
    return np.where(np.array(nearest) == 0, IGNORE_INDEX, np.array(nearest) - 1)


@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=30, deadline=None)
def test_labels_are_squashed_as_released(seed: int, height: int, width: int) -> None:
    random = np.random.default_rng(seed)
    label = random.choice([0, 1, 2, IGNORE_INDEX], (12, 20)).astype(int)
    assert (squash(label, PALETTE, (height, width)) == by_hand(label, (height, width))).all()


def test_a_label_of_one_class_keeps_it() -> None:
    for index in range(3):
        label = np.full((10, 30), index, np.uint8)
        assert (squash(label, PALETTE, (8, 8)) == index).all()


def test_a_boundary_becomes_a_third_class() -> None:
    """Half way between two colours lies a third: the reason for the name of trap T5."""
    label = np.repeat(np.array([[0, 1]], np.uint8), 8, axis=1).repeat(4, axis=0)
    between = ((200, 0, 0), (0, 0, 200), (100, 0, 100))
    squashed = squash(label, between, (4, 5))
    assert set(np.unique(label)) == {0, 1}
    assert 2 in squashed


def test_sky_has_the_released_colour() -> None:
    assert colours(PALETTE)[2].tolist() == [0, 130, 180]


@pytest.mark.parametrize(
    ("palette", "message"),
    [
        ((*PALETTE, (128, 64, 128)), "class 3 and class 0 both have"),
        (((0, 0, 0),), "class 0 and void both have"),
    ],
)
def test_colours_that_tell_no_classes_apart_are_refused(
    palette: tuple[tuple[int, int, int], ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        squash(np.zeros((4, 4), np.uint8), palette, (2, 2))


def test_other_than_square_is_refused() -> None:
    assert "two equal sides, such as" in refusal((96, 192))
    assert "images of their own size" in refusal(None)
    assert refusal((96, 96)) == ""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[48, 48]", "[48, 96]", "squashes images to a square; resize gives 48x96"),
        ("resize: [48, 48]", "crop: [48, 48]", "resize gives images of their own size"),
        ("eval_at: native", "eval_at: camseg_notebook", "is already the protocol's own"),
        ("[camseg_notebook]", "[camseg]", "camseg_notebook"),
    ],
)
def test_a_suite_that_cannot_be_scored_so_is_refused(
    old: str, new: str, message: str, tmp_path
) -> None:
    path = tmp_path / "trial.yaml"
    path.write_text(SUITE.replace(old, new))
    with pytest.raises(SuiteError, match=message):
        read_suite(path)


def test_each_score_makes_cells_of_one_prediction(tmp_path) -> None:
    path = tmp_path / "trial.yaml"
    path.write_text(SUITE)
    plan = make_plan(read_suite(path), Settings(tmp_path / "out"))
    floor, camseg = (plan.groups_of(training) for training in plan.trainings)
    found = [
        [(planned.cell.task, planned.cell.protocol.eval_at) for planned in group]
        for group in floor.values()
    ]
    both = ("native", "camseg_notebook")
    assert found == [[("predict", score) for score in both], [("label", score) for score in both]]
    assert len(camseg) == 1  # the truth needs no method: once is enough
    assert len({planned.key for planned in plan.cells}) == 6
    path.write_text(SUITE.replace("also_eval_at", "# also_eval_at"))
    alone = make_plan(read_suite(path), Settings(tmp_path / "out"))
    assert {p.key for p in alone.cells} < {p.key for p in plan.cells}


def test_scores_share_predictions_and_equal_those_made_alone() -> None:
    method = learned("position_prior", "tiny")
    protocol = {"resize": SIZE, "eval_at": "native"}
    both = split(images=3, size=(64, 128), **protocol)
    job = EvaluationJob(both, CLEAN, "predict", 0, geometries=("native", "input"))
    together = evaluate(method, job, make_accelerator(), Silent())
    for score, result in zip(job.geometries, together, strict=True):
        one = split(images=3, size=(64, 128), **{**protocol, "eval_at": score})
        (alone,) = evaluate(
            method, EvaluationJob(one, CLEAN, "predict", 0), make_accelerator(), Silent()
        )
        for ours, theirs in zip(result.counts, alone.counts, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert (result.preview.prediction == alone.preview.prediction).all()


def test_share_of_changed_pixels_is_that_of_the_two_labels() -> None:
    notebook = split(images=3, size=(64, 128), resize=SQUARE, eval_at="camseg_notebook")
    method = learned("position_prior", "tiny")
    (result,) = evaluate(
        method, EvaluationJob(notebook, CLEAN, "label", 0), make_accelerator(), Silent()
    )
    shares = change_shares(result.counts)
    palette = notebook.dataset.label_space.palette
    pairs = [
        (squash(sample.label, palette, SQUARE), resize_label(sample.label, SQUARE))
        for sample in map(notebook.sample, range(3))
    ]
    truth, label = (np.stack(each) for each in zip(*pairs, strict=True))
    to_void, from_void = truth == IGNORE_INDEX, label == IGNORE_INDEX
    differs = truth != label
    expected = (differs, differs & ~to_void & ~from_void, differs & to_void, differs & from_void)
    assert shares == pytest.approx([each.mean() for each in expected])
    assert shares[0] > 0
    assert METRICS["mIoU"](result.counts) < 1


def test_the_label_at_the_inputs_size_is_its_own_truth() -> None:
    method, at_input = learned("position_prior", "tiny"), split(size=(64, 128), eval_at="input")
    (result,) = evaluate(
        method, EvaluationJob(at_input, CLEAN, "label", 0), make_accelerator(), Silent()
    )
    assert METRICS["mIoU"](result.counts) == 1
    assert change_shares(result.counts) == (0, 0, 0, 0)
