"""What is checked between the parts of a suite: references, families, published tables."""

import pytest

from bench.suite.checks import validate

TREE = {
    "name": "trial",
    "question": "Does it read?",
    "methods": [
        {"adapter": "position_prior", "label": "Floor"},
        {"adapter": "gss", "label": "GSS"},
        {"adapter": "baselines", "label": "SegFormer", "preset": "segformer_tiny"},
    ],
    "train_on": ["scenes/city"],
    "test_on": ["scenes/fog"],
    "protocol": {"resize": [48, 96]},
}
GENERATIVE, DISCRIMINATIVE = {"family": "generative"}, {"family": "discriminative"}


def faults(**changes):
    return [(fault.loc, fault.message) for fault in validate({**TREE, **changes})[0]]


def test_a_suite_without_faults_is_returned():
    faults, suite = validate(TREE)
    assert faults == []
    assert suite is not None
    assert suite.name == "trial"


@pytest.mark.parametrize("value", [None, 5, [], "text", {"a": 1}])
@pytest.mark.parametrize("key", [*TREE, "conditions", "contrasts", "paper", "published"])
def test_any_part_may_be_anything_without_an_exception(key, value):
    told, suite = validate({**TREE, key: value})
    assert told or suite is not None


def test_labels_of_the_reference_and_of_contrasts_must_be_there():
    contrast = {"name": "gain", "first": ["GSS", "GS"], "second": "Segformer"}
    told = faults(reference="Flor", contrasts=[contrast])
    assert [loc for loc, _ in told] == [
        ("reference",),
        ("contrasts", 0, "first", 1),
        ("contrasts", 0, "second"),
    ]
    assert "did you mean 'Floor'?" in told[0][1]


def test_a_contrast_between_families_needs_a_method_of_each():
    contrast = {"name": "gain", "first": GENERATIVE, "second": DISCRIMINATIVE}
    assert faults(contrasts=[contrast]) == []
    assert faults(contrasts=[contrast], methods=TREE["methods"][:2]) == [
        (("contrasts", 0, "second", "family"), "the suite has no discriminative method")
    ]


def row(**training):
    whole = {
        "preset": "paper_cityscapes",
        "initialisation": "imagenet-22k",
        "dataset": "cityscapes",
    }
    return {
        "name": "GSS-FF",
        "reported": {"method": "GSS-FF", "backbone": "Swin-L"},
        "method": "GSS",
        "training": {**whole, **training},
    }


@pytest.mark.parametrize(
    ("training", "key", "message"),
    [
        ({"preset": "paper_cityscape"}, "preset", "gss has no preset 'paper_cityscape'"),
        ({"config": {"varient": "FF"}}, "config", "unknown key 'varient'"),
    ],
)
def test_the_training_of_a_published_row_is_one_its_method_has(training, key, message):
    paper = {
        "name": "gss",
        "title": "GSS, table 5",
        "table": "5",
        "caption": "Cityscapes",
        "rows": [row(**training)],
        "columns": [{"name": "mIoU"}],
    }
    told = [entry for entry in faults(paper=paper) if entry[0][-2:] != ("rows", 0)]
    within = [entry for entry in told if entry[0][:5] == ("paper", "rows", 0, "training", key)]
    assert len(within) == 1, told
    assert message in within[0][1]
