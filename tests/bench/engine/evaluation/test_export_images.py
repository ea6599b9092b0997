"""Images for models that run elsewhere: names, digests, and what they depend on."""

import json

import numpy as np
import pytest
from PIL import Image

from bench.core.errors import PlanError
from bench.core.schema import CLEAN, Condition, DataRef, Protocol
from bench.engine.evaluation.export_images import MANIFEST, export_images
from bench.engine.evaluation.inputs import digest_of, folder_name
from bench.engine.plan import Settings, make_plan
from bench.suite.reading import read_suite
from tests.helpers.stores import make_cell

SUITE = """\
name: images
question: Which images are these?
methods:
  - {adapter: position_prior, label: Floor}
train_on: [camvid]
test_on: [camvid]
seeds: [0, 1]
conditions:
  - {corruption: gaussian_noise, severities: [2]}
protocol: {resize: [12, 16]}
"""


class Quiet:
    """Says nothing."""

    def begin(self, what, total):
        pass

    def advance(self, done, note=""):
        pass


def plan_of(world, text=SUITE, root=None):
    world.suite.write_text(text)
    return make_plan(read_suite(world.suite), Settings(world.output, root or world.root))


def test_every_image_is_written_once_for_each_of_its_draws(world):
    count = export_images(plan_of(world), world.root / "to", Quiet())
    assert count == 3 * 2
    manifest = json.loads((world.root / "to" / MANIFEST).read_text())
    names = [f"gaussian_noise-2-seed-{seed}" for seed in (0, 1)]
    assert set(manifest["folders"]) == {f"camvid-val/{name}" for name in ("clean", *names)}
    first, second = (
        np.asarray(Image.open(world.root / "to" / "camvid-val" / name / "0016E5_07959.png"))
        for name in names
    )
    assert first.shape == (12, 16, 3)
    assert not np.array_equal(first, second)
    folder = manifest["folders"]["camvid-val/clean"]
    assert folder["images"] == {"0016E5_07959": [12, 16], "0016E5_07961": [12, 16]}
    assert len(folder["classes"]) == 11


def test_without_the_test_set_it_says_what_is_missing(world):
    (world.root / "nothing").mkdir()
    with pytest.raises(PlanError, match="camvid"):
        export_images(plan_of(world, root=world.root / "nothing"), world.root / "to", Quiet())


def test_names_tell_test_sets_conditions_draws_and_sizes_apart():
    camvid = DataRef(dataset="camvid", split="val")
    city = DataRef(dataset="scenes", subset="city", split="test")
    protocol, noise = Protocol(resize=(8, 8)), Condition(corruption="fog", severity=3)
    short = Protocol(short_side=360, crop=(8, 8))
    assert folder_name(camvid, protocol, CLEAN, 4) == "camvid-val/clean"
    assert folder_name(city, protocol, noise, 4) == "scenes-city-test/fog-3-seed-4"
    assert folder_name(city, short, CLEAN, 4) == "scenes-city-test-short-side-360/clean"


def test_digests_change_with_what_changes_the_pixels_and_with_nothing_else():
    fog = Condition(corruption="fog", severity=3)
    clean, foggy = make_cell("A"), make_cell("A", fog)
    size = {"resize": (12, 24)}
    digests = {
        digest_of(clean, "data"),
        digest_of(clean, "other data"),
        digest_of(make_cell("A", protocol=Protocol(resize=(24, 48))), "data"),
        digest_of(foggy, "data"),
        digest_of(make_cell("A", fog, seed=1), "data"),
        digest_of(make_cell("A", fog, protocol=Protocol(**size, corrupt_at="native")), "data"),
    }
    assert len(digests) == 6
    assert digest_of(make_cell("B", seed=1), "data") == digest_of(clean, "data")
    native = Protocol(**size, corrupt_at="native")
    assert digest_of(make_cell("A", protocol=native), "data") == digest_of(clean, "data")
