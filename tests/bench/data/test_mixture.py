"""Several data sets as one, in universal classes."""

import numpy as np
import pytest
from pydantic import ValidationError

from bench.core.errors import DatasetError, DatasetMissing
from bench.core.schema import IGNORE_INDEX
from bench.data import taxonomy
from bench.data.datasets.camvid import CamVid
from bench.data.datasets.mixture import Mixture, MixtureOptions
from bench.data.datasets.scenes import SceneOptions, Scenes

SMALL = {"images": 3, "height": 48, "width": 96}
CITY = {"dataset": "scenes", "subset": "city", "options": SMALL}
HOME = {"dataset": "scenes", "subset": "home", "options": SMALL, "repeat": 2}


def mixture(*parts, name="scenes", root=None):
    return Mixture("train", "", root, MixtureOptions(taxonomy=name, parts=parts))


def test_every_image_counts_as_often_as_its_part_says():
    data = mixture(CITY, HOME)
    assert len(data) == 3 + 2 * 3
    assert len(set(data.ids())) == len(data)
    images = [data[index].image.tobytes() for index in range(len(data))]
    assert images[3:6] == images[6:9]
    assert len(set(images)) == 6
    assert [data[index].id for index in range(len(data))] == list(data.ids())
    assert len({data.cluster(index) for index in range(len(data))}) == 6


def test_labels_are_universal_classes_and_void_stays():
    data = mixture(CITY, HOME)
    assert data.label_space == taxonomy.load("scenes").label_space
    city, home = Scenes("train", "city", None, SceneOptions(**SMALL)), data
    names = data.label_space.classes
    for index in range(3):
        before, after = city[index].label, data[index].label
        np.testing.assert_array_equal(before == IGNORE_INDEX, after == IGNORE_INDEX)
        assert {names[value] for value in np.unique(after[before == 13])} <= {"car"}
    rooms = np.concatenate([np.unique(home[index].label) for index in range(3, 6)])
    assert {"floor", "wall"} <= {names[value] for value in rooms if value != IGNORE_INDEX}


def test_an_image_knows_its_part():
    data = mixture(CITY, HOME)
    assert [data.domain(index) for index in range(len(data))] == [0] * 3 + [1] * 6


def test_parts_of_one_label_space_need_no_taxonomy():
    rain = {**CITY, "subset": "rain"}
    data, city = mixture(CITY, rain, name=""), Scenes("train", "city", None, SceneOptions(**SMALL))
    data.check()
    assert data.label_space == city.label_space
    np.testing.assert_array_equal(data[1].label, city[1].label)
    with pytest.raises(DatasetError, match=r"home.* is labelled in scenes-home-18 and .*city"):
        mixture(CITY, HOME, name="").check()


def test_content_repeats_and_classes_are_its_fingerprint():
    prints = [
        mixture(CITY, HOME).fingerprint(),
        mixture(HOME, CITY).fingerprint(),
        mixture(CITY, {**HOME, "repeat": 3}).fingerprint(),
        mixture(CITY, {**HOME, "options": {**SMALL, "images": 2}}).fingerprint(),
    ]
    assert len(set(prints)) == len(prints)
    assert mixture(CITY, HOME).fingerprint() == prints[0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset": "scense"}, "no dataset 'scense'"),
        ({"subset": "hime"}, "scenes has no subset 'hime'.*did you mean 'home'"),
        ({"split": "dev"}, "scenes has no split 'dev'"),
        ({"options": {"images": 0}}, "options.images: .*greater than 0"),
        ({"repeat": 0}, "greater than 0"),
    ],
)
def test_a_faulty_part_is_refused_by_name(changes, message):
    with pytest.raises(ValidationError, match=message):
        mixture({**HOME, **changes})


def test_a_taxonomy_must_know_the_parts():
    with pytest.raises(ValidationError, match=r"no taxonomy 'sceens'.*did you mean 'scenes'"):
        mixture(CITY, name="sceens")
    with pytest.raises(DatasetError, match="mseg has no label space 'scenes-home-18'"):
        mixture(HOME, name="mseg").check()
    with pytest.raises(DatasetError, match="'flat' of scenes-robot-7 may be road, sidewalk"):
        mixture({**CITY, "subset": "robot"}).check()


def test_a_part_that_is_missing_is_missing_from_the_whole():
    data = mixture(CITY, {"dataset": "cityscapes"}, {"dataset": "bdd"})
    with pytest.raises(
        DatasetMissing, match=r"(?s)cityscapes needs its files.*\nbdd needs its files"
    ):
        data.check()


def test_it_is_generated_only_if_all_of_it_is():
    drawn = MixtureOptions(taxonomy="scenes", parts=(CITY, HOME))
    real = MixtureOptions(taxonomy="scenes", parts=(CITY, {"dataset": "cityscapes"}))
    assert Mixture.is_drawn(drawn)
    assert not Mixture.is_drawn(real)
    assert not CamVid.is_drawn(CamVid.Options())
