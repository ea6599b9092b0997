"""Universal classes: what maps to what, and the laws of mapping predictions."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import TaxonomyError
from bench.core.schema import IGNORE_INDEX
from bench.data import datasets, taxonomy
from bench.data.dataset import LabelSpace
from bench.data.scenes.classes import Label
from bench.data.scenes.spaces import CITYSCAPES, DOMAINS, HOME
from bench.data.taxonomy import Projection, Taxonomy, TaxonomyEntry, colormap
from bench.engine.evaluation.mapping import map_hard, map_masses, soft_masses

TRAINED_IN_MSEG = ("coco_panoptic", "ade20k", "mapillary", "idd", "bdd", "cityscapes", "sunrgbd")
TESTED_IN_MSEG = ("voc2012", "pascal_context", "camvid", "wilddash", "kitti", "scannet")


def space(*classes: str, name: str = "own") -> LabelSpace:
    return LabelSpace(name=name, classes=classes, palette=colormap(len(classes)))


def make(classes: tuple[str, ...], **entries: tuple[str, ...]) -> Taxonomy:
    """Make a taxonomy with the one label space ``own``."""
    own = tuple(TaxonomyEntry((name,), members) for name, members in entries.items())
    return Taxonomy("made", classes, {"own": own})


def label_space_of(dataset: str) -> LabelSpace:
    found = datasets.load_dataset_class(dataset)
    return found(found.splits[0], "", None, found.Options()).label_space


def test_mseg_has_its_194_classes_and_both_its_taxonomies():
    mseg = taxonomy.load("mseg")
    assert len(mseg.classes) == len(set(mseg.classes)) == 194
    assert len(mseg.label_space.palette) == 194
    assert {len(mseg.spaces[name]) for name in ("camvid-11", "scannet-20")} == {11, 20}
    assert len([name for name in mseg.spaces if name.endswith("-relabeled")]) == 7


@pytest.mark.parametrize("name", TRAINED_IN_MSEG)
def test_every_training_set_of_mseg_can_be_trained_on(name):
    known = label_space_of(name)
    table = taxonomy.load("mseg").from_space(known)
    assert set(table[len(known.classes) :]) == {IGNORE_INDEX}
    assert (table[: len(known.classes)] != IGNORE_INDEX).sum() > 0.75 * len(known.classes)


@pytest.mark.parametrize("universal", ["mseg", "scenes"])
@pytest.mark.parametrize("name", TESTED_IN_MSEG)
def test_every_test_set_of_mseg_can_be_tested_on(name, universal):
    known = label_space_of(name)
    projection = taxonomy.load(universal).to_space(known)
    lost = len(projection.unreachable)
    assert lost == (2 if name == "pascal_context" else 0) or universal == "scenes"
    assert lost < len(known.classes) / 2


def test_names_are_matched_in_any_spelling_and_by_synonyms():
    camvid = taxonomy.load("mseg").to_space(label_space_of("camvid"))
    classes = taxonomy.load("mseg").classes
    named = {name: camvid.space.classes[camvid.target[classes.index(name)]] for name in
             ("pole", "sidewalk_pavement", "traffic_sign")}  # fmt: skip
    assert named == {
        "pole": "pole",
        "sidewalk_pavement": "pavement",
        "traffic_sign": "sign symbol",
    }


def test_what_does_not_fit_is_refused_by_name():
    with pytest.raises(TaxonomyError, match=r"no taxonomy 'msegg'.*did you mean 'mseg'"):
        taxonomy.load("msegg")
    found = make(("a", "b"), one=("a", "b"), two=("b",))
    with pytest.raises(TaxonomyError, match="no label space 'other'; known are own"):
        found.to_space(space("one", name="other"))
    with pytest.raises(TaxonomyError, match=r"no class 'on' of own.*did you mean 'one'"):
        found.to_space(space("on"))
    with pytest.raises(TaxonomyError, match="'one' of own may be a, b"):
        found.from_space(space("one"))
    with pytest.raises(TaxonomyError, match="own: b is in 'one' and 'two'"):
        found.to_space(space("one", "two"))


def test_a_universal_space_is_told_by_its_name():
    mseg = taxonomy.load("mseg")
    assert taxonomy.of_space(mseg.label_space.name) == mseg
    assert taxonomy.of_space("cityscapes-19") is None
    assert taxonomy.of_space("mseg") is None


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_scene_s_classes_are_made_of_what_the_taxonomy_says(domain):
    """What is drawn goes to the domain's classes by its table as by the universal classes."""
    universal = taxonomy.load("scenes")
    streets, rooms = (universal.from_space(each.space) for each in (CITYSCAPES, HOME))
    target = universal.to_space(DOMAINS[domain].space).target
    for label in Label:
        class_ = CITYSCAPES.table[label], HOME.table[label]
        known = [t[c] for t, c in zip((streets, rooms), class_, strict=True) if c != IGNORE_INDEX]
        if known:
            expected = target[known[0]] if target[known[0]] >= 0 else IGNORE_INDEX
            assert DOMAINS[domain].table[label] == expected, label.name


def test_clutter_is_what_no_method_can_learn():
    universal = taxonomy.load("scenes")
    lost = {name: universal.to_space(DOMAINS[name].space).unreachable for name in DOMAINS}
    assert {name: classes for name, classes in lost.items() if classes} == {
        "office": ("waste bin",),
        "context": ("other furniture",),
    }


def test_the_colours_are_those_of_pascal_voc():
    assert colormap(3) == ((128, 0, 0), (0, 128, 0), (128, 128, 0))
    assert len(set(colormap(255))) == 255


@st.composite
def projections(draw, total=False):
    """Draw a projection, and the number of its universal classes."""
    universal, classes = draw(st.integers(1, 9)), draw(st.integers(1, 6))
    least = 0 if total else -1
    target = draw(st.lists(st.integers(least, classes - 1), min_size=universal, max_size=universal))
    return Projection(np.array(target), space(*map(str, range(classes))))


def draw_probabilities(projection, seed):
    logits = np.random.default_rng(seed).normal(0, 3, (2, len(projection.target), 3, 4))
    return torch.from_numpy(logits).double().softmax(1)


@settings(deadline=None)
@given(projections(), st.integers(0, 9))
def test_soft_mapping_conserves_the_mass_of_what_is_mapped(projection, seed):
    probabilities = draw_probabilities(projection, seed)
    mapped = probabilities[:, projection.target >= 0].sum(1)
    torch.testing.assert_close(soft_masses(probabilities, projection).sum(1), mapped)


@settings(deadline=None)
@given(projections(total=True), st.integers(0, 9))
def test_soft_mapping_onto_all_classes_conserves_all_mass(projection, seed):
    masses = soft_masses(draw_probabilities(projection, seed), projection)
    torch.testing.assert_close(masses.sum(1), torch.ones_like(masses.sum(1)))


@settings(deadline=None)
@given(projections(), st.integers(0, 9))
def test_soft_is_hard_where_all_mass_is_on_one_class(projection, seed):
    likeliest = draw_probabilities(projection, seed).argmax(1)
    one_hot = torch.nn.functional.one_hot(likeliest, len(projection.target))
    soft = map_masses(soft_masses(one_hot.movedim(-1, 1).float(), projection))
    hard = map_hard(likeliest, projection)
    assert torch.equal(soft.label, hard.label)
    assert torch.equal(soft.unmapped, hard.unmapped)
    assert (hard.label[hard.unmapped] == 0).all()


@settings(deadline=None)
@given(st.permutations(range(7)))
def test_a_total_and_lossless_taxonomy_round_trips(order):
    universal = tuple(f"u{index}" for index in range(7))
    found = make(universal, **{f"c{at}": (universal[index],) for at, index in enumerate(order)})
    own = space(*(f"c{index}" for index in range(7)))
    labels = np.arange(7)
    there = found.from_space(own)[labels].astype(np.int64)
    back = map_hard(torch.from_numpy(there)[None, None], found.to_space(own))
    assert back.label.flatten().tolist() == labels.tolist()
    assert not back.unmapped.any()


def test_hard_mapping_keeps_void_and_refuses_what_is_no_class():
    projection = Projection(np.array([1, -1]), space("a", "b"))
    mapped = map_hard(torch.tensor([[[0, 1, IGNORE_INDEX]]]), projection)
    assert mapped.label.flatten().tolist() == [1, 0, IGNORE_INDEX]
    assert mapped.unmapped.flatten().tolist() == [False, True, False]
    with pytest.raises(ValueError, match=r"holds \[-1, 2\]; classes are 0..1"):
        map_hard(torch.tensor([[[2, -1]]]), projection)
