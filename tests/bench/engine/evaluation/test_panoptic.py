"""Semantic and panoptic scores and instance AP come from one pass, through store and report."""

import numpy as np
import pydantic
import pytest
import torch

from bench.core.config import MethodConfig
from bench.core.method import Method, Segmented
from bench.core.schema import CLEAN, DataRef, DataSpec, Protocol, Slide
from bench.data.dataset import Dataset, LabelSpace, NoOptions, Sample
from bench.data.split import Split
from bench.engine.accelerator import make_accelerator
from bench.engine.evaluation.evaluate import evaluate
from bench.engine.evaluation.loading import EvaluationJob
from bench.report.kit.latex import latex
from bench.report.statistics import make_blocks
from bench.report.tables.panoptic import panoptic_tables
from bench.score.metrics import METRICS
from tests.helpers.stores import Store, make_cell

SIZE = (16, 32)
CLASSES = ("road", "car")
SPACE = LabelSpace(
    name="street", classes=CLASSES, palette=((0, 0, 0), (0, 0, 142)), things=("car",)
)
DATA = DataSpec(classes=CLASSES, palette=SPACE.palette, size=SIZE)


class Street(Dataset):
    """A road with two cars that touch, so that only their numbers tell them apart.

    The image holds the label in its red channel and the instance in its green one.
    """

    title, licence, citation = "street", "none", "none"
    splits, needs_root, label_space = ("val",), False, SPACE

    def __init__(self, numbered=True):
        super().__init__("val", "", None, NoOptions())
        self.numbered = numbered

    def check(self):
        pass

    def __len__(self):
        return 3

    def __getitem__(self, index):
        instance = np.zeros(SIZE, np.uint16)
        instance[4:8, 4 + index : 10 + index] = 1
        instance[4:8, 10 + index : 16 + index] = 2
        label = (instance > 0).astype(np.uint8)
        image = np.stack([label, instance, label], -1).astype(np.uint8)
        return Sample(f"{index}", image, label, instance if self.numbered else None)

    def ids(self):
        return ("0", "1", "2")

    def fingerprint(self):
        return "street"


class Semantic(Method[MethodConfig]):
    """Reads the label from the image."""

    def predict(self, image, seeds):
        return (255 * image[:, 0]).round().long()


class Panoptic(Semantic):
    """Reads the instances too."""

    def segments(self, image, seeds):
        label = self.predict(image, seeds)
        return Segmented(label, (255 * image[:, 1]).round().long(), torch.ones(label.shape))


def counts(method_class, numbered=True, **settings):
    protocol = Protocol(**{"resize": SIZE, "segments": True, **settings})
    split = Split(Street(numbered), DataRef(dataset="street", split="val"), protocol)
    method = method_class(MethodConfig(), DATA)
    job = EvaluationJob(split, CLEAN, "predict", 0)
    (found,) = evaluate(method, job, make_accelerator(), Silent())
    return found.counts


class Silent:
    """Progress that nobody watches."""

    def begin(self, title, total):
        pass

    def advance(self, done, note=""):
        pass


def test_a_method_that_tells_instances_is_scored_by_them():
    found = counts(Panoptic)
    scores = {name: METRICS[name](found) for name in ("mIoU", "PQ", "PQ_things", "PQ_stuff")}
    assert list(scores.values()) == pytest.approx([1, 1, 1, 1])
    # No car has the hundred pixels from which Cityscapes asks for it.
    assert found.precision.tolist() == pytest.approx([1, 1, 0, 0])
    assert found.things.tolist() == [False, True]
    assert found.segments.shape == (3, 4, 2)


def test_components_take_touching_instances_for_one():
    found = counts(Semantic)
    assert METRICS["mIoU"](found) == pytest.approx(1)
    assert METRICS["PQ_stuff"](found) == pytest.approx(1)
    assert METRICS["PQ_things"](found) == 0
    assert found.precision[0] < 0.1


def test_segments_are_compared_at_the_truths_size():
    found = counts(Panoptic, resize=(8, 16))
    assert METRICS["PQ_things"](found) > 0.5


def test_nothing_is_counted_unasked():
    found = counts(Panoptic, segments=False)
    assert found.segments is None
    assert np.isnan(METRICS["PQ"](found))


def test_truth_without_instances_is_refused():
    with pytest.raises(ValueError, match="0 has no instances"):
        counts(Panoptic, numbered=False)


def test_windows_are_refused():
    with pytest.raises(pydantic.ValidationError, match="slide"):
        Protocol(resize=SIZE, segments=True, slide=Slide(window=(8, 8), stride=(8, 8)))


def test_the_report_has_all_of_one_pass(tmp_path):
    store = Store(tmp_path, images=3)
    protocol = Protocol(resize=SIZE, segments=True)
    for label, method_class in (("Tells", Panoptic), ("Guesses", Semantic)):
        cell = make_cell(label, protocol=protocol)
        store.folder.cells.write(store.add(cell, 1.0), counts(method_class), None)
    store.fail(make_cell("Fails", protocol=protocol), "out of memory")
    (block,) = make_blocks(store.folder)
    (table,) = panoptic_tables(block)
    rows = {row[0].text: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert rows["Tells"]["PQ_things ↑"].value == pytest.approx(1)
    assert rows["Guesses"]["PQ_things ↑"].value == 0
    assert rows["Guesses"]["mIoU ↑"].value == pytest.approx(1)
    assert rows["Tells"]["PQ ↑"].low is not None
    assert (rows["Tells"]["AP ↑"].value, rows["Tells"]["AP ↑"].low) == (pytest.approx(1), None)
    assert rows["Fails"]["AP ↑"].value is None
    for text in (table.markdown(), table.csv(), latex(table, "small")):
        assert "Tells" in text
