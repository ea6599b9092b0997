"""What single datasets promise: their labels' meaning, their splits, the traps around them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.core.errors import DatasetError
from bench.core.schema import IGNORE_INDEX
from bench.data import taxonomy
from bench.data.dataset import Dataset
from bench.data.datasets import load_dataset_class
from bench.data.files.colours import distinct
from bench.data.scenes.classes import PALETTE
from tests.helpers.trees import draw_image, draw_label, some_of, trees_in_files

TREES = trees_in_files()

STREETS = (
    *("acdc", "bdd", "cadedgetune", "cityscapes", "dark_zurich", "foggy_cityscapes", "kitti"),
    "kitti_step",
)
NOT_IN_MSEG = {"pascal_context", "coco_stuff", "wilddash2"}


def open_split(name: str, root: Path | None, split: str = "", subset: str = "") -> Dataset:
    found = load_dataset_class(name)
    return found(split or found.splits[0], subset, root, found.Options())


@pytest.fixture
def tree(tmp_path):
    """Draw a dataset's small tree and open one of its splits."""

    def draw(name: str, split: str = "", subset: str = "") -> Dataset:
        TREES[name].draw(tmp_path)
        return open_split(name, tmp_path, split, subset)

    return draw


@pytest.mark.parametrize("name", TREES)
def test_every_subset_and_split_is_read(name, tree, tmp_path):
    tree(name)
    found = load_dataset_class(name)
    for subset in found.subsets:
        for split in found.splits:
            data = open_split(name, tmp_path, split, subset)
            data.check()
            assert len(data) > 0
            label = data[0].label
            assert label[label != IGNORE_INDEX].max() < len(data.label_space.classes)


@pytest.mark.parametrize("name", TREES)
def test_subsets_and_splits_differ_in_their_fingerprints(name, tree, tmp_path):
    tree(name)
    found = load_dataset_class(name)
    prints = [
        open_split(name, tmp_path, split, subset).fingerprint()
        for subset in found.subsets
        for split in found.splits
    ]
    shared = name == "voc2012"  # both subsets validate on the same images, drawn alike here
    assert len(set(prints)) == len(prints) - shared


@pytest.mark.parametrize("name", TREES)
def test_every_split_has_a_published_number_of_images(name):
    found = load_dataset_class(name)
    for subset in found.subsets:
        for split in found.splits:
            assert open_split(name, None, split, subset).published_images


@pytest.mark.parametrize("name", [*STREETS, "wilddash"])
def test_street_scenes_have_the_classes_and_colours_of_cityscapes(name):
    space, city = open_split(name, None).label_space, open_split("cityscapes", None).label_space
    assert space.classes == city.classes
    assert space.palette == city.palette == PALETTE


@pytest.mark.parametrize("name", sorted({*TREES} - NOT_IN_MSEG))
def test_the_taxonomy_of_mseg_knows_every_class(name):
    space = open_split(name, None).label_space
    assert len(taxonomy.load("mseg").members(space)) == len(space.classes)


def test_pascal_context_has_background_as_class_or_void(tree):
    with_it, without = tree("pascal_context"), tree("pascal_context", subset="59")
    assert with_it.label_space.classes[0] == "background"
    assert with_it.label_space.classes[1:] == without.label_space.classes
    background = with_it[0].label == 0
    assert (without[0].label[background] == IGNORE_INDEX).all()
    assert (without[0].label[~background] == with_it[0].label[~background] - 1).all()


@pytest.mark.parametrize(
    ("name", "stored", "classes"),
    [
        ("cityscapes", (0, 7, 33), (IGNORE_INDEX, "road", "bicycle")),
        ("ade20k", (0, 1, 150), (IGNORE_INDEX, "wall", "flag")),
        ("mapillary", (0, 64, 65), ("Bird", "Ego Vehicle", IGNORE_INDEX)),
        ("idd", (33, 35, 36, 39), ("sky", IGNORE_INDEX, "ego vehicle", "license plate")),
        ("bdd", (0, 18, 255), ("road", "bicycle", IGNORE_INDEX)),
        ("sunrgbd", (0, 1, 37), (IGNORE_INDEX, "wall", "bag")),
        ("scannet", (0, 1, 13, 39), (IGNORE_INDEX, "wall", IGNORE_INDEX, "otherfurniture")),
        ("voc2012", (0, 20, 255), ("background", "tvmonitor", IGNORE_INDEX)),
        ("pascal_context", (0, 59), ("background", "wood")),
        ("coco_panoptic", (0, 1, 90, 200), (IGNORE_INDEX, "person", "toothbrush", "rug-merged")),
        ("acdc", (0, 10, 255), ("road", "sky", IGNORE_INDEX)),
        ("wilddash", (4, 23), (IGNORE_INDEX, "sky")),
        ("dark_zurich", (0, 10, 255), ("road", "sky", IGNORE_INDEX)),
        (
            "coco_stuff",
            (0, 10, 12, 91, 181),
            ("person", "fire hydrant", "stop sign", "banner", "wood"),
        ),
        ("coco_stuff/labelTrainIds", (0, 80, 170), ("person", "banner", "wood")),
        (
            "idd/26",
            (0, 4, 12, 25, 255),
            ("road", "person", "vehicle fallback", "sky", IGNORE_INDEX),
        ),
        (
            "mapillary/2.0",
            (0, 2, 3, 122, 123),
            ("Bird", IGNORE_INDEX, "Concrete Block", "Static", IGNORE_INDEX),
        ),
        (
            "wilddash2",
            (0, 1, 26, 35, 41, 47),
            (IGNORE_INDEX, "egovehicle", "car", "van", "road", "rider"),
        ),
        (
            "wilddash2/19",
            (1, 18, 31, 34, 35, 38),
            (IGNORE_INDEX, IGNORE_INDEX, "train", "truck", "car", "road"),
        ),
        ("pascal_context/mseg", (0, 1, 59), ("aeroplane", "background", "wood")),
    ],
)
def test_stored_values_mean_these_classes(name, stored, classes):
    name, _, subset = name.partition("/")
    data = open_split(name, None, subset=subset)
    expected = [c if isinstance(c, int) else data.label_space.classes.index(c) for c in classes]
    assert data.table[list(stored)].tolist() == expected


def test_label_ids_and_train_ids_of_cityscapes_say_the_same(tmp_path):
    ids = open_split("cityscapes", None).table
    train_ids = open_split("cityscapes", None, subset="labelTrainIds").table
    kept = [value for value in range(34) if ids[value] != IGNORE_INDEX]
    assert ids[kept].tolist() == list(range(19)) == train_ids[:19].tolist()


def test_acdc_never_reads_clear_weather_references(tree):
    data = tree("acdc", "val")
    assert data.published_images == 100
    assert len(data) == 2
    assert not [path for path in data.files() if "_ref" in str(path)]


def test_acdc_has_six_more_night_frames():
    assert open_split("acdc", None, "val", "night").published_images == 106


def test_kitti_step_splits_by_sequence_and_reads_red(tree):
    data = tree("kitti_step", "val")
    assert data.ids() == ("0002/000000",)
    assert data.cluster(0) == "0002"
    stored = some_of((*range(19), 255))
    np.testing.assert_array_equal(data[0].label, stored)


def test_cadedgetune_trains_on_no_sequence_it_validates_on(tree, tmp_path):
    clusters = {
        split: {open_split("cadedgetune", tmp_path, split).cluster(0)}
        for split in tree("cadedgetune").splits
    }
    assert clusters["train"].isdisjoint(clusters["val"])
    assert tree("cadedgetune", "val").ids() == ("13/frame0309",)


def test_kitti_validates_on_the_fifty_frames_of_mseg(tree, tmp_path):
    for number in range(200):
        for folder in ("image_2", "semantic"):
            path = tmp_path / f"training/{folder}/{number:06d}_10.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    val, train = (open_split("kitti", tmp_path, split) for split in ("val", "train"))
    assert len(val) == val.published_images == 50
    assert len(train) == train.published_images == 150
    assert {"000001", "000196"} <= set(val.ids())


def test_scannet_splits_by_space_and_leaves_test_spaces_out(tree):
    assert tree("scannet", "val").ids() == ("0011/00/000000",)
    train = tree("scannet", "train")
    assert train.ids() == ("0000/00/000000", "0000/01/000100")
    assert {train.cluster(0), train.cluster(1)} == {"0000"}


def instances_of(data: Dataset, name: str) -> list[int]:
    """List the numbers of a class's pixels in the first image."""
    sample = data[0]
    assert sample.instance is not None
    k = data.label_space.classes.index(name)
    return sorted(set(sample.instance[sample.label == k].tolist()))


def test_cityscapes_numbers_things_and_leaves_groups_without_number(tree, tmp_path):
    data = tree("cityscapes", "val")
    assert data.label_space.things == data.label_space.classes[11:]
    assert instances_of(data, "car") == [26001]
    assert instances_of(data, "bicycle") == [0]  # a group that was not told apart
    assert instances_of(data, "road") == [0]
    before = data.fingerprint()
    for path in tmp_path.rglob("*instanceIds.png"):
        path.unlink()
    without = open_split("cityscapes", tmp_path, "val")
    assert without[0].instance is None
    assert without.fingerprint() != before


def test_cityscapes_instances_of_another_size_are_refused(tree, tmp_path):
    tree("cityscapes", "val")
    for path in tmp_path.rglob("*instanceIds.png"):
        Image.fromarray(np.zeros((3, 5), np.uint16)).save(path)
    with pytest.raises(DatasetError, match="its instances 3x5; both must have one size"):
        open_split("cityscapes", tmp_path, "val")[0]


def test_kitti_step_numbers_people_and_cars(tree):
    data = tree("kitti_step", "val")
    assert data.label_space.things == ("person", "car")
    assert instances_of(data, "car") == [7]


def test_camvids_original_colours_are_classes_or_void(tree):
    data = tree("camvid", "val", "mseg")
    names = data.label_space.classes
    label = data[0].label
    assert {names[v] for v in np.unique(label) if v != IGNORE_INDEX} == {
        "road",
        "pavement",
        "building",
    }
    assert (label == IGNORE_INDEX).mean() == pytest.approx(0.4, abs=0.01)  # Archway and Void
    assert data.ids() == ("0016E5_07959",)


def test_a_colour_that_camvid_has_not_is_named(tree, tmp_path):
    data = tree("camvid", "val", "mseg")
    path = tmp_path / "LabeledApproved_full/0016E5_07959_L.png"
    Image.new("RGB", (32, 24), (1, 2, 3)).save(path)
    with pytest.raises(DatasetError, match=r"_L.png: holds the colour \(1, 2, 3\).*replace"):
        data[0]


def test_the_current_release_of_bdd_is_read_too(tmp_path):
    draw_image(tmp_path / "images/10k/val/7d06fefd-f7be05a6.jpg")
    draw_label(tmp_path / "labels/sem_seg/masks/val/7d06fefd-f7be05a6.png", (0, 18, 255))
    assert open_split("bdd", tmp_path, "val").ids() == ("7d06fefd-f7be05a6",)
    assert set(np.unique(open_split("bdd", tmp_path, "val")[0].label)) == {0, 18, 255}


def test_the_two_kinds_of_coco_stuff_label_say_the_same():
    data, trained = (
        open_split("coco_stuff", None),
        open_split("coco_stuff", None, subset="labelTrainIds"),
    )
    stored = [value for value in range(182) if data.table[value] >= 0]
    assert data.table[stored].tolist() == list(range(171)) == trained.table[:171].tolist()
    assert data.table[11] < 0  # a street sign, which nobody annotated


def test_the_26_classes_of_idd_merge_the_39(tmp_path):
    all_ids, merged = open_split("idd", None), open_split("idd", None, subset="26")
    names = {
        name: merged.label_space.classes[k]
        for name, k in (
            ("train", merged.encodings["ids"][17]),
            ("tunnel", merged.encodings["ids"][31]),
        )
    }
    assert names == {"train": "vehicle fallback", "tunnel": "bridge"}
    assert merged.encodings["ids"][36] == IGNORE_INDEX  # the ego vehicle
    assert len(merged.label_space.classes) == 26
    assert len(all_ids.label_space.classes) == 39


def test_release_two_of_mapillary_is_read_by_its_labels_of_release_one(tmp_path):
    draw_image(tmp_path / "validation/images/a.jpg")
    draw_label(tmp_path / "validation/v1.2/labels/a.png", range(66))
    assert open_split("mapillary", tmp_path, "val").pairs[0].label.match("v1.2/labels/a.png")


def test_an_image_that_a_list_names_must_be_there(tree, tmp_path):
    data = tree("voc2012", "val")
    (tmp_path / "JPEGImages/2007_000033.jpg").unlink()
    with pytest.raises(DatasetError, match=r"image '2007_000033' missing.*val.txt.*copy it"):
        data.check()


def test_a_list_must_be_there(tree, tmp_path):
    data = tree("voc2012", "train", "aug")
    (tmp_path / "ImageSets/Segmentation/trainaug.txt").unlink()
    with pytest.raises(DatasetError, match=r"trainaug.txt: no such file.*copy it"):
        data.check()


def test_equal_colours_are_told_apart_and_others_kept():
    published = [(0, 0, 0), (1, 1, 1), (0, 0, 0), (0, 0, 0)]
    made = distinct(published)
    assert made[:2] == ((0, 0, 0), (1, 1, 1))
    assert len(set(made)) == 4
    assert made == distinct(published)


@pytest.mark.parametrize("name", ["ade20k", "cityscapes"])
def test_published_shares_are_those_of_the_classes(name):
    data = open_split(name, None)
    assert list(data.shares) == list(data.label_space.classes)
    assert 0.9 < sum(data.shares.values()) <= 1.0001
