"""What a manifest refuses, and which methods a contrast compares."""

import pytest
from pydantic import ValidationError

from bench.core.manifest import (
    CellEntry,
    Contrast,
    FamilyOfMethods,
    Manifest,
    Need,
    PaperColumn,
    PaperRow,
    Unavailable,
)
from tests.helpers.stores import make_cell

FAMILIES = {"VQ": "generative", "FCN": "discriminative", "AR": "generative", "Part": ""}
GENERATIVE = FamilyOfMethods(family="generative")


def test_a_family_stands_for_its_methods_in_order():
    contrast = Contrast(name="c", first=GENERATIVE, second="FCN")
    assert contrast.sides(FAMILIES) == (("VQ", "AR"), ("FCN",))
    assert contrast.first_name == "generative methods"
    assert contrast.is_of_families
    assert not contrast.is_interpolated


@pytest.mark.parametrize(("first", "interpolated"), [(("VQ",), False), (("VQ", "AR"), True)])
def test_several_methods_are_interpolated(first, interpolated):
    contrast = Contrast(name="c", first=first, second="FCN")
    assert contrast.is_interpolated == interpolated
    assert contrast.sides({}) == (first, ("FCN",))
    assert contrast.first_name == " and ".join(first)
    assert not contrast.is_of_families


def test_a_reported_row_that_is_repeated_says_its_training():
    with pytest.raises(ValidationError, match="preset, initialisation and dataset"):
        PaperRow(name="GSS", reported={"method": "GSS"}, method="GSS")
    assert PaperRow(name="GSS", reported={"method": "GSS"}).training is None


def test_one_test_set_stands_for_a_list_of_one():
    assert PaperColumn(name="c", test_on="camvid").test_on == ("camvid",)
    assert PaperColumn(name="c", test_on=["camvid", "idd"]).test_on == ("camvid", "idd")


def test_an_unavailable_cell_says_all_that_it_needs():
    needs = [Need(what=what, remedy="download") for what in ("camvid", "weights of stage 'prior'")]
    missing = Unavailable(cell=make_cell("A"), needs=needs)
    assert missing.reason == "needs camvid, weights of stage 'prior'"


def test_a_manifest_comes_back_from_its_text_and_refuses_another_version():
    manifest = Manifest(
        suite="s",
        question="q?",
        cells=(CellEntry(key="k", label="A", preset="tiny", state="failed"),),
        contrasts=(Contrast(name="c", first=GENERATIVE, second="A", measure="mPC"),),
        unavailable=(Unavailable(cell=make_cell("B"), needs=(Need(what="x", remedy="y"),)),),
        source="name: s\n",
        command="run",
    )
    text = manifest.model_dump_json()
    assert Manifest.model_validate_json(text) == manifest
    with pytest.raises(ValidationError, match="version"):
        Manifest.model_validate_json(text.replace('"version":2', '"version":1'))
    with pytest.raises(ValidationError, match="Extra inputs"):
        Manifest.model_validate(manifest.model_dump() | {"colour": "red"})
