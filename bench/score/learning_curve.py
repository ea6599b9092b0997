"""Whether a method is trained out: does its score still rise when it is trained for longer?

The only place that holds the rule. A method whose curve still rises is marked *not trained out*,
and no rank is given where one is.
"""

from __future__ import annotations

from collections.abc import Mapping

HALF = 0.5
"""The share of the budget that the whole of it is compared with."""
STILL_RISES = 0.05
"""Share of the score at all of the budget that half of it may lack, and no more."""


def gain(curve: Mapping[float, float]) -> float | None:
    """Return what the second half of the budget added, as a share of the score at all of it.

    Args:
        curve: the score by the share of the budget.

    Returns:
        None where a point that the rule needs is missing, or the whole budget scores nothing.
    """
    if HALF not in curve or 1.0 not in curve or not curve[1.0] > 0:
        return None
    return (curve[1.0] - curve[HALF]) / curve[1.0]


def still_rises(curve: Mapping[float, float]) -> bool | None:
    """Return whether a method is not trained out; None where its curve cannot tell."""
    share = gain(curve)
    return None if share is None else share > STILL_RISES
