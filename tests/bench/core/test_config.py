"""What a configuration says without being told, and what it may not leave open."""

from typing import ClassVar

import pytest
from pydantic import ValidationError

from bench.core.config import MethodConfig, Role
from bench.core.schema import DataSpec

DATA = DataSpec(classes=("a",), palette=((0, 0, 0),), size=(8, 8))


class WidthConfig(MethodConfig):
    """A configuration with a field of its own."""

    tasks: ClassVar = ("predict", "reconstruct")
    family: ClassVar = "generative"
    width: int = 4


def test_the_role_is_the_one_of_the_class():
    assert WidthConfig().role == Role(("predict", "reconstruct"), "generative", control=False)
    assert MethodConfig().role == Role(("predict",), "")


def test_weights_depend_on_all_settings_but_files():
    config = WidthConfig(width=8, weights={"codec": "a.safetensors"}, initialise={"x": "b"})
    assert config.depends_on("codec") == {"width": 8}


def test_stages_must_be_defined():
    with pytest.raises(TypeError, match=r"WidthConfig does not define stages"):
        WidthConfig().stages(DATA)


def test_nothing_is_needed_or_read_by_default():
    config = WidthConfig()
    config.check(DATA)
    assert (config.needs(), config.files(), config.perturbations()) == ((), {}, ())
    assert not config.gives_probabilities


def test_unknown_settings_are_refused():
    with pytest.raises(ValidationError, match="height"):
        WidthConfig(height=3)
