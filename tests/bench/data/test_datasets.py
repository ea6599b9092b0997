"""What every dataset file promises, and how dataset files are found."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.core.errors import DatasetError
from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import Dataset
from bench.data.datasets import load_dataset_class, names
from tests.helpers.trees import tree_of


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Dataset]:
    roots: dict[str, Path] = {}

    def make(name: str, split: str = "", subset: str = "") -> Dataset:
        cls, tree = load_dataset_class(name), tree_of(name)
        if name not in roots:
            roots[name] = tmp_path_factory.mktemp(name)
            tree.draw(roots[name])
        options = cls.Options(**tree.options_at(roots[name]))
        return cls(split or cls.splits_of(options)[0], subset, roots[name], options)

    return make


def test_the_file_name_is_the_registry():
    assert {"scenes", "camvid"} <= set(names())
    assert not any(name.startswith("_") for name in names())


def test_an_unknown_name_is_refused_with_the_nearest_one():
    with pytest.raises(DatasetError, match=r"no dataset 'scene'.*did you mean 'scenes'"):
        load_dataset_class("scene")


def test_importing_one_dataset_imports_nothing_slow_and_no_other():
    code = (
        "import sys; from bench.data.datasets import load_dataset_class;"
        "load_dataset_class('scenes');"
        "slow = {'torch', 'cv2', 'PIL', 'datasets', 'pandas', 'bench.data.datasets.camvid'};"
        "print(sorted(slow & set(sys.modules)))"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", names())
class TestContract:
    def test_it_says_what_it_is(self, name, make):
        data = make(name)
        for text in (data.title, data.licence, data.citation):
            assert text.strip()
        assert data.citation.count("{") == data.citation.count("}") > 0
        assert data.splits_of(data.options)
        assert data.subsets

    def test_classes_and_palette_match(self, name, make):
        space = make(name).label_space
        assert len(space.classes) == len(space.palette) == len(set(space.classes))
        assert len(set(space.palette)) == len(space.palette)
        assert all(0 <= value <= 255 for colour in space.palette for value in colour)

    def test_every_split_is_sound_and_shares_no_image(self, name, make):
        seen: set[str] = set()
        for split in make(name).splits_of(make(name).options):
            data = make(name, split)
            data.check()
            ids = data.ids()
            assert len(ids) == len(set(ids)) == len(data) > 0
            assert seen.isdisjoint(ids)
            seen.update(ids)

    def test_samples_are_images_with_labels_in_the_space(self, name, make):
        data = make(name)
        classes = len(data.label_space.classes)
        for index in range(len(data)):
            sample = data[index]
            assert sample.id == data.ids()[index]
            assert sample.image.dtype == sample.label.dtype == np.uint8
            assert sample.image.shape == (*sample.label.shape, 3)
            label = sample.label[sample.label != IGNORE_INDEX]
            assert label.size
            assert label.max() < classes
            assert sample.image.flags.writeable
            assert sample.label.flags.writeable

    def test_order_of_reading_changes_nothing(self, name, make):
        forward, backward = make(name), make(name)
        indices = range(len(forward))
        first = [forward[i] for i in indices]
        second = [backward[i] for i in reversed(indices)][::-1]
        for a, b in zip(first, second, strict=True):
            assert a.id == b.id
            for one, other in zip(a[1:], b[1:], strict=True):
                np.testing.assert_array_equal(one, other)

    def test_fingerprints_are_stable_and_tell_splits_apart(self, name, make):
        assert make(name).fingerprint() == make(name).fingerprint()
        splits = make(name).splits_of(make(name).options)
        assert len({make(name, split).fingerprint() for split in splits}) == len(splits)

    def test_an_index_beyond_the_end_is_refused(self, name, make):
        data = make(name)
        with pytest.raises(IndexError):
            data[len(data)]

    def test_clusters_are_named(self, name, make):
        data = make(name)
        assert all(data.cluster(index) for index in range(len(data)))
