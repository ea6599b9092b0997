"""The suite language: every fault at once, each with its place and its remedy."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.core.errors import SuiteError
from bench.core.resources import SUITES
from bench.suite.reading import read_suite

GOOD = """\
name: trial
question: Does it read?
methods:
  - {adapter: position_prior, label: Floor}
  - adapter: gss
    config: {}
train_on: [scenes/city]
test_on:
  - {dataset: scenes, subset: fog, corrupt: false}
conditions:
  - {corruption: gaussian_noise, severities: [1, 3]}
  - corruption: hue
seeds: [0, 1]
protocol:
  resize: [48, 96]
"""


@pytest.fixture
def write(tmp_path):
    def _write(text: str) -> Path:
        path = tmp_path / "trial.yaml"
        path.write_text(text)
        return path

    return _write


def faults(path: Path, overrides=()) -> list[str]:
    with pytest.raises(SuiteError) as caught:
        read_suite(path, overrides)
    return [line.removeprefix(str(path)) for line in str(caught.value).splitlines()]


def test_reads_a_suite(write):
    suite, source, _ = read_suite(write(GOOD))
    assert [method.title for method in suite.methods] == ["Floor", "gss"]
    assert str(suite.train_on[0]) == "scenes/city"
    assert [str(c) for c in suite.all_conditions()][:3] == [
        "clean",
        "gaussian_noise 1",
        "gaussian_noise 3",
    ]
    assert len(suite.all_conditions()) == 1 + 2 + 5
    assert "Does it read?" in source


def test_every_fault_at_once(write):
    text = """\
name: trial
question: Is it refused?
methods:
  - {adapter: posision_prior}
  - {adapter: gss, preset: tinny}
  - {adapter: gss, label: Twice, config: {wrong_key: 1}}
  - {adapter: gss, label: Twice, lable: x}
train_on: [senes/city]
test_on:
  - {dataset: scenes, subset: fogg, options: {imges: 3}}
conditions:
  - {corruption: gausian_noise}
  - {corruption: hue, severities: [1, 9]}
seeds: [zero]
protocol:
  resize: [48, 96]
  metrics: [mIoU, miou]
tassks: [predict]
reference: twice
"""
    found = faults(write(text))
    expected = {
        ":4:15: methods.0.adapter: no method 'posision_prior'": "(did you mean 'position_prior'?)",
        ":5:28: methods.1.preset: gss has no preset 'tinny'": "(did you mean 'tiny'?)",
        ":6:43: methods.2.config.wrong_key: unknown key 'wrong_key'": "known are ",
        ":7:27: methods.3.label: label 'Twice' is already that of methods.2": "labels tell",
        ":7:34: methods.3.lable: unknown key 'lable'": "(did you mean 'label'?)",
        ":8:12: train_on.0.dataset: no dataset 'senes'": "did you mean 'scenes'?",
        ":10:31: test_on.0.subset: scenes has no subset 'fogg'": "(did you mean 'fog'?)",
        ":10:47: test_on.0.options.imges: unknown key 'imges'": "(did you mean 'images'?)",
        ":12:18: conditions.0.corruption: no corruption 'gausian_noise'": "mean 'gaussian_noise'?",
        ":13:39: conditions.1.severities.1: severity 9 of hue": "1 to 5",
        ":14:9: seeds.0: Input should be a valid integer": "got 'zero'",
        ":17:19: protocol.metrics.1: no metric 'miou'": "did you mean 'mIoU'?",
        ":19:12: reference: no method is labelled 'twice'": "(did you mean 'Twice'?)",
        ":18:1: tassks: unknown key 'tassks'": "did you mean 'tasks'?",
    }
    for start, remedy in expected.items():
        line = [line for line in found if line.startswith(start)]
        assert len(line) == 1, f"{start}\nnot once in\n" + "\n".join(found)
        assert remedy in line[0]
    assert len(found) == len(expected)


def test_faults_in_the_order_of_the_file(write):
    lines = faults(write(GOOD.replace("seeds: [0, 1]", "seeds: []").replace("hue", "hu")))
    numbers = [int(line.split(":")[1]) for line in lines]
    assert numbers == sorted(numbers)
    assert len(numbers) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "not YAML"),
        ("- a\n- b\n", "a mapping is expected"),
        (GOOD.replace("question: Does it read?\n", ""), "the key 'question' is missing"),
        (GOOD.replace("  resize: [48, 96]", "  eval_at: input"), "one must fix the input size"),
        (GOOD.replace("name: trial", "name: trial\nname: again"), "not YAML"),
    ],
)
def test_malformed_files(write, text, message):
    assert message in faults(write(text))[0]


def test_missing_file(tmp_path):
    with pytest.raises(SuiteError, match="No such file"):
        read_suite(tmp_path / "absent.yaml")


def test_overrides(write):
    path = write(GOOD)
    suite = read_suite(path, ["seeds=[7]", "protocol.micro_batch=3", "methods.0.label=Zero"]).suite
    assert suite.seeds == (7,)
    assert suite.protocol.micro_batch == 3
    assert suite.methods[0].title == "Zero"
    assert "unknown key 'batchsize'" in faults(path, ["protocol.batchsize=3"])[0]
    assert "nothing at 'methods.9.label'" in faults(path, ["methods.9.label=x"])[0]
    assert "key=value is expected" in faults(path, ["seeds"])[0]


def test_checks_before_anything_slow_is_imported(write):
    code = (
        "import sys; from pathlib import Path; from bench.suite.reading import read_suite\n"
        "try: read_suite(Path(sys.argv[1]))\n"
        "except Exception: pass\n"
        "print([m for m in ('torch', 'pandas', 'cv2', 'datasets') if m in sys.modules])"
    )
    bad = GOOD.replace("config: {}", "config: {wrong_key: 1}")
    command = [sys.executable, "-c", code, str(write(bad))]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.slow
def test_all_suites_of_the_project_read():
    paths = sorted(SUITES.rglob("*.yaml"))
    assert paths
    names = [read_suite(path).suite.name for path in paths]
    assert len(set(names)) == len(names)


PUBLISHED = "published: {{paper: {}, method: {}, metric: {}}}\n"


def test_published_numbers_are_named_or_refused(write):
    suite, *_ = read_suite(write(GOOD + PUBLISHED.format("cam_seg", "CAM-Seg MAR-base", "AP")))
    assert suite.published is not None
    assert suite.published.metric == "AP"
    for wrong, place, remedy in (
        (("cam_sg", "CAM-Seg MAR-base", "AP"), "paper", "did you mean 'cam_seg'?"),
        (("cam_seg", "CAM-Seg MAR", "AP"), "method", "did you mean 'CAM-Seg MAR-base'?"),
        (("cam_seg", "CAM-Seg MAR-base", "AP_X"), "metric", "did you mean 'AP_"),
    ):
        (fault,) = faults(write(GOOD + PUBLISHED.format(*wrong)))
        assert f"published.{place}: no reported number" in fault
        assert remedy in fault
    (fault,) = faults(write(GOOD + "published: {paper: cam_seg, metric: AP}\n"))
    assert "the key 'method' is missing" in fault


def test_the_primary_metric_is_the_first_unless_the_suite_says_which(write):
    suite, *_ = read_suite(write(GOOD))
    assert suite.primary_metric == suite.protocol.metrics[0]
    suite, *_ = read_suite(write(GOOD + "primary: aAcc\n"), ["protocol.metrics=[mIoU, aAcc]"])
    assert suite.primary_metric == "aAcc"
    (fault,) = faults(write(GOOD + "primary: PQ\n"))
    assert "primary: 'PQ' is not one of protocol.metrics; known are mIoU" in fault


def test_contrasts_name_methods_of_the_suite(write):
    text = GOOD + "contrasts: [{name: which, first: [Flor], second: ggs}]\n"
    assert faults(write(text)) == [
        ":16:35: contrasts.0.first.0: no method is labelled 'Flor'; known are Floor, gss"
        " (did you mean 'Floor'?)",
        ":16:50: contrasts.0.second: no method is labelled 'ggs'; known are Floor, gss"
        " (did you mean 'gss'?)",
    ]


def test_perturbations_of_latents_are_conditions_with_grids_of_their_own(write):
    text = GOOD.replace("corruption: hue", "{corruption: code_flips, severities: [6]}")
    text = text.replace("adapter: gss", "adapter: codec") + "tasks: [reconstruct]\n"
    assert faults(write(text)) == [
        ":12:43: conditions.1.severities.0: severity 6 of code_flips is out of range; it has 1 to 5"
    ]


def test_a_group_stands_for_its_corruptions(write):
    text = GOOD.replace("corruption: hue", "{corruption: common, severities: [3]}")
    text = text.replace("  - {corruption: gaussian_noise, severities: [1, 3]}\n", "")
    conditions = read_suite(write(text)).suite.all_conditions()
    assert len(conditions) == 16
    assert {condition.severity for condition in conditions[1:]} == {3}


def test_a_corruption_beside_its_group_and_a_severity_that_a_member_lacks_are_faults(write):
    text = GOOD.replace("corruption: hue", "{corruption: camseg, severities: [6]}")
    text = text.replace("gaussian_noise,", "camseg_hue,")
    assert faults(write(text)) == [
        ":12:18: conditions.1.corruption: 'camseg_hue' is already listed above",
        ":12:39: conditions.1.severities.0: severity 6 of camseg_gaussian_blur is out of range; "
        "it has 1 to 5",
    ]


def test_seeds_given_replace_those_of_the_suite_and_of_its_methods(tmp_path):
    path = tmp_path / "trial.yaml"
    path.write_text(
        "name: trial\nquestion: Which seeds?\nmethods:\n"
        "  - {adapter: position_prior, seeds: [4, 5]}\n"
        "  - {adapter: gss}\n"
        "train_on: [scenes]\ntest_on: [scenes]\nprotocol: {resize: [48, 96]}\n"
    )
    suite = read_suite(path).suite
    assert [suite.seeds_of(entry) for entry in suite.methods] == [(4, 5), (0,)]
    suite = read_suite(path, seeds=[1, 2]).suite
    assert [suite.seeds_of(entry) for entry in suite.methods] == [(1, 2), (1, 2)]
    with pytest.raises(SuiteError, match=r"seeds.0: Input should be greater than or equal to 0"):
        read_suite(path, seeds=[-1])
