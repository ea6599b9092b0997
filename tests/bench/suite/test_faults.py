"""Whatever is wrong with a suite file is said, with its place and without a traceback."""

import pytest

from bench.core.errors import SuiteError
from bench.suite.reading import read_suite

GOOD = """\
name: trial
question: Does it read?
methods:
  - {adapter: position_prior, label: Floor}
  - {adapter: gss, label: GSS, config: {}}
train_on: [scenes/city]
test_on: [scenes/fog]
conditions:
  - {corruption: hue, severities: [1, 3]}
tasks: [predict, reconstruct]
seeds: [0, 1]
protocol:
  resize: [48, 96]
  metrics: [mIoU, aAcc]
"""


@pytest.fixture
def faults(tmp_path):
    def _faults(content: str | bytes, *overrides: str) -> list[str]:
        path = tmp_path / "trial.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(SuiteError) as caught:
            read_suite(path, overrides)
        lines = str(caught.value).splitlines()
        assert all(line.startswith(f"{path}:") for line in lines)
        return [line.removeprefix(str(path)) for line in lines]

    return _faults


def test_the_suite_itself_is_valid(tmp_path):
    path = tmp_path / "trial.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert read_suite(path).suite.name == "trial"


def test_characters_that_are_no_text(faults):
    text = GOOD.replace("Does it", "Does\0 \x1b it").replace("[mIoU", "[miou")
    assert faults(text)[:2] == [
        ":2:15: control character U+0000; remove it",
        ":2:17: control character U+001B; remove it",
    ]
    assert faults(text)[2].startswith(":14:13: protocol.metrics.0: no metric 'miou'")
    (escaped,) = faults(GOOD.replace("Does it read?", '"Does \\0 it?"'))
    assert escaped == ":2:11: question: control character U+0000; remove it"


def test_other_encodings(faults):
    latin = faults(GOOD.replace("Does", "Döés").encode("latin-1"))
    assert latin == [
        ":2:12: byte 0xF6 is not UTF-8; save the file as UTF-8",
        ":2:13: byte 0xE9 is not UTF-8; save the file as UTF-8",
    ]
    assert faults(GOOD.encode("utf-16")) == [":1:1: the file is UTF-16; save it as UTF-8"]
    assert faults(GOOD.encode("utf-32")) == [":1:1: the file is UTF-32; save it as UTF-8"]
    (wide,) = faults(GOOD.encode("utf-16-be"))
    assert wide.startswith(":1:1: every other byte is NUL, as in UTF-16")
    image = faults(b"\x89PNG\r\n\x1a" + bytes(range(128, 256)) * 9)
    assert len(image) == 11  # ten characters, and how many more there are
    assert "more characters" in image[-1]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("[mIoU, aAcc]", "[[mIoU]]", ":14:13: protocol.metrics.0: Input should be a valid string"),
        ("[mIoU, aAcc]", "[]", ":14:12: protocol.metrics: Tuple should have at least 1 item"),
        ("[mIoU, aAcc]", "[mIoU, mIoU]", ":14:19: protocol.metrics.1: 'mIoU' is already item 0"),
        ("[0, 1]", "[0, 1, 0]", ":11:15: seeds.2: 0 is already item 0"),
        ("[0, 1]", "[0, '0']", ":11:12: seeds.1: '0' is already item 0"),
        ("[0, 1]", "[true]", ":11:9: seeds.0: a number is expected; got true"),
        ("[0, 1]", "[&yes true]", ":11:9: seeds.0: a number is expected; got true"),
        ("[0, 1]", "[1" + "0" * 19 + "]", ":11:9: seeds.0: Input should be less than"),
        ("[0, 1]", "[1" + "0" * 5000 + "]", ":11:9: a whole number of 5001 characters"),
        ("[48, 96]", "[48, true]", ":13:16: protocol.resize.1: a number is expected; got true"),
        ("config: {}", "config: {variant: {}}", ":5:50: methods.1.config.variant"),
        (
            "config: {}",
            "config: {train_prior: {steps: true}}",
            ":5:62: methods.1.config.train_prior.steps: a number is expected; got true",
        ),
        (
            "[scenes/city]",
            "[{dataset: scenes, options: {images: true}}]",
            ":6:48: train_on.0.options.images: a number is expected; got true",
        ),
        ("[predict, rec", "[predict, predict, rec", ":10:18: tasks.1: 'predict' is already item 0"),
        ("seeds:", "sampling_seeds: [2, 2]\nseeds:", ":11:21: sampling_seeds.1: 2 is already"),
        ("seeds:", "mappings: [soft, soft]\nseeds:", ":11:18: mappings.1: 'soft' is already"),
        (
            "seeds:",
            "also_eval_at: [input, input]\nseeds:",
            ":11:23: also_eval_at.1: 'input' is already item 0",
        ),
        (
            "seeds:",
            "also_eval_at: [native]\nseeds:",
            ":11:16: also_eval_at.0: 'native' is already the protocol's own",
        ),
        ("[scenes/fog]", "[scenes/fog, scenes/fog]", ":7:23: test_on.1: 'scenes/fog' is already"),
        ("[1, 3]", "[1, 1]", ":9:39: conditions.0.severities.1: 1 is already item 0"),
        ("[1, 3]", "['9']", ":9:36: conditions.0.severities.0: severity 9 of hue is out of range"),
        (
            "  metrics",
            "  crop: [48, 97]\n  metrics",
            ":14:9: protocol.crop: above resize (48, 96)",
        ),
        (
            "  metrics",
            "  slide: {window: [32, 32], stride: [16, 33]}\n  metrics",
            ":14:37: protocol.slide.stride: above the window (32, 32)",
        ),
        ("seeds:", "paired: true\ntrain: 1\nseeds:", ":12:1: train: unknown key"),
        (
            "  - {corruption: hue, severities: [1, 3]}",
            "  - {corruption: latent_noise}",
            ":9:18: conditions.0.corruption: no method of the suite has latents",
        ),
        ("name: trial", f"name: {'a' * 300}", ":1:7: name: String should have at most 100"),
        ("label: Floor", f"label: {'a' * 300}", ":4:38: methods.0.label: String should have at"),
        ("name: trial", "name: trial\nname: again", ":2:1: not YAML: duplicate key 'name'"),
        ("question:", "\tquestion:", ":2:1: not YAML: found character '\\t'"),
        ("seeds: [0, 1]", "seeds: &a [*a]", ":11:8: an alias of the very value"),
        ("seeds: [0, 1]", "seeds: " + "[" * 60 + "]" * 60, "nested more than 40 levels"),
        ("seeds: [0, 1]", "seeds: !!set {0}", ":11:8: a tag (!...)"),
        ("seeds: [0, 1]", "seeds: 2020-01-01", ":11:8: a date; in quotes it is text"),
        ("seeds: [0, 1]", "seeds: [0, *b]", ":11:12: not YAML: found undefined alias"),
        ("seeds: [0, 1]", "seeds: [0]\n5: x", ":12:1: 5: the key 5 is no word"),
        ("seeds: [0, 1]", "seeds: [0]\n? [a]\n: x", ":12:3: a list or mapping as a key"),
        ("seeds: [0, 1]", "seeds: [0]\n<<: 5", "not YAML: expected a mapping or list of mappings"),
        ("name: trial", "%YAML 1.1\n---\nname: trial", ":1:1: a directive (%...)"),
    ],
)
def test_a_fault_has_its_own_place(faults, before, after, expected):
    assert before in GOOD
    lines = faults(GOOD.replace(before, after, 1))
    assert len([line for line in lines if expected in line]) == 1, lines


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("seeds:", "paired: true\nseeds:", "[scenes/fog]", "[scenes/fog, scenes/rain]"),
            [":11:9: paired: 1 training and 2 test sets; there must be as many of one as of"],
        ),
        (
            ("resize: [48, 96]", "eval_at: native", "[mIoU, aAcc]", "[[mIoU]]"),
            [":13:3: protocol.crop: neither resize nor crop", ":14:13: protocol.metrics.0: Input"],
        ),
        (
            ("  metrics", "  short_side: 40\n  metrics", "resize: [48, 96]", "resize: [48, 96]"),
            [":14:15: protocol.short_side: resize and short_side are both given"],
        ),
        (
            (
                "  metrics",
                "  slide: {window: [8, 8], stride: [8, 8]}\n  segments: true\n  metrics",
                *("[0, 1]", "[zero]"),
            ),
            [":11:9: seeds.0: Input should be", ":15:13: protocol.segments: segments of windows"],
        ),
    ],
)
def test_faults_between_values_are_found_beside_others(faults, change, expected):
    text = GOOD
    for before, after in zip(change[::2], change[1::2], strict=True):
        assert before in text
        text = text.replace(before, after, 1)
    lines = faults(text)
    assert len(lines) == len(expected), lines
    for line, start in zip(lines, expected, strict=True):
        assert line.startswith(start)


def test_latents_are_disturbed_in_reconstruction_only(faults):
    text = GOOD.replace("hue, severities: [1, 3]", "code_flips").replace("gss", "codec")
    (line,) = faults(text.replace(", reconstruct]", "]"))
    assert "latents are disturbed in task 'reconstruct'" in line


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n", "text", "5", "null"])
def test_a_file_without_a_mapping(faults, text):
    (line,) = faults(text)
    assert line.startswith(":1:1: a mapping is expected, with the keys name, question, methods")


def test_files_that_cannot_be_read(tmp_path):
    for path in (tmp_path, tmp_path / "absent.yaml", tmp_path / ("long" * 99)):
        with pytest.raises(SuiteError, match="cannot be read"):
            read_suite(path)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("seeds=[0,", ":11:8: seeds: --set 'seeds=[0,': not YAML: "),
        ("seeds=[true]", ":11:8: seeds.0: a number is expected; got true"),
        ("seeds=\x1b", ":11:8: seeds: --set 'seeds=\\x1b': control character U+001B"),
        ("seeds=!!set {1}", ":11:8: seeds: --set 'seeds=!!set {1}': a tag"),
        ("seeds.5=1", ":11:8: seeds: --set 'seeds.5=1': the suite has nothing at 'seeds.5'"),
        ("seeds.²=1", "the suite has nothing at 'seeds.²'"),
        ("name.first=1", ":1:7: name: --set 'name.first=1': the suite has nothing at"),
        ("=5", ":1:1: --set '=5': key=value is expected"),
        ("seeds", ":1:1: --set 'seeds': key=value is expected"),
        ("0=5", ":1:1: 0: unknown key '0'"),
        ("protocol.metrics=[[mIoU]]", ":14:12: protocol.metrics.0: Input should be a valid"),
    ],
)
def test_overrides_that_cannot_be(faults, override, expected):
    lines = faults(GOOD.replace("Floor", '"Flo[or"'), override, "tasks=[predict, x]")
    assert len(lines) == 2, lines
    assert [line for line in lines if expected in line], lines
    assert [line for line in lines if ":10:8: tasks.1: Input should be" in line], lines


@pytest.mark.parametrize("config", ["{}", "", "{variant: FT}"])
def test_overrides_into_a_mapping_that_is_empty(tmp_path, config):
    path = tmp_path / "trial.yaml"
    path.write_text(GOOD.replace("config: {}", f"config: {config}"))
    loaded = read_suite(path, ["methods.1.config.train_prior.steps=7", "methods.0.label='[b]'"])
    assert loaded.suite.methods[1].config["train_prior"] == {"steps": 7}
    assert loaded.suite.methods[0].title == "[b]"
    path.write_text(loaded.source)
    assert read_suite(path).suite == loaded.suite


def test_anchors_aliases_and_merge_keys_are_read(tmp_path):
    path = tmp_path / "trial.yaml"
    text = GOOD.replace("[scenes/city]", "[&city {dataset: scenes, subset: city}]")
    path.write_text(text.replace("[scenes/fog]", "[{<<: *city, subset: fog}]"))
    suite = read_suite(path).suite
    assert [str(suite.train_on[0]), str(suite.test_on[0])] == ["scenes/city", "scenes/fog"]


def test_aliases_that_multiply_are_refused(faults):
    lists = [f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 9)}]\n" for n in range(1, 10)]
    lines = faults(GOOD + "b0: &b0 [1]\n" + "".join(lists))
    assert any("aliases that make" in line for line in lines)


CURVE = "curve: [0.25, 0.5, 1.0]\n"
PAID, KEPT = "budget: {flops: 1.0e+12}\n", "held_out: 0.2\n"


@pytest.mark.parametrize(
    ("added", "message"),
    [
        (CURVE + PAID, "a curve without held_out: its points are scored on held-out images"),
        (CURVE + KEPT, "a curve without budget: its points are shares of one"),
        (CURVE.replace("0.5, ", "") + PAID + KEPT, "shares must rise, and have 0.5 and 1.0"),
        (CURVE.replace("0.25, 0.5", "0.5, 0.25") + PAID + KEPT, "shares must rise"),
        ("held_out: 1.0\n", "held_out: Input should be less than 1"),
        ("budget: {flops: 0}\n", "budget.flops: Input should be greater than 0"),
        ("budget: {seconds: 600}\n", "unknown key 'seconds'; known are flops"),
    ],
)
def test_budgets_and_curves(faults, added, message):
    told = faults(GOOD + added)
    assert any(message in line for line in told), told
