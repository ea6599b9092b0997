"""What records say of data and conditions is what datasets and catalogues say."""

import pytest

from bench import corruptions
from bench.core.errors import DatasetError
from bench.core.schema import CLEAN, Condition, DataRef
from bench.corruptions.latents import CATALOGUE, CODE_FLIPS
from bench.engine.facts import condition_facts, data_facts


def test_generated_data_say_so():
    assert data_facts(DataRef(dataset="scenes", subset="city", split="val")).generated
    camvid = data_facts(DataRef(dataset="camvid", split="val"))
    assert (camvid.generated, camvid.contents, camvid.published_images) == (False, "", 101)
    with pytest.raises(DatasetError, match="no dataset 'gone'"):
        data_facts(DataRef(dataset="gone", split="val"))


def test_a_mixture_says_what_it_is_made_of():
    parts = [{"dataset": "scenes", "subset": "city"}, {"dataset": "scenes", "subset": "home"}]
    options = {"taxonomy": "scenes", "parts": parts}
    facts = data_facts(DataRef(dataset="mixture", split="train", options=options))
    assert facts.generated
    assert facts.contents == "scenes/city and scenes/home"


@pytest.mark.parametrize("name", corruptions.NAMES)
def test_every_corruption_says_its_parameters(name):
    entry = corruptions.CATALOGUE[name]
    for severity in corruptions.SEVERITIES[name]:
        facts = condition_facts(Condition(corruption=name, severity=severity))
        assert facts.family == entry.family
        assert dict(facts.parameters) == dict(
            zip(entry.parameters, entry.grid[severity - 1], strict=True)
        )
        assert (facts.curve is None) == (entry.curve is None)


def test_perturbations_say_their_strength_and_clean_images_nothing():
    facts = condition_facts(Condition(corruption=CODE_FLIPS, severity=2))
    assert facts.parameters == (("fraction of the codes", CATALOGUE[CODE_FLIPS].grid[1]),)
    assert condition_facts(CLEAN) is None
    with pytest.raises(ValueError, match="unknown corruption 'gone'"):
        condition_facts(Condition(corruption="gone", severity=1))
