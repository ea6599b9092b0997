import numpy as np
import pytest

from bench.claims.inequality import Inequality


def test_margins_by_hand() -> None:
    values = {"a": 3.0, "b": 1.0}
    assert Inequality("a - b >= 1.5").margins(values) == [0.5]
    assert Inequality("a < b").margins(values) == [-2.0]
    assert Inequality("a == b").margins(values) == [2.0, -2.0]
    assert Inequality("5 > a > 2 * b").margins(values) == [2.0, 1.0]
    assert Inequality("abs(b - a) <= -1 + 4 / 2").margins(values) == [-1.0]
    assert Inequality("min(a, b, 2) >= median(a, b, 2)").margins(values) == [-1.0]
    assert Inequality("hmean(a, b) >= max(a, b)").margins(values) == [-1.5]


def test_arrays_of_replicates() -> None:
    values = {"a": np.array([1.0, 4.0]), "b": np.array([2.0, 2.0])}
    (margin,) = Inequality("max(a, b) >= median(a, b, 3)").margins(values)
    np.testing.assert_allclose(margin, [0, 1])


def test_names_in_order() -> None:
    assert Inequality("min(b, a) / a >= c").names == ("b", "a", "c")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a + b", "is not an inequality"),
        ("a >=", "is not an inequality"),
        ("a in b", "is not an inequality"),
        ("__import__('os') >= 1", "calls what is not one of"),
        ("a.b.c() >= 1", "calls what is not one of"),
    ],
)
def test_anything_else_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Inequality(text)


@pytest.mark.parametrize("text", ["a ** 9 >= 1", "[a] >= 1", "a.real >= 1", "'x' >= a"])
def test_other_operations_are_refused_when_evaluated(text: str) -> None:
    with pytest.raises(ValueError, match="not allowed"):
        Inequality(text).margins({"a": 1.0})
