"""Files of a split, from paths with fields in braces."""

import pytest

from bench.core.errors import DatasetError, DatasetMissing
from bench.data.files.layout import Layout, find_root

CITY = Layout("img/{split}/{city}/{frame}_left.png", "gt/{split}/{city}/{frame}_gt.png")


def draw(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"")


def everything(id):
    return True


def test_the_fields_are_the_id_and_lead_to_the_label(tmp_path):
    for frame in ("b/2", "a/1"):
        draw(tmp_path, f"img/val/{frame}_left.png", f"gt/val/{frame}_gt.png")
    draw(tmp_path, "img/val/a/other.jpg", "img/val/a/._1_left.png")
    pairs = CITY.find(tmp_path, everything)
    assert [pair.id for pair in pairs] == ["val/a/1", "val/b/2"]
    assert pairs[0].label == tmp_path / "gt/val/a/1_gt.png"
    assert dict(pairs[1].fields) == {"split": "val", "city": "b", "frame": "2"}
    assert [pair.id for pair in CITY.find(tmp_path, lambda id: "/b/" in id)] == ["val/b/2"]


def test_any_kind_of_image_and_labels_elsewhere(tmp_path):
    draw(tmp_path, "img/1.JPG", "img/2.png", "old/1.png", "gt/2.png")
    pairs = Layout("img/{id}.*", "gt/{id}.png", other_labels="old/{id}.png").find(
        tmp_path, everything
    )
    assert [pair.label.parent.name for pair in pairs] == ["old", "gt"]


def test_a_missing_label_is_named_with_its_image(tmp_path):
    for frame in "123":
        draw(tmp_path, f"img/{frame}.png")
    draw(tmp_path, "gt/2.png")
    with pytest.raises(
        DatasetError, match=r"gt/1\.png: label missing \(and 1 more\); .*img/1\.png"
    ):
        Layout("img/{id}.png", "gt/{id}.png").find(tmp_path, everything)


def test_two_images_of_one_id_are_refused(tmp_path):
    draw(tmp_path, "img/1.png", "img/1.jpg", "gt/1.png")
    with pytest.raises(DatasetError, match=r"has the id '1' of .*img/1\.jpg; remove or replace"):
        Layout("img/{id}.*", "gt/{id}.png").find(tmp_path, everything)


def test_a_list_says_which_images_are_of_the_split(tmp_path):
    for frame in "123":
        draw(tmp_path, f"img/{frame}.png", f"gt/{frame}.png")
    layout = Layout("img/{id}.png", "gt/{id}.png", listed=("val.txt",))
    with pytest.raises(DatasetError, match=r"val\.txt: no such file; it lists"):
        layout.find(tmp_path, everything)
    (tmp_path / "val.txt").write_text("3\n\n1\n")
    assert [pair.id for pair in layout.find(tmp_path, everything)] == ["1", "3"]
    (tmp_path / "val.txt").write_text("3\n4\n")
    with pytest.raises(DatasetError, match=r"image '4' missing, which .*val\.txt lists"):
        layout.find(tmp_path, everything)


def test_instances_and_depth_only_where_their_folder_is(tmp_path):
    draw(tmp_path, "img/1.png", "gt/1.png", "depth/1.png")
    layout = Layout(
        "img/{id}.png", "gt/{id}.png", instances="inst/{id}.png", depth="depth/{id}.png"
    )
    (pair,) = layout.find(tmp_path, everything)
    assert pair.instance is None
    assert pair.depth == tmp_path / "depth/1.png"
    draw(tmp_path, "img/2.png", "gt/2.png")
    with pytest.raises(DatasetError, match=r"depth/2\.png: depth missing"):
        layout.find(tmp_path, everything)


@pytest.mark.parametrize("folder", ["", "camvid", "CamVid", "data/SegNet"])
def test_the_root_is_the_folder_itself_or_holds_it_in_any_case(tmp_path, folder):
    layout = Layout("train/{id}.png", "trainannot/{id}.png")
    draw(tmp_path / folder, "train/1.png")
    assert find_root(tmp_path, ("camvid", "data/segnet"), (layout,)) == tmp_path / folder


def test_without_it_one_line_says_what_to_copy_where(tmp_path):
    layouts = (Layout("train/{id}.png", "trainannot/{id}.png"),)
    with pytest.raises(DatasetMissing, match="camvid needs its files: give --data-root DIR"):
        find_root(None, ("camvid",), layouts)
    with pytest.raises(DatasetError, match="no such folder; --data-root"):
        find_root(tmp_path / "absent", ("camvid",), layouts)
    with pytest.raises(
        DatasetMissing, match=r"camvid has no folder train/: copy the split to .* or"
    ):
        find_root(tmp_path, ("camvid",), layouts)
