"""Measure how far the members of an ensemble agree: share of rows, Cohen's kappa, correlation."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.tasks import Task

AGREEMENT, KAPPA, CORRELATION = "agreement", "kappa", "correlation"

Values = npt.NDArray[Any]


def pairwise(
    task: Task, predicted: Mapping[str, Values]
) -> dict[tuple[str, str], dict[str, float | None]]:
    """Agreement of every two members on the same rows.

    Args:
        task: the task.
        predicted: member -> class ids or scores, `(rows,)`.

    Returns:
        Pair of members -> measure -> fraction. Of classes `agreement`, the share of rows that
        both put into the same class, and `kappa`, Cohen's: the same beyond chance. Of scores
        `correlation`, Pearson's. None where a measure is not defined because a side is constant.

    Raises:
        ValueError: there are no rows, or members differ in their number.
    """
    _check(predicted)
    measure = _of_scores if task.regression else _of_classes
    return {
        (first, second): measure(predicted[first], predicted[second])
        for first, second in combinations(predicted, 2)
    }


def mean(pairs: Mapping[tuple[str, str], Mapping[str, float | None]]) -> dict[str, float | None]:
    """Each measure's mean over the pairs that have it; None if none has, {} without pairs."""
    names = dict.fromkeys(name for measures in pairs.values() for name in measures)
    return {name: _mean([measures[name] for measures in pairs.values()]) for name in names}


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _of_classes(first: Values, second: Values) -> dict[str, float | None]:
    same = float(np.mean(first == second))
    return {AGREEMENT: same, KAPPA: _kappa(first, second, same)}


def _kappa(first: Values, second: Values, same: float) -> float | None:
    """(p - e) / (1 - e), with e the agreement by chance of two with these shares of classes."""
    classes = int(max(first.max(), second.max())) + 1
    shares = [np.bincount(side, minlength=classes) / len(side) for side in (first, second)]
    chance = float(shares[0] @ shares[1])
    return None if np.isclose(chance, 1.0) else (same - chance) / (1 - chance)


def _of_scores(first: Values, second: Values) -> dict[str, float | None]:
    constant = np.ptp(first) == 0 or np.ptp(second) == 0
    sides = first.astype(np.float64), second.astype(np.float64)
    return {CORRELATION: None if constant else float(np.corrcoef(*sides)[0, 1])}


def _check(predicted: Mapping[str, Values]) -> None:
    counts = {member: len(values) for member, values in predicted.items()}
    if len(set(counts.values())) > 1 or 0 in counts.values():
        raise ValueError(f"members cannot be compared on these numbers of rows: {counts}")
