"""One tree of errors, and no other exception for what a user can put right."""

import re

from bench.core import errors
from bench.core.errors import BenchError, DatasetError, DatasetMissing, WeightsError

TREE = re.compile(r"^    (.*?)[├└]── (\w+)", re.MULTILINE)


def test_the_tree_of_the_module_is_the_one_of_its_classes():
    drawn = {match[2]: bool(match[1].strip()) for match in TREE.finditer(errors.__doc__)}
    classes = {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, BenchError) and value is not BenchError
    }
    assert set(drawn) == set(classes)
    for name, nested in drawn.items():
        assert (classes[name].__base__ is not BenchError) == nested, name
    assert issubclass(errors.UnreadableWeights, WeightsError)


def test_a_missing_dataset_says_a_remedy_per_line():
    remedies = {"camvid": "camvid: get it there", "idd": "idd: get it elsewhere"}
    error = DatasetMissing(remedies)
    assert isinstance(error, DatasetError)
    assert str(error).splitlines() == list(remedies.values())
    remedies.clear()
    assert list(error.remedies) == ["camvid", "idd"]
