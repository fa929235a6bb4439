"""Ensemble rules: combine members' logits into soft labels, on plain arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from pipeline.errors import SoftLabelError
from pipeline.params.sections import Rule

RULES: tuple[str, ...] = get_args(Rule)

_Doubles = npt.NDArray[np.float64]


def softmax(logits: npt.NDArray[Any], temperature: float = 1.0) -> _Doubles:
    """Softmax of z / T over the last axis, in float64.

    Args:
        logits: `(..., classes)`, finite, of any size.
        temperature: T; above 1 softens.

    Raises:
        SoftLabelError: the temperature is not above 0, or is not finite.
    """
    if not (temperature > 0 and math.isfinite(temperature)):
        raise SoftLabelError("a temperature must be above 0 and finite", seen=temperature)
    doubles = np.asarray(logits, dtype=np.float64)
    # Subtract the largest logit first: exp never overflows, and T near 0 gives no inf - inf.
    powers = np.exp((doubles - doubles.max(axis=-1, keepdims=True)) / temperature)
    scaled: _Doubles = powers / powers.sum(axis=-1, keepdims=True)
    return scaled


def combine(
    logits: npt.NDArray[Any],
    rule: str,
    weights: npt.ArrayLike | None = None,
    temperature: float = 1.0,
    calibration: npt.ArrayLike | None = None,
) -> npt.NDArray[np.float32]:
    """Class probabilities of an ensemble.

    `mean_probability` is Eq. 3 of arXiv 1904.09482, Q = avg(Q^1, ..., Q^K), where Q^k is member
    k's softmax; the paper has no temperature, so it is the case T = 1. `mean_logit` is
    softmax(avg(z^1, ..., z^K) / T). `dev_weighted` is Eq. 3 with a weight for each member. With
    calibration, z^k / T^k takes the place of z^k in all three.

    Args:
        logits: `(members, rows, classes)`, all finite.
        rule: one of `RULES`.
        weights: one a member, adding up to 1; for `dev_weighted` only.
        temperature: T, which every member's logits are divided by.
        calibration: T^k of each member (`calibration.fit_temperature`); None for 1 each.

    Returns:
        Probabilities `(rows, classes)`, float32; each row adds up to 1 but for rounding.

    Raises:
        SoftLabelError: no such rule, no members, weights or temperatures that do not fit,
            temperature not above 0.
    """
    shares = _shares(len(logits), rule, weights)
    if calibration is not None:
        logits = _calibrated(logits, calibration)
    if rule == "mean_logit":
        return softmax(_mean(logits, shares), temperature).astype(np.float32)
    return _mean(softmax(logits, temperature), shares).astype(np.float32)


def combine_scores(
    scores: npt.NDArray[Any], rule: str, weights: npt.ArrayLike | None = None
) -> npt.NDArray[np.float32]:
    """Scores of an ensemble of regression models: the mean, weighted for `dev_weighted`.

    Args:
        scores: `(members, rows, 1)`, all finite.
        rule: one of `RULES`.
        weights: one a member, adding up to 1; for `dev_weighted` only.

    Returns:
        Scores `(rows, 1)`, float32.

    Raises:
        SoftLabelError: no such rule, no members, or weights that do not fit.
    """
    return _mean(scores, _shares(len(scores), rule, weights)).astype(np.float32)


def dev_weights(scores: Mapping[str, float]) -> dict[str, float]:
    """Weights of the rule `dev_weighted`: in proportion to each member's dev score.

    Args:
        scores: dev score of each member, a fraction; one below 0 counts as 0.

    Returns:
        Weights by member, adding up to 1; equal if no score is above 0.

    Raises:
        SoftLabelError: a score is NaN or infinite.
    """
    for member, score in scores.items():
        if not math.isfinite(score):
            raise SoftLabelError("a dev score is not finite", seen=score, where=member)
    floored = {member: max(float(score), 0.0) for member, score in scores.items()}
    total = math.fsum(floored.values())
    if total == 0.0:
        return dict.fromkeys(scores, 1.0 / len(scores)) if scores else {}
    return {member: score / total for member, score in floored.items()}


def _calibrated(logits: npt.NDArray[Any], calibration: npt.ArrayLike) -> _Doubles:
    temperatures = np.asarray(calibration, dtype=np.float64)
    fits = temperatures.shape == (len(logits),) and bool((temperatures > 0).all())
    if not (fits and np.isfinite(temperatures).all()):
        raise SoftLabelError(
            f"calibration takes {len(logits)} temperatures, all above 0 and finite",
            seen=temperatures.tolist(),
        )
    divided: _Doubles = np.asarray(logits, dtype=np.float64) / temperatures[:, None, None]
    return divided


def _mean(values: npt.NDArray[Any], shares: _Doubles) -> _Doubles:
    """Weighted mean over the first axis, bit for bit the same in any order of members.

    Float addition depends on its order, so the values are sorted before the sum.
    """
    mean: _Doubles = np.sort(values * shares[:, None, None], axis=0).sum(axis=0)
    return mean


def _shares(members: int, rule: str, weights: npt.ArrayLike | None) -> _Doubles:
    if rule not in RULES:
        raise SoftLabelError(f"no such ensemble rule; there are {', '.join(RULES)}", seen=rule)
    if members == 0:
        raise SoftLabelError("an ensemble without members")
    if rule != "dev_weighted":
        return np.full(members, 1.0 / members)
    shares = np.asarray([] if weights is None else weights, dtype=np.float64)
    fits = shares.shape == (members,) and bool((shares >= 0).all())
    if not (fits and abs(shares.sum() - 1.0) <= 1e-9):
        raise SoftLabelError(
            f"dev_weighted takes {members} weights, none negative, that add up to 1",
            seen=shares.tolist(),
        )
    return shares
