"""What takes the place of data and sizes that not everyone has."""

import pytest
from pydantic import ValidationError

from bench.core.registry import resolve_config
from bench.suite.stand_in import StandIn, put_in_place

PROTOCOL = {"resize": [32, 64]}
STAND_IN = {
    "data": {"cityscapes": "scenes/city", "camvid": "scenes/city", "acdc/fog": "scenes/fog"},
    "train": {"images": 9},
    "test": {"images": 3},
    "presets": {"paper": "tiny"},
    "config": {"gss": {"variant": "FT"}},
    "protocol": PROTOCOL,
}
TREE = {
    "name": "table",
    "protocol": {"resize": [512, 1024]},
    "methods": [
        {"adapter": "gss", "preset": "paper", "config": {"void": "fill"}},
        {"adapter": "codec", "preset": "vqgan_f16_1024"},
    ],
    "train_on": ["cityscapes"],
    "test_on": ["cityscapes", {"dataset": "camvid", "split": "test"}, "acdc/fog", "idd"],
    "paper": {"columns": [{"name": "city", "test_on": "cityscapes"}, {"name": "clean"}]},
    "stand_in": STAND_IN,
}


def replaced():
    return put_in_place(TREE, StandIn.model_validate(STAND_IN))


def test_name_and_protocol_are_the_stand_in_s():
    assert replaced()["name"] == "table-stand-in"
    assert replaced()["protocol"] == PROTOCOL
    assert "stand_in" not in replaced()


def test_data_are_replaced_with_their_options_and_others_stay():
    city = {"dataset": "scenes", "subset": "city", "options": {"images": 3}}
    fog = {"dataset": "scenes", "subset": "fog", "options": {"images": 3}}
    assert replaced()["test_on"][:1] == [city]
    assert replaced()["test_on"][1] == {**city, "split": "test"}
    assert replaced()["test_on"][2:] == [fog, {"dataset": "idd", "subset": ""}]
    assert replaced()["train_on"] == [{**city, "options": {"images": 9}}]


def test_two_sets_with_one_stand_in_are_one():
    tree = {**TREE, "test_on": ["cityscapes", "camvid"]}
    assert len(put_in_place(tree, StandIn.model_validate(STAND_IN))["test_on"]) == 1


def test_sizes_and_settings_of_methods():
    gss, codec = replaced()["methods"]
    assert (gss["preset"], gss["config"]) == ("tiny", {"void": "fill", "variant": "FT"})
    assert (codec["preset"], codec["config"]) == ("vqgan_f16_1024", {})


def test_a_share_of_the_steps_is_taken_of_every_stage_and_told():
    stand_in = StandIn.model_validate({**STAND_IN, "steps": 0.05})
    changed = put_in_place(TREE, stand_in)
    gss, codec = changed["methods"]
    whole = resolve_config("gss", "tiny", {})
    short = resolve_config("gss", gss["preset"], gss["config"])
    for stage in ("train_tokenizer", "train_prior", "train_inverse"):
        before, after = getattr(whole, stage), getattr(short, stage)
        assert after.steps == round(0.05 * before.steps) > 0
        assert after.warmup_steps == round(0.05 * before.warmup_steps)
        assert after.lr == before.lr
    assert codec["config"]["train_codec"]["steps"] == 4000  # of 80,000
    assert changed["name"] == "table-stand-in-5pct"
    assert "size tiny, each trained for 5% of its steps;" in str(stand_in)


def test_a_share_beyond_all_or_next_to_nothing_is_refused():
    for share in (0, 0.001, 1.5):
        with pytest.raises(ValidationError, match="steps"):
            StandIn.model_validate({**STAND_IN, "steps": share})


def test_a_label_comes_before_a_preset():
    presets = {"paper": "tiny", "B": "small"}
    entries = [{"adapter": "gss", "label": label, "preset": "paper"} for label in "AB"]
    stand_in = StandIn.model_validate({**STAND_IN, "presets": presets})
    changed = put_in_place({**TREE, "methods": entries}, stand_in)["methods"]
    assert [entry["preset"] for entry in changed] == ["tiny", "small"]


def test_columns_of_the_paper_name_the_sets_that_stand_in():
    columns = replaced()["paper"]["columns"]
    assert [column["test_on"] for column in columns] == [["scenes/city"], []]


def test_it_says_what_stood_in():
    told = str(StandIn.model_validate(STAND_IN))
    assert told.startswith("Stand-in: generated scenes (scenes/city for cityscapes")
    assert told.endswith("says nothing of the published numbers")
