"""What ``bench`` exports: all that a method's file needs, each from one home."""

import importlib

import pytest

import bench
from bench.core.exports import HOME, home_of


@pytest.mark.parametrize("name", [*HOME, "seeding"])
def test_a_name_is_that_of_its_home(name):
    home = importlib.import_module(home_of(name))
    assert getattr(bench, name) is (home if name == "seeding" else getattr(home, name))
    assert name in bench.__all__


def test_another_name_is_no_attribute():
    with pytest.raises(AttributeError, match="module 'bench' has no attribute 'Metod'"):
        home_of("Metod")
