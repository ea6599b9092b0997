"""Universal classes to those of a test set, softly and hard."""

import numpy as np
import pytest
import torch

from bench.core.schema import IGNORE_INDEX
from bench.data import taxonomy
from bench.data.datasets import load_dataset_class
from bench.engine.evaluation.mapping import map_hard, map_masses, soft_masses

UNIVERSAL = taxonomy.load("scenes")


@pytest.fixture
def projection():
    scenes = load_dataset_class("scenes")
    office = scenes("val", "office", None, scenes.Options())
    return UNIVERSAL.to_space(office.label_space)


def test_soft_sums_the_probabilities_of_a_class_s_members(projection):
    classes, universal = projection.matrix.shape
    probabilities = torch.rand(2, universal, 3, 4, generator=torch.Generator().manual_seed(0))
    masses = soft_masses(probabilities, projection)
    assert masses.shape == (2, classes, 3, 4)
    for k in range(classes):
        members = np.flatnonzero(projection.matrix[k])
        expected = probabilities[:, members].sum(dim=1)
        torch.testing.assert_close(masses[:, k], expected)


def test_where_nothing_has_mass_the_pixel_is_class_0_and_unmapped():
    masses = torch.zeros(1, 3, 1, 2)
    masses[0, 2, 0, 1] = 0.5
    mapped = map_masses(masses)
    assert mapped.label.tolist() == [[[0, 2]]]
    assert mapped.unmapped.tolist() == [[[True, False]]]


def test_hard_maps_each_class_and_keeps_void(projection):
    label = torch.arange(len(projection.target)).reshape(1, 1, -1)
    mapped = map_hard(label, projection)
    for universal, target in enumerate(projection.target.tolist()):
        assert mapped.unmapped[0, 0, universal] == (target < 0)
        assert mapped.label[0, 0, universal] == max(target, 0)
    void = map_hard(torch.full((1, 1, 1), IGNORE_INDEX), projection)
    assert void.label.item() == IGNORE_INDEX
    assert not void.unmapped.item()


@pytest.mark.parametrize("value", [-1, 254])
def test_a_label_outside_the_universal_classes_is_refused(projection, value):
    with pytest.raises(ValueError, match=rf"prediction holds \[{value}\]; classes are 0\.\."):
        map_hard(torch.tensor([[[0, value]]]), projection)


def test_soft_and_hard_agree_on_certain_predictions(projection):
    reachable = [u for u, target in enumerate(projection.target.tolist()) if target >= 0]
    label = torch.tensor(reachable).reshape(1, 1, -1)
    certain = torch.nn.functional.one_hot(label, len(projection.target)).permute(0, 3, 1, 2).float()
    soft = map_masses(soft_masses(certain, projection))
    assert torch.equal(soft.label, map_hard(label, projection).label)
