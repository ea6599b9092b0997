"""Predictions in MSeg's universal classes, mapped both ways as the official code does."""

import numpy as np
import pytest
import torch

from bench.data.dataset import LabelSpace
from bench.data.taxonomy import Projection, colormap, load
from bench.engine.evaluation.mapping import map_hard, map_masses, soft_masses
from tests.helpers.parity import Fixture
from tests.helpers.parity import load as load_fixture

TEST_SPACES = (
    "voc2012",
    "pascal-context-60",
    "camvid-11",
    "wilddash-19",
    "kitti-19",
    "scannet-20",
)
every_space = pytest.mark.parametrize("space", TEST_SPACES)


@pytest.fixture(scope="module")
def fixture() -> Fixture:
    return load_fixture("mseg_taxonomy")


def projection_to(name: str) -> Projection:
    classes = tuple(entry.names[0] for entry in load("mseg").spaces[name])
    return load("mseg").to_space(
        LabelSpace(name=name, classes=classes, palette=colormap(len(classes)))
    )


@every_space
def test_soft(fixture: Fixture, space: str) -> None:
    mapped = map_masses(
        soft_masses(fixture.tensor("universal_logits").softmax(1), projection_to(space))
    )
    np.testing.assert_array_equal(mapped.label.numpy(), fixture.arrays[f"soft_{space}"])


@every_space
def test_hard(fixture: Fixture, space: str) -> None:
    likeliest = fixture.tensor("universal_logits").argmax(1)
    mapped = map_hard(likeliest, projection_to(space))
    np.testing.assert_array_equal(mapped.label.numpy(), fixture.arrays[f"hard_{space}"])
    assert torch.equal(
        mapped.label[mapped.unmapped], torch.zeros_like(mapped.label[mapped.unmapped])
    )


@pytest.mark.parametrize(
    ("space", "unmapped"),
    [
        *(("scannet-20", 157), ("camvid-11", 182), ("kitti-19", 172), ("wilddash-19", 171)),
        *(("voc2012", 0), ("pascal-context-60", 0)),
    ],
)
def test_as_many_universal_classes_have_no_target_as_in_the_published_table(
    space: str, unmapped: int
) -> None:
    assert (projection_to(space).target < 0).sum() == unmapped


def test_two_classes_of_pascal_context_cannot_be_predicted() -> None:
    assert projection_to("pascal-context-60").unreachable == ("flower", "wood")
