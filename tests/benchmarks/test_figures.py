"""Ratios of readings and what is told of them, by hand.

Run with: python -m pytest tests/benchmarks/test_figures.py
"""

from __future__ import annotations

import pytest

from benchmarks.figures import Figure, ratios, wall
from benchmarks.rounds import Reading


def reading(cpu: float, seconds: float = 1.0) -> Reading:
    return Reading(cpu, seconds, 10, "rows", "weights", {})


def test_a_ratio_is_taken_within_each_round() -> None:
    """Rounds 6/2, 6/3 and 10/2: a busy moment that slows both in a round cancels out."""
    slower, ours = [reading(6), reading(6), reading(10)], [reading(2), reading(3), reading(2)]
    assert ratios(slower, ours) == (3.0, 2.0, 5.0)


def test_wall_seconds_where_they_are_asked_for() -> None:
    assert ratios([reading(9, 4.0)], [reading(1, 2.0)], wall) == (2.0,)


def test_rounds_of_unlike_number_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratios([reading(1), reading(1)], [reading(1)])


@pytest.mark.parametrize(
    ("values", "target", "bound", "median", "met"),
    [
        ((2.0, 9.0, 3.0), 2.5, "least", 3.0, True),
        ((2.0, 9.0, 2.4), 2.5, "least", 2.4, False),
        ((1.0, 1.3), 1.15, "most", 1.15, True),
        ((1.0, 1.4, 1.4), 1.3, "most", 1.4, False),
    ],
)
def test_the_median_is_held_against_the_target(values, target, bound, median, met) -> None:
    figure = Figure("a figure", "x", values, target, bound).to_dict()
    assert figure["median"] == pytest.approx(median)
    assert (figure["min"], figure["max"]) == (min(values), max(values))
    assert figure["met"] is met
