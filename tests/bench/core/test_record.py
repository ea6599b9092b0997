"""Records come back from their text, and unknown fields are refused."""

import pytest
from pydantic import ValidationError

from bench.core.record import ConditionFacts, CurvePoint, DataFacts, Record
from tests.helpers.stores import PALETTE, PROVENANCE, make_cell

RECORD = Record(
    key="k",
    status="ok",
    cell=make_cell("A"),
    image_ids=("x", "y"),
    palette=PALETTE,
    test_set=DataFacts(title="City", generated=True),
    condition=ConditionFacts(
        family="noise",
        summary="grain",
        parameters=(("sigma", 0.1),),
        curve=CurvePoint(paper="p", curve="c", value=0.1, clean=0.0),
    ),
    measured={"stride": 8.0},
    provenance=PROVENANCE,
)


def test_a_record_comes_back_from_its_text():
    again = Record.model_validate_json(RECORD.model_dump_json())
    assert again == RECORD
    assert again.palette == PALETTE
    assert again.condition.parameters == (("sigma", 0.1),)


@pytest.mark.parametrize(
    ("field", "value"), [("version", 2), ("status", "done"), ("micro_batch", "few"), ("extra", 1)]
)
def test_what_no_record_has_is_refused_by_name(field, value):
    with pytest.raises(ValidationError, match=field):
        Record.model_validate(RECORD.model_dump() | {field: value})


def test_a_record_is_not_changed():
    with pytest.raises(ValidationError, match="frozen"):
        RECORD.status = "failed"
