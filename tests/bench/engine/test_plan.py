"""What shares work, and what does not."""

import pytest

from bench.core.errors import PlanError
from bench.corruptions import frost
from bench.engine.plan import Settings, make_plan
from bench.suite.reading import read_suite

TEXT = """\
name: trial
question: What is shared?
methods:
  - {adapter: cam_seg, label: One, preset: tiny}
  - {adapter: cam_seg, label: Many, preset: tiny, config: {inference: {mode: autoregressive}}}
  - {adapter: cam_seg, label: Other, preset: tiny, config: {colouring: dataset}}
train_on: [{dataset: scenes, options: {images: 4}}]
test_on: [{dataset: scenes, options: {images: 2}}, {dataset: scenes, subset: fog, corrupt: false}]
conditions: [{corruption: hue, severities: [2]}]
tasks: [predict, reconstruct]
protocol: {resize: [48, 96]}
"""


@pytest.fixture
def plan_of(tmp_path):
    def _plan_of(text=TEXT, **settings):
        path = tmp_path / "trial.yaml"
        path.write_text(text)
        return make_plan(read_suite(path), Settings(tmp_path / "out", **settings))

    return _plan_of


def keys(training):
    return [folder.key for _, folder in training.stages]


def test_cells_are_the_product_but_for_what_makes_no_sense(plan_of):
    plan = plan_of()
    city = ["clean predict", "hue 2 predict", "clean reconstruct"]
    found = [f"{p.cell.condition} {p.cell.task}" for p in plan.cells_of(plan.trainings[0])]
    assert found == [*city, "clean predict", "clean reconstruct"]
    assert len({planned.key for planned in plan.cells}) == len(plan.cells) == 3 * 5


def test_a_corruption_that_is_not_installed_leaves_out_its_cells_alone(plan_of, monkeypatch):
    monkeypatch.setattr(frost, "find_spec", lambda name: None)
    plan = plan_of(TEXT.replace("{corruption: hue, severities: [2]}", "{corruption: frost}"))
    assert {str(p.cell.condition) for p in plan.cells} == {"clean"}
    assert len(plan.unavailable) == 3 * 5  # severities of three methods
    assert {need.what for lacking in plan.unavailable for need in lacking.needs} == {
        "corruption frost"
    }
    assert "pip install --no-deps imagecorruptions" in plan.unavailable[0].needs[0].remedy


def test_sampling_seeds_share_training_and_the_first_keeps_its_key(plan_of):
    plain, sampled = plan_of(), plan_of(TEXT.replace("tasks:", "sampling_seeds: [0, 7]\ntasks:"))
    assert len(sampled.cells) == 2 * len(plain.cells)
    assert [keys(t) for t in sampled.trainings] == [keys(t) for t in plain.trainings]
    first = [p.key for p in sampled.cells if p.cell.sampling_seed == 0]
    assert first == [p.key for p in plain.cells]
    assert len({p.key for p in sampled.cells}) == len(sampled.cells)


def test_settings_of_prediction_share_training_and_others_do_not(plan_of):
    one, many, other = plan_of().trainings
    assert keys(one) == keys(many)
    assert not set(keys(one)) & set(keys(other))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{images: 4}", "{images: 5}"),
        ("resize: [48, 96]", "resize: [48, 104]"),
        ("protocol: {", "seeds: [1]\nprotocol: {"),
        ("resize: [48, 96]", "resize: [48, 96], crop: [48, 48]"),
    ],
)
def test_whatever_weights_depend_on_changes_their_key(plan_of, before, after):
    assert before in TEXT
    changed = plan_of(TEXT.replace(before, after, 1))
    assert not set(keys(plan_of().trainings[0])) & set(keys(changed.trainings[0]))


def test_what_weights_do_not_depend_on_keeps_their_key(plan_of):
    changed = plan_of(TEXT.replace("hue", "fog").replace("resize:", "eval_at: input, resize:"))
    assert keys(plan_of().trainings[0]) == keys(changed.trainings[0])


def test_other_classes_are_refused(plan_of, tmp_path):
    text = TEXT.replace(
        "test_on: [{dataset: scenes", "test_on: [{dataset: camvid}, {dataset: scenes"
    )
    from tests.helpers.camvid_tree import draw_camvid

    draw_camvid(tmp_path / "camvid")
    with pytest.raises(PlanError, match="scenes is labelled in 'cityscapes-19'; camvid"):
        plan_of(text, data_root=tmp_path)


CODECS = """\
name: codecs
question: What do latents cost?
methods:
  - {adapter: position_prior, label: Floor}
  - {adapter: codec, label: KL, preset: tiny_kl}
  - {adapter: codec, label: VQ, preset: tiny}
train_on: [{dataset: scenes, options: {images: 4}}]
test_on: [{dataset: scenes, options: {images: 2}}]
conditions:
  - {corruption: hue, severities: [2]}
  - {corruption: latent_noise, severities: [1]}
  - {corruption: code_flips, severities: [3]}
tasks: [predict, reconstruct]
protocol: {resize: [48, 96]}
"""


def test_images_are_corrupted_and_latents_perturbed(plan_of):
    plan = plan_of(CODECS)
    found = {
        training.entry.title: [f"{p.cell.condition} {p.cell.task}" for p in plan.cells_of(training)]
        for training in plan.trainings
    }
    assert found == {
        "Floor": ["clean predict", "hue 2 predict"],
        "KL": ["clean reconstruct", "latent_noise 1 reconstruct"],
        "VQ": ["clean reconstruct", "latent_noise 1 reconstruct", "code_flips 3 reconstruct"],
    }


def test_a_method_that_can_do_none_of_the_tasks_is_refused_by_name(plan_of):
    lines = CODECS.splitlines(keepends=True)  # disturbed latents ask for a task by themselves
    text = "".join(x for x in lines if "latent_noise" not in x and "code_flips" not in x)
    for tasks, message in (
        ("predict", "KL has nothing to do in tasks .'predict'.: the method codec has"),
        ("reconstruct", "Floor has nothing to do in tasks .*: the method position_prior has"),
    ):
        with pytest.raises(PlanError, match=message):
            plan_of(text.replace("predict, reconstruct", tasks))


BUDGET = """\
name: trial
question: Is the budget kept?
methods:
  - {adapter: position_prior, label: Floor}
  - {adapter: gss, label: Whole, preset: tiny}
  - {adapter: gss, label: Part, preset: tiny, config: {control: auxiliary_head}}
  - {adapter: gss, label: Twin, preset: tiny, config: {control: twin}}
train_on: [{dataset: scenes, options: {images: 8}}]
test_on: [{dataset: scenes, options: {images: 2}}]
seeds: [3, 4]
tasks: [predict]
protocol: {resize: [48, 96]}
"""
FIXED = "budget: {flops: 1.0e+12}\nheld_out: 0.25\ncurve: [0.5, 1.0]\n"


@pytest.fixture
def counted(monkeypatch):
    """Steps cost what the test says, without a method being built."""
    costs = {"tokenizer": 1e9, "prior": 2e9, "twin": 4e9}
    monkeypatch.setattr(
        "bench.engine.trainings.step_flops", lambda *arguments: costs[arguments[-1].name]
    )
    return costs


def test_a_budget_is_met_and_parts_share_the_training_of_the_whole(plan_of, counted):
    trainings = plan_of(BUDGET + FIXED).trainings
    whole, part, twin = (
        next(t for t in trainings if t.entry.title == title and t.curve is None)
        for title in ("Whole", "Part", "Twin")
    )
    assert keys(whole) == keys(part)
    for training in (whole, part, twin):
        assert training.flops == pytest.approx(1e12, rel=0.01)
        fields = training.config.model_dump()
        for stage, _ in training.stages:
            field = "train_prior" if stage.name == "twin" else f"train_{stage.name}"
            assert fields[field]["steps"] == stage.steps
    assert not next(t for t in trainings if t.entry.title == "Floor").step_flops


def test_a_curve_trains_the_first_seed_with_less_and_scores_held_out_images(plan_of, counted):
    plan = plan_of(BUDGET + FIXED)
    smaller = [training for training in plan.trainings if training.curve is not None]
    assert [(t.entry.title, t.seed, t.curve) for t in smaller] == [
        (title, 3, 0.5) for title in ("Whole", "Part", "Twin")
    ]
    assert all(training.flops == pytest.approx(5e11, rel=0.01) for training in smaller)
    assert keys(smaller[0]) == keys(smaller[1])
    points = [planned.cell for planned in plan.cells if planned.cell.curve is not None]
    assert sorted({(cell.seed, cell.curve) for cell in points}) == [(3, 0.5), (3, 1.0)]
    assert len(points) == 6
    assert {str(cell.test_on.portion) for cell in points} == {"the 25% held out"}
    trained = plan.datasets[plan.trainings[0].train_on.key]
    scored = plan.datasets[points[0].test_on.key]
    assert (len(trained), len(scored)) == (6, 2)
    assert not set(trained.ids()) & set(scored.ids())


def test_a_curve_changes_no_other_key(plan_of, counted):
    alone = plan_of(BUDGET + FIXED.replace("curve: [0.5, 1.0]\n", ""))
    with_curve = plan_of(BUDGET + FIXED)
    main = [planned.key for planned in with_curve.cells if planned.cell.curve is None]
    assert main == [planned.key for planned in alone.cells]


def test_a_method_may_have_seeds_of_its_own(plan_of):
    plan = plan_of(TEXT.replace("label: Many,", "label: Many, seeds: [5, 6, 7],"))
    seeds = [(t.entry.title, t.seed) for t in plan.trainings]
    assert seeds == [("One", 0), *(("Many", seed) for seed in (5, 6, 7)), ("Other", 0)]
