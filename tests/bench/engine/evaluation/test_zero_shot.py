"""Trained in universal classes, tested in other label spaces: plan, counts and report."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bench.cli.main import main
from bench.core.errors import PlanError, SuiteError
from bench.core.method import Labelled
from bench.core.schema import CLEAN, Batch, DataRef, DataSpec, Protocol, Slide
from bench.data import taxonomy
from bench.data.split import Split
from bench.data.taxonomy import Projection, colormap
from bench.engine.accelerator import make_accelerator
from bench.engine.evaluation.evaluate import evaluate
from bench.engine.evaluation.inference import infer
from bench.engine.evaluation.loading import EvaluationJob
from bench.engine.plan import Settings, make_plan
from bench.report.selection import main_blocks
from bench.report.statistics import make_blocks
from bench.report.tables.zero_shot import zero_shot_tables
from bench.report.zero_shot import ZeroShot
from bench.store.folders import SuiteFolder
from bench.suite.reading import read_suite
from tests.helpers.camvid_tree import draw_camvid
from tests.helpers.drawn import Drawn, Silent

SCENES = "options: {images: %d, height: 48, width: 96}"
SUITE = f"""\
name: unseen
question: What is lost on the way to another label space?
methods:
  - {{adapter: position_prior, label: Floor}}
  - {{adapter: my_method, label: Mine, config: {{steps: 2, width: 4}}}}
train_on:
  - dataset: mixture
    options:
      taxonomy: scenes
      parts:
        - {{dataset: scenes, subset: city, {SCENES % 4}}}
        - {{dataset: scenes, subset: home, {SCENES % 2}, repeat: 2}}
test_on:
  - {{dataset: scenes, subset: wild, {SCENES % 3}}}
  - {{dataset: scenes, subset: office, {SCENES % 3}}}
  - {{dataset: camvid, optional: true}}
tasks: [predict, reconstruct]
protocol: {{resize: [48, 96], metrics: [mIoU]}}
"""


@pytest.fixture
def suite(tmp_path, monkeypatch, my_method):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BENCH_DATA", raising=False)
    (tmp_path / "unseen.yaml").write_text(SUITE)
    return tmp_path / "unseen.yaml"


def plan_of(suite, *overrides, root=None):
    loaded = read_suite(suite, overrides)
    return make_plan(loaded, Settings(suite.parent / "out", root))


def test_every_mapping_is_a_cell_where_the_method_has_it(suite):
    plan = plan_of(suite)
    found = [(p.cell.label, str(p.cell.test_on), p.cell.mapping) for p in plan.cells]
    assert found == [
        *(("Floor", f"scenes/{name}", how) for name in ("wild", "office")
          for how in ("soft", "hard")),
        *(("Mine", f"scenes/{name}", "hard") for name in ("wild", "office")),
    ]  # fmt: skip
    assert len({planned.key for planned in plan.cells}) == len(plan.cells)
    assert {p.cell.task for p in plan.cells} == {"predict"}
    assert plan.cells[0].training.data.classes == taxonomy.load("scenes").classes
    assert plan.cells[2].space.name == "scenes-office-13"


def test_a_suite_can_ask_for_one_mapping_only(suite):
    assert {p.cell.mapping for p in plan_of(suite, "mappings=[hard]").cells} == {"hard"}
    with pytest.raises(PlanError, match="Mine gives no class probabilities.*add hard"):
        plan_of(suite, "mappings=[soft]")
    with pytest.raises(SuiteError, match=r"mappings.0: .*'soft' or 'hard'.*got 'softly'"):
        plan_of(suite, "mappings=[softly]")


def test_sets_that_no_taxonomy_joins_are_refused(suite):
    with pytest.raises(PlanError, match="train on a mixture in a universal one"):
        plan_of(suite, "train_on=[scenes/city]")
    with pytest.raises(PlanError, match="scenes/office: mseg has no label space"):
        plan_of(
            suite,
            "train_on.0.options.taxonomy=mseg",
            "train_on.0.options.parts=[{dataset: scenes}]",
        )


def test_training_and_test_sets_can_go_in_pairs(suite):
    pairs = ("paired=true", "train_on=[scenes/city, scenes/home]")
    plan = plan_of(suite, *pairs, "test_on=[scenes/fog, scenes/home]")
    assert [(str(p.cell.train_on), str(p.cell.test_on)) for p in plan.cells][:2] == [
        ("scenes/city", "scenes/fog"),
        ("scenes/home", "scenes/home"),
    ]
    assert {planned.cell.mapping for planned in plan.cells} == {""}
    with pytest.raises(SuiteError, match="2 training and 1 test sets"):
        plan_of(suite, *pairs, "test_on=[scenes/fog]")


def test_several_resolutions_are_several_cells_of_one_training(suite):
    plan = plan_of(suite, "resolutions=[48, 24]", "mappings=[hard]")
    sides = [planned.cell.protocol.short_side for planned in plan.cells]
    assert sides == [48, 24] * 4
    assert len(plan.trainings) == 2


def test_a_run_maps_counts_and_reports(suite, capsys):
    assert main(["run", str(suite), "--output", "out"]) == 0
    folder = SuiteFolder(suite.parent / "out" / "unseen")
    records = {(r.cell.label, str(r.cell.test_on), r.cell.mapping): r for r in folder.records()}
    assert len(records) == 6
    office = records["Floor", "scenes/office", "hard"]
    assert office.classes[-1] == "waste bin"
    assert office.unreachable == ("waste bin",)
    assert office.unmapped == 20
    assert {label for (label, *_), record in records.items() if record.floor} == {"Floor"}
    assert office.train_set.contents == "scenes/city and 2 × scenes/home"
    assert office.test_set.generated
    counts = folder.counts(office.key)
    assert counts.num_classes == 13
    assert counts.unmapped.shape == (3,)
    predicted_0 = counts.pixels[counts.predicted == 0].sum()
    assert 0 < counts.unmapped.sum() <= predicted_0
    report = suite.parent / "out" / "reports" / "unseen"
    table = (report / "tables" / "zero-shot.md").read_text()
    assert "Mine: hard only" in table
    assert table.count("| Floor | ") == 2
    assert (report / "tables" / "harmonic-means.csv").exists()
    lost = (report / "tables" / "mapping.md").read_text()
    assert "| scenes/office | 13 | waste bin |" in lost
    assert "Over 2 test sets in label spaces of their own, " in (report / "index.html").read_text()
    assert "needs camvid" in capsys.readouterr().out
    assert main(["run", str(suite), "--output", "out"]) == 0
    assert "0 cells computed now" in capsys.readouterr().out


def test_real_images_are_tested_on_where_they_are_found(suite):
    draw_camvid(suite.parent / "camvid")
    plan = plan_of(suite, root=suite.parent)
    tested = [str(planned.cell.test_on) for planned in plan.cells]
    assert tested.count("camvid") == 3
    assert not plan.unavailable
    (space,) = {p.space.name for p in plan.cells if str(p.cell.test_on) == "camvid"}
    assert space == "camvid-11"


class Sure:
    """A method of three universal classes that is sure of one in each third of the image."""

    data = DataSpec(classes=("a", "b", "c"), palette=colormap(3), size=(8, 24))
    config = SimpleNamespace(gives_probabilities=True)

    def to(self, device):
        return self

    def eval(self):
        return self

    def for_images(self, folder, ids):
        return self

    def probabilities(self, image, seeds):
        kind = torch.arange(image.shape[-1]) * 3 // image.shape[-1]
        one_hot = torch.nn.functional.one_hot(kind, 3).T.float()
        # The first third is torn between a and b, which together are one class of the test set.
        one_hot[:, kind == 0] = torch.tensor([0.3, 0.3, 0.4])[:, None]
        return one_hot[None, :, None].expand(len(image), 3, image.shape[-2], -1).clone()

    def logits(self, image, seeds):
        return self.probabilities(image, seeds).log()

    def predict(self, image, seeds):
        return self.probabilities(image, seeds).argmax(1)

    def predict_with_confidence(self, image, seeds):
        return Labelled(self.predict(image, seeds), self.probabilities(image, seeds).amax(1))

    def normalise(self, scores):
        return scores.softmax(1)


PROJECTION = Projection(
    np.array([1, 1, -1]),
    taxonomy.LabelSpace(name="two", classes=("other", "ab"), palette=colormap(2)),
)


def test_soft_and_hard_differ_where_a_class_is_made_of_several():
    batch = Batch(torch.zeros(2, 3, 8, 24), torch.zeros(2, 8, 24).long(), torch.tensor([1, 2]))
    soft = infer(Sure(), batch, None, "soft", PROJECTION)
    hard = infer(Sure(), batch, None, "hard", PROJECTION)
    assert soft.label[0, 0, [0, 8, 16]].tolist() == [1, 1, 0]
    assert hard.label[0, 0, [0, 8, 16]].tolist() == [0, 1, 0]
    assert hard.unmapped[0, 0, [0, 8, 16]].tolist() == [True, False, True]
    assert soft.unmapped[0, 0, [0, 8, 16]].tolist() == [False, False, True]
    windows = Slide(window=(8, 24), stride=(8, 24))
    assert torch.equal(infer(Sure(), batch, windows, "soft", PROJECTION).label, soft.label)
    assert torch.equal(infer(Sure(), batch, windows, "hard", PROJECTION).label, hard.label)


def test_unmapped_pixels_are_counted_where_the_truth_is_labelled():
    split = Split(
        Drawn(3, (16, 48)), DataRef(dataset="drawn", split="val"), Protocol(resize=(8, 24))
    )
    truth = Drawn.__getitem__

    class Two(Drawn):
        label_space = PROJECTION.space

        def __getitem__(self, index):
            sample = truth(self, index)
            label = sample.label % 2
            label[:, 40:] = 255
            return sample._replace(label=label)

    split.dataset = Two(3, (16, 48))
    job = EvaluationJob(split, CLEAN, "predict", 0, mapping="hard", projection=PROJECTION)
    (found,) = evaluate(Sure(), job, make_accelerator(), Silent())
    assert found.counts.unmapped.tolist() == [16 * (16 + 8)] * 3
    assert found.counts.num_classes == 2


@pytest.mark.slow
def test_two_training_sets_are_two_rows_a_method(suite):
    parts = f"[{{dataset: scenes, {SCENES % 4}}}]"
    more = f"{{dataset: mixture, options: {{taxonomy: scenes, parts: {parts}}}}}"
    first = read_suite(suite).suite.train_on[0].model_dump_json()
    floor = "methods=[{adapter: position_prior, label: Floor}]"
    sets = ["--set", f"train_on=[{first}, {more}]", "--set", floor, "--set", "mappings=[hard]"]
    assert main(["run", str(suite), "--output", "out", *sets]) == 0
    zero_shot = ZeroShot(make_blocks(SuiteFolder(suite.parent / "out" / "unseen")))
    assert [row.trained.partition(" (")[0] for row in zero_shot.rows] == [
        "mixture of scenes/city and 2 × scenes/home",
        "mixture of scenes",
    ]
    scores = [zero_shot.score(row, zero_shot.sets[0]).value for row in zero_shot.rows]
    assert len(set(scores)) == 2


def test_one_block_of_a_test_set_is_the_page_s(suite):
    sizes = ["--set", "resolutions=[48, 24]"]
    assert main(["run", str(suite), "--output", "out", *sizes]) == 0
    every = make_blocks(SuiteFolder(suite.parent / "out" / "unseen"))
    assert len(every) == 8
    chosen = main_blocks(every)
    assert [block.first.mapping for block in chosen] == ["hard", "hard"]
    assert {block.first.protocol.short_side for block in chosen} == {48}
    zero_shot = ZeroShot(every)
    assert [len(group) for group in zero_shot.sets] == [2, 2]
    tables = {table.slug: table for table in zero_shot_tables(zero_shot)}
    row = tables["resolutions"].rows[0]
    fixed, other, highest, gain = (entry.value for entry in row[3:])
    assert highest == max(fixed, other)
    assert gain == highest - fixed
    last = [row for row in tables["resolutions"].rows if row[2].text == "harmonic mean"]
    assert len(last) == 3
    assert all(row[5].value >= max(row[3].value, row[4].value) for row in last)
    means = tables["harmonic-means"].rows[0]
    assert means[2].value <= means[4].value
