"""What a stage refuses, and what of it is part of its key."""

import pytest
from pydantic import ValidationError

from bench.core.schema import fingerprint
from bench.core.stage import LayerDecay, ParameterGroup, Stage

STAGE = Stage(name="codec", modules=("codec",), steps=10)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", -1),
        ("batch_size", 0),
        ("accumulate", 0),
        ("lr", 0.0),
        ("ema", 1.0),
        ("grad_clip", 0.0),
        ("optimizer", "adam"),
        ("schedule", "step"),
        ("momentum", 1.5),
        ("epochs", 3),
    ],
)
def test_values_that_cannot_be_trained_with_are_refused_by_name(field, value):
    with pytest.raises(ValidationError, match=field):
        Stage.model_validate(STAGE.model_dump() | {field: value})


def test_groups_and_layers_name_parameters():
    with pytest.raises(ValidationError, match="match"):
        ParameterGroup(match=())
    with pytest.raises(ValidationError, match="layers"):
        LayerDecay(rate=0.9, layers=())
    with pytest.raises(ValidationError, match="rate"):
        LayerDecay(rate=1.1, layers=("a",))


def test_what_needs_a_stage_is_not_part_of_its_key():
    assert fingerprint(STAGE) == fingerprint(STAGE.model_copy(update={"tasks": ("predict",)}))
    for field, value in (("steps", 11), ("lr", 0.1), ("no_decay", ("pos",)), ("sync_bn", True)):
        assert fingerprint(STAGE) != fingerprint(STAGE.model_copy(update={field: value}))
