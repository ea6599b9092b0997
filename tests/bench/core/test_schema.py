"""Fingerprints, protocols and the other nouns."""

import hashlib

import pytest
from pydantic import ValidationError

from bench.core.schema import (
    CLEAN,
    Condition,
    DataRef,
    DataSpec,
    Portion,
    Protocol,
    Slide,
    fingerprint,
)
from tests.helpers.stores import make_cell

TEXT = r'["a",1,0.1,null,{"k":[true,"\u00df"]}]'
"""What is hashed: the parts as JSON without spaces, keys sorted."""


def test_fingerprints_do_not_hang_on_the_order_of_keys():
    first = {"b": 1, "a": {"d": (1, 2), "c": None}}
    assert fingerprint(first) == fingerprint({"a": {"c": None, "d": [1, 2]}, "b": 1})
    assert fingerprint({"x", "y", "z"}) == fingerprint(frozenset("zyx"))
    assert fingerprint(DataRef(dataset="a", split="val")) == fingerprint(
        {"split": "val", "subset": "", "dataset": "a", "options": {}}
    )


def test_fingerprints_stay_what_they_are():
    """Every store is keyed by them."""
    digest = hashlib.sha256(TEXT.encode()).hexdigest()
    assert fingerprint("a", 1, 0.1, None, {"k": (True, "ß")}) == digest[:24]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("ab", "c"), ("a", "bc")),
        ((1,), ("1",)),
        ((1, 2), ((1, 2),)),
        ((0.1 + 0.2,), (0.3,)),
        (({"a": 1},), ({"a": None},)),
        ((True,), (1,)),
    ],
)
def test_what_differs_has_another_fingerprint(first, second):
    assert fingerprint(*first) != fingerprint(*second)


def test_what_has_no_plain_form_is_refused():
    with pytest.raises(TypeError, match="cannot fingerprint a object"):
        fingerprint({"x": object()})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "neither resize nor crop"),
        ({"resize": (8, 8), "short_side": 8}, "resize and short_side are both given"),
        ({"resize": (8, 8), "crop": (8, 9)}, "above resize"),
        ({"resize": (8, 0)}, "greater than 0"),
        ({"resize": (8, 8), "eval": "input"}, "Extra inputs"),
        ({"crop": (8, 8), "metrics": ()}, "at least 1"),
        (
            {"crop": (8, 8), "slide": {"window": (8, 8), "stride": (4, 4)}, "segments": True},
            "segments of windows are not joined",
        ),
        (
            {"resize": (8, 8), "backend": "torch", "reference_height": 360},
            "only the backend 'fast' scales widths",
        ),
    ],
)
def test_protocols_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        Protocol(**settings)


@pytest.mark.parametrize(
    ("settings", "size", "resized"),
    [
        ({"resize": (24, 32)}, (24, 32), (24, 32)),
        ({"resize": (24, 32), "crop": (16, 16)}, (16, 16), (24, 32)),
        ({"crop": (16, 16)}, (16, 16), (99, 201)),
        ({"short_side": 50, "crop": (16, 16)}, (16, 16), (50, 102)),  # 201 * 50 / 99 = 101.5
    ],
)
def test_sizes_of_training_and_of_an_image(settings, size, resized):
    protocol = Protocol(**settings)
    assert protocol.input_size == size
    assert protocol.size_of(99, 201) == resized


def test_a_short_side_rounds_half_up():
    protocol = Protocol(short_side=3, crop=(2, 2))
    assert protocol.size_of(6, 5 + 6) == (3, 6)  # 5.5
    assert protocol.size_of(13, 6) == (7, 3)  # 6.5, which Python's round makes 6


def test_fields_without_effect_are_fields():
    assert set(Protocol.model_fields) >= Protocol.WITHOUT_EFFECT


@pytest.mark.parametrize("stride", [(5, 4), (4, 5)])
def test_windows_leave_no_gap(stride):
    with pytest.raises(ValidationError, match="pixels between windows get no class"):
        Slide(window=(4, 4), stride=stride)
    assert Slide(window=(4, 4), stride=(4, 4)).average == "scores"


def test_a_colour_per_class():
    with pytest.raises(ValidationError, match="1 colours for 2 classes"):
        DataSpec(classes=("a", "b"), palette=((0, 0, 0),), size=(8, 8))
    assert DataSpec(classes=("a",), palette=((0, 0, 0),), size=(8, 8)).num_classes == 1


def test_names_for_people():
    assert str(CLEAN) == "clean"
    assert str(Condition(corruption="fog", severity=3)) == "fog 3"
    assert str(DataRef(dataset="scenes", subset="fog", split="val")) == "scenes/fog"
    cell = make_cell("GSS", mapping="soft", sampling_seed=2)
    assert str(cell) == "GSS | scenes/city (soft) | clean | predict | seed 0, sampling seed 2"
    assert str(make_cell("GSS")) == "GSS | scenes/city | clean | predict | seed 0"


def test_a_split_with_other_options_has_another_key():
    plain, other = (DataRef(dataset="a", split="val", options=o) for o in ({}, {"n": 1}))
    assert plain.key != other.key
    assert plain.key == DataRef(dataset="a", split="val").key


def test_what_is_left_out_of_keys_where_it_is_not_used():
    usual, scaled = Protocol(resize=(8, 8)), Protocol(resize=(8, 8), reference_height=360)
    assert "reference_height" not in usual.model_dump()
    assert fingerprint(usual) != fingerprint(scaled)
    whole = DataRef(dataset="camvid", split="train")
    part = whole.model_copy(update={"portion": Portion(held_out=0.25, side="kept")})
    assert "portion" not in whole.model_dump()
    assert whole.key != part.key
    assert DataRef.model_validate(part.model_dump()) == part
    assert str(part.portion) == "without the 25% held out"
