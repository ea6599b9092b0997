"""``controls: true``: a method's twin and parts, under its label and with its contrasts."""

import pytest

from bench.core.errors import SuiteError
from bench.suite.reading import read_suite

TEXT = """\
name: trial
question: What do its parts add?
methods:
  - {adapter: position_prior, label: Floor}
  - {adapter: gss, label: Ours, preset: tiny, config: {palette_seed: 3}, controls: true}
  - {adapter: baselines, label: Other, preset: segformer_tiny}
train_on: [scenes]
test_on: [scenes]
conditions: [{corruption: hue}]
contrasts: [{name: declared, first: [Other], second: Ours twin}]
protocol: {resize: [48, 96]}
"""


@pytest.fixture
def suite_of(tmp_path):
    def _suite_of(text=TEXT):
        path = tmp_path / "trial.yaml"
        path.write_text(text)
        return read_suite(path).suite

    return _suite_of


def test_controls_follow_the_methods_with_the_settings_of_their_own(suite_of):
    suite = suite_of()
    assert [entry.title for entry in suite.methods] == [
        *("Floor", "Ours", "Other", "Ours twin", "Ours auxiliary head")
    ]
    assert [dict(entry.config) for entry in suite.methods[3:]] == [
        {"palette_seed": 3, "control": control} for control in ("twin", "auxiliary_head")
    ]
    assert {entry.preset for entry in suite.methods[3:]} == {"tiny"}
    assert not any(entry.controls for entry in suite.methods)


def test_each_control_has_a_contrast_a_measure_after_those_declared(suite_of):
    contrasts = [(c.name, c.first, c.second, c.measure) for c in suite_of().contrasts]
    assert contrasts[0][0] == "declared"
    assert contrasts[1:] == [
        (f"Ours minus its {part}, {measure}", ("Ours",), f"Ours {part}", measure)
        for part in ("twin", "auxiliary head")
        for measure in ("clean", "mPC", "above floor")
    ]


@pytest.mark.parametrize(
    ("removed", "measures"),
    [
        ("conditions: [{corruption: hue}]\n", ["clean"]),
        ("  - {adapter: position_prior, label: Floor}\n", ["clean", "mPC"]),
    ],
)
def test_what_the_suite_cannot_measure_is_not_declared(suite_of, removed, measures):
    contrasts = suite_of(TEXT.replace(removed, "")).contrasts
    assert [c.measure for c in contrasts if c.second == "Ours twin"][1:] == measures


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("segformer_tiny}", "segformer_tiny, controls: true}", "baselines has no controls"),
        ("palette_seed: 3", "control: twin", "the method is a control itself: twin"),
        ("label: Other", "label: Ours twin", "label 'Ours twin' is that of a control of methods.1"),
        ("second: Ours twin", "second: Ours twim", "did you mean 'Ours twin'"),
    ],
)
def test_faults_are_said_at_their_place(suite_of, before, after, message):
    with pytest.raises(SuiteError, match=message):
        suite_of(TEXT.replace(before, after))
