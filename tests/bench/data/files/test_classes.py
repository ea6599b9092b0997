"""Classes that a user declares, resolved, and what is refused."""

import numpy as np
import pytest
from pydantic import ValidationError

from bench.core.errors import DatasetError
from bench.core.schema import IGNORE_INDEX
from bench.data.files.classes import LabelOptions, read_classes

RED, GREEN = (255, 0, 0), (0, 255, 0)


def table(folder=None, **options):
    return read_classes(LabelOptions.model_validate(options), folder)


@pytest.mark.parametrize(
    ("classes", "encoding"),
    [
        (["road", "sky"], {0: 0, 1: 1, 255: IGNORE_INDEX}),
        ({"road": 7, "sky": 23}, {7: 0, 23: 1, 255: IGNORE_INDEX}),
        ({"road": {"id": 7, "colour": RED}, "sky": None}, {7: 0, 1: 1, 255: IGNORE_INDEX}),
    ],
)
def test_ids(classes, encoding, tmp_path):
    declared = table(classes=classes)
    assert dict(declared.encoding) == encoding
    assert declared.space.classes == ("road", "sky")
    assert len(set(declared.space.palette)) == 2


def test_a_file_says_the_same_as_the_suite(tmp_path):
    (tmp_path / "classes.yaml").write_text("road: 7\nsky: {id: 23, colour: [255, 0, 0]}\n")
    from_file = table(tmp_path, classes="classes.yaml")
    inline = table(classes={"road": 7, "sky": {"id": 23, "colour": RED}})
    assert from_file == inline
    assert from_file.space.palette[1] == RED


def test_values_are_mapped_to_names_or_to_void():
    declared = table(classes=["road", "sky"], values={3: "sky", 4: "void", 5: None, 6: "road"})
    expected = {3: 1, 4: IGNORE_INDEX, 5: IGNORE_INDEX, 6: 0, 255: IGNORE_INDEX}
    assert dict(declared.encoding) == expected


def test_the_rest_may_be_void():
    encoding = table(classes={"road": 7}, void="rest").encoding
    assert encoding[7] == 0
    assert {encoding[value] for value in range(256) if value != 7} == {IGNORE_INDEX}


def test_colours_become_classes():
    declared = table(classes={"road": RED, "sky": GREEN}, stored="colours", void=[(0, 0, 0)])
    label = np.array([[RED, GREEN, (0, 0, 0)]], np.uint8)
    assert declared.values(label, "a.png").tolist() == [[0, 1, IGNORE_INDEX]]
    with pytest.raises(DatasetError, match=r"a\.png: holds the colour \[1, 2, 3\], which no class"):
        declared.values(np.array([[(1, 2, 3)]], np.uint8), "a.png")
    rest = table(classes={"road": RED}, stored="colours", void="rest")
    assert rest.values(label, "a.png").tolist() == [[0, IGNORE_INDEX, IGNORE_INDEX]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": []}, "0 classes; there must be 1 to 255"),
        ({"classes": {"road": 7, "sky": 7}}, "road and sky both have the id 7"),
        ({"classes": {"road": 255}}, "road has the id 255, which is void too"),
        ({"classes": ["road"], "values": {1: "raod"}}, r"no class 'raod' in .*'road'\?"),
        (
            {"classes": ["road"], "stored": "colours"},
            "road has no colour, but labels store colours",
        ),
        (
            {"classes": {"road": RED, "sky": RED}, "stored": "colours", "void": "rest"},
            r"the colour \[255, 0, 0\] of sky occurs twice",
        ),
        ({"classes": "absent.yaml"}, r"absent\.yaml: no such file; it lists the classes"),
    ],
)
def test_what_contradicts_itself(options, message, tmp_path):
    with pytest.raises(DatasetError, match=message):
        table(tmp_path, **options)


@pytest.mark.parametrize("text", ["road: [1]", "5", "[road", "road: {idd: 3}", "\xff"])
def test_a_file_that_is_no_list_of_classes(text, tmp_path):
    (tmp_path / "classes.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises(DatasetError, match=r"classes\.yaml: not a list of class names"):
        table(tmp_path, classes="classes.yaml")


@pytest.mark.parametrize(
    "options",
    [
        {"classes": {"road": RED}, "stored": "colours", "values": {1: "road"}},
        {"classes": {"road": RED}, "stored": "colours", "void": [3]},
        {"classes": ["road"], "void": [RED]},
    ],
)
def test_numbers_and_colours_do_not_go_together(options):
    with pytest.raises(ValidationError, match="with stored: (ids|colours)|stored numbers"):
        LabelOptions.model_validate(options)


def test_the_meaning_tells_apart_what_labels_mean():
    several = [
        table(classes=["road", "sky"]),
        table(classes={"road": 1, "sky": 0}),
        table(classes=["road", "sky"], void="rest"),
        table(classes={"road": RED, "sky": GREEN}, stored="colours", void="rest"),
        table(classes={"road": RED, "sky": GREEN}, stored="colours", void=[(0, 0, 0)]),
    ]
    assert len({str(declared.meaning) for declared in several}) == len(several)
