"""What every shipped converter is: a function of checkpoints that gives a conversion."""

import ast
from pathlib import Path

import pytest

import methods
from bench.core.config import Conversion
from bench.core.schema import DataSpec

DATA = DataSpec(classes=("a",), palette=((0, 0, 0),), size=(8, 8))
CONVERTERS = sorted(path for root in methods.__path__ for path in Path(root).glob("*/convert.py"))


@pytest.mark.parametrize("path", CONVERTERS, ids=lambda path: path.parent.name)
def test_every_converter_takes_checkpoints_and_a_configuration(path):
    functions = [
        node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)
    ]
    convert = next(function for function in functions if function.name == "convert")
    assert [argument.arg for argument in convert.args.args] == ["checkpoints", "config"]
    assert ast.unparse(convert.returns) == "Conversion"


def test_a_conversion_sets_nothing_and_leaves_nothing_out_unless_it_says_so():
    conversion = Conversion({"codec": {}}, DATA)
    assert (conversion.settings, conversion.unmapped) == ({}, ())
    with pytest.raises(TypeError, match="data"):
        Conversion({"codec": {}})
