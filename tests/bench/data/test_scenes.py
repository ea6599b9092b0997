"""Drawn scenes: what holds of every one, and how they are kept."""

import hashlib
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.core.errors import DatasetError
from bench.core.schema import IGNORE_INDEX
from bench.data.datasets.scenes import VERSION, SceneOptions, Scenes
from bench.data.scenes import chunks
from bench.data.scenes.classes import THINGS, Label
from bench.data.scenes.draw import Scene, draw_scene
from bench.data.scenes.spaces import CITYSCAPES, DOMAINS

GOLDEN = {
    1: {
        "city": "f6106fa235862ab4",
        "fog": "8f311d0f4f268be7",
        "rain": "92a08143a8bf13ce",
        "snow": "e027e79f583cc8dd",
        "night": "147e4d884e4e48cc",
        "low_camera": "1791cee3b411ef8d",
        "home": "8bc32c47dcbd9854",
        "wild": "67b0dd99146207bc",
        "drive": "cf7b8f6ae638f7ba",
        "robot": "c929350c0dda22e6",
        "office": "5f21bced9ac93b9c",
        "objects": "71c4549c61f71e09",
        "context": "0b44c55efb0c856e",
    }
}
"""By generator version: the digest of scene 3 of each domain's validation split, 48x96."""


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("BENCH_CACHE", str(folder))
    return folder


def scenes(images: int = 3, split: str = "val", domain: str = "city", **options: int) -> Scenes:
    given = {"height": 48, "width": 96, **options}
    return Scenes(split, domain, None, SceneOptions(images=images, **given))


def digest(scene: Scene) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in scene)).hexdigest()[:16]


def as_scene(data: Scenes, index: int) -> Scene:
    return Scene(*data[index][1:])


@pytest.mark.parametrize("domain", Scenes.subsets)
def test_a_changed_drawing_raises_the_version(domain):
    assert digest(draw_scene(domain, "val", 3, 48, 96)) == GOLDEN[VERSION][domain], (
        "this drawing changed: raise VERSION in bench/data/datasets/scenes.py, add its digests"
    )


@settings(max_examples=12, deadline=None)
@given(
    domain=st.sampled_from(Scenes.subsets),
    split=st.sampled_from(Scenes.splits),
    index=st.integers(0, 100_000),
    height=st.integers(48, 110),
    width=st.integers(96, 200),
)
def test_every_scene_is_sound(domain, split, index, height, width):
    scene = draw_scene(domain, split, index, height, width)
    assert scene.image.shape == (height, width, 3)
    assert scene.image.dtype == np.uint8
    assert {a.shape for a in scene[1:]} == {(height, width)}
    assert [a.dtype for a in scene[1:]] == [np.uint8, np.uint16, np.float32]
    space = DOMAINS[domain].space
    assert set(np.unique(scene.label)) <= {*range(len(space.classes)), IGNORE_INDEX}
    if space == CITYSCAPES.space:
        assert np.isin(scene.label, list(THINGS)).tolist() == (scene.instance > 0).tolist()
    numbers = np.unique(scene.instance)
    assert numbers[numbers > 0].tolist() == list(range(1, (numbers > 0).sum() + 1))
    for number in numbers[numbers > 0]:
        assert len(set(scene.label[scene.instance == number].tolist())) == 1
    if "sky" in space.classes:
        assert (np.isinf(scene.depth) == (scene.label == space.classes.index("sky"))).all()
    assert scene.depth.min() > 0
    assert scene.image.std() > 8
    again = draw_scene(domain, split, index, height, width)
    assert digest(again) == digest(scene)


def test_splits_indices_and_domains_differ():
    wanted = [(d, s, i) for d in Scenes.subsets for s, i in (("train", 0), ("val", 0), ("val", 1))]
    images = [draw_scene(d, s, i, 48, 96).image.tobytes() for d, s, i in wanted]
    assert len(set(images)) == len(images)


def test_weather_changes_the_picture_and_not_the_street():
    city = draw_scene("city", "val", 1, 48, 96)
    for domain in ("fog", "snow", "night"):
        other = draw_scene(domain, "val", 1, 48, 96)
        np.testing.assert_array_equal(other.label, city.label)
        np.testing.assert_array_equal(other.depth, city.depth)
    below = draw_scene("low_camera", "val", 1, 48, 96)
    assert (below.label != city.label).mean() > 0.05


def test_a_street_is_where_a_street_should_be():
    labels = np.stack([draw_scene("city", "val", i, 48, 96).label for i in range(8)])
    below, above = labels[:, 36:, 30:66], labels[:, :8]
    assert (below == Label.ROAD).mean() > 0.4
    assert np.isin(above, (Label.SKY, Label.BUILDING, Label.VEGETATION)).mean() > 0.8
    assert len(np.unique(labels)) > 14


def test_every_class_of_a_domain_is_drawn():
    """The rarest, a train, is on one street of ten."""
    for domain in ("home", "drive", "robot", "office", "objects"):
        classes = DOMAINS[domain].space.classes
        seen: set[int] = set()
        for index in range(80):
            seen |= set(np.unique(draw_scene(domain, "val", index, 48, 96).label).tolist())
            if seen >= set(range(len(classes))):
                break
        assert seen - {IGNORE_INDEX} == set(range(len(classes))), domain


def test_a_room_has_its_floor_below_and_its_ceiling_above():
    classes = DOMAINS["home"].space.classes
    labels = np.stack([draw_scene("home", "val", i, 48, 96).label for i in range(8)])
    assert (labels[:, 40:] == classes.index("floor")).mean() > 0.3
    assert not (labels[:, 32:] == classes.index("ceiling")).any()
    assert not (labels[:, :8] == classes.index("floor")).any()
    assert (labels == IGNORE_INDEX).mean() < 0.02


def test_near_ground_is_nearer_than_far_ground():
    scene = draw_scene("city", "val", 2, 96, 192)
    road = scene.label == Label.ROAD
    rows = [scene.depth[row][road[row]].mean() for row in range(96) if road[row].any()]
    assert np.corrcoef(np.arange(len(rows)), rows)[0, 1] < -0.5


@pytest.mark.parametrize("size", [{"height": 47}, {"width": 95}, {"images": 0}, {"high": 48}])
def test_options_out_of_range_are_refused_by_name(size):
    with pytest.raises(ValidationError, match=next(iter(size))):
        SceneOptions(**size)


def test_an_unknown_domain_or_split_is_refused():
    with pytest.raises(DatasetError, match="no domain 'hail'; it has city, fog"):
        scenes(domain="hail").check()
    with pytest.raises(DatasetError, match="no split 'dev'; it has train, val"):
        scenes(split="dev").check()


def test_number_and_order_of_scenes_change_no_scene(monkeypatch):
    monkeypatch.setattr("bench.data.datasets.scenes._CHUNK", 2)
    few, many = scenes(images=3), scenes(images=5)
    last = many[4]
    assert digest(as_scene(few, 2)) == digest(as_scene(many, 2))
    assert digest(Scene(*last[1:])) == digest(draw_scene("city", "val", 4, 48, 96))
    assert few.fingerprint() != many.fingerprint()


def test_a_kept_scene_is_not_drawn_again(monkeypatch):
    first = as_scene(scenes(), 1)
    monkeypatch.setattr(chunks, "draw_scene", lambda *_: pytest.fail("drawn again"))
    assert digest(as_scene(scenes(), 1)) == digest(first)


def test_the_cache_is_a_hugging_face_dataset(cache):
    from datasets import load_from_disk

    scene = as_scene(scenes(), 1)
    (folder,) = cache.glob("scenes/*/000000-000003")
    row = load_from_disk(str(folder))[1]
    assert row["label"] == scene.label.tobytes()
    assert row["image"] == scene.image.tobytes()


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut_short, flip_a_bit, Path.unlink])
def test_a_damaged_cache_is_drawn_again(cache, damage):
    before = digest(as_scene(scenes(), 1))
    (arrow,) = cache.rglob("*.arrow")
    damage(arrow)
    assert digest(as_scene(scenes(), 1)) == before
    assert not list(cache.rglob(".drawing-*"))


def test_two_writers_at_once_leave_one_whole_chunk(cache):
    results: list[str] = []
    writers = [
        threading.Thread(target=lambda: results.append(digest(as_scene(scenes(), 2))))
        for _ in range(2)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(results) == 2
    assert len(set(results)) == 1
    assert [path.name for path in cache.glob("scenes/*/*")] == ["000000-000003"]
