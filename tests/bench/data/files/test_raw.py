"""Stored label values and their meaning."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.core.errors import DatasetError
from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import LabelSpace, NoOptions, Raw
from bench.data.files.raw import FAULT, RawDataset, to_label


class Numbers(RawDataset):
    title, licence, citation = "numbers", "none", "none"
    splits, needs_root = ("val",), False
    label_space = LabelSpace(name="two", classes=("a", "b"), palette=((0, 0, 0), (9, 9, 9)))
    encodings = {"own": {7: 0, 8: 1, 0: IGNORE_INDEX}, "other": {0: 0, 1: 1}}

    def __init__(self, values, image=(2, 3), instance=None):
        super().__init__("val", "", None, NoOptions())
        self.values, self.image, self.instance = np.array(values), image, instance

    def check(self):
        pass

    def __len__(self):
        return 1

    def ids(self):
        return ("0",)

    def fingerprint(self):
        return "numbers"

    def raw(self, index):
        return Raw("0", np.zeros((*self.image, 3), np.uint8), self.values, "0.jpg", "0.png")

    def extras(self, index):
        return self.instance, None


def test_values_become_classes():
    label = Numbers([[7, 8, 0], [8, 8, 7]])[0].label
    assert label.tolist() == [[0, 1, IGNORE_INDEX], [1, 1, 0]]
    assert label.dtype == np.uint8


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (Numbers([[7, 8, 1], [8, 2, 7]]), r"0\.png: label holds 1, 2; this dataset has 0, 7\.\.8"),
        (Numbers([[7, 8, 300], [8, -1, 7]]), r"label holds -1, 300;"),
        (Numbers([[7, 8, 0]]), r"label is 1x3, its image 0\.jpg is 2x3; both must have one size"),
        (
            Numbers([[7] * 3] * 2, instance=np.zeros((1, 3), np.uint16)),
            r"label is 2x3, its instances 1x3",
        ),
    ],
)
def test_what_contradicts_itself_is_refused_by_name(data, message):
    with pytest.raises(DatasetError, match=message):
        data[0]


def test_many_wrong_values_are_cut():
    table = np.full(256, FAULT, np.int16)
    table[[0, 1, 2, 9]] = 0
    with pytest.raises(DatasetError, match=r"holds 3, 4, 5, 6, 7, \.\.\.; .* has 0\.\.2, 9:"):
        to_label(np.arange(9).reshape(3, 3), table, "x")


@given(arrays(np.uint8, (3, 5), elements=st.sampled_from([0, 7, 8])))
def test_the_table_is_the_encoding(values):
    encoding = Numbers.encodings["own"]
    expected = [[encoding[value] for value in row] for row in values.tolist()]
    assert to_label(values, Numbers([[7]]).table, "x").tolist() == expected
