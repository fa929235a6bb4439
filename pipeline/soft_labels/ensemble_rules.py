"""Combine the members' logits into soft labels by any rule, on plain arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from pipeline.errors import SoftLabelError
from pipeline.params import rules
from pipeline.soft_labels.rules.base import RULES, Doubles, EnsembleRule, WeightedRule


def of(rule: rules.Written) -> EnsembleRule:
    """The rule as params.yaml or a file of soft labels names it.

    Raises:
        SoftLabelError: no such rule, or settings that cannot be used.
    """
    try:
        settings = rules.settings(rule)
    except (KeyError, ValidationError):
        known = ", ".join(rules.KINDS)
        raise SoftLabelError(f"no such ensemble rule; there are {known}", seen=rule) from None
    return RULES[settings.kind](settings)


def softmax(logits: npt.NDArray[Any], temperature: float = 1.0) -> Doubles:
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
    # Subtract the largest logit first: exp never overflows, and T near 0 causes no inf - inf.
    powers = np.exp((doubles - doubles.max(axis=-1, keepdims=True)) / temperature)
    scaled: Doubles = powers / powers.sum(axis=-1, keepdims=True)
    return scaled


def combine(
    logits: npt.NDArray[Any],
    rule: rules.Written,
    weights: npt.ArrayLike | None = None,
    temperature: float = 1.0,
    calibration: npt.ArrayLike | None = None,
) -> npt.NDArray[np.float32]:
    """Class probabilities of an ensemble.

    With calibration, z^k / T^k takes the place of member k's logits z^k, whatever the rule.

    Args:
        logits: `(members, rows, classes)`, all finite.
        rule: as in params.yaml.
        weights: one per member, adding up to 1; only for a rule that weighs members.
        temperature: T, which every member's logits are divided by.
        calibration: T^k of each member (`calibration.fit_temperature`); None for 1 each.

    Returns:
        Probabilities `(rows, classes)`, float32; each row adds up to 1 but for rounding.

    Raises:
        SoftLabelError: no such rule, no members, weights or temperatures that do not fit,
            temperature not above 0.
    """
    chosen = of(rule)
    shares = _shares(len(logits), chosen, weights)
    if calibration is not None:
        logits = _calibrated(logits, calibration)
    return chosen.probabilities(logits, shares, temperature).astype(np.float32)


def combine_scores(
    scores: npt.NDArray[Any], rule: rules.Written, weights: npt.ArrayLike | None = None
) -> npt.NDArray[np.float32]:
    """Scores of an ensemble of regression models.

    Args:
        scores: `(members, rows, 1)`, all finite.
        rule: as in params.yaml.
        weights: one per member, adding up to 1; only for a rule that weighs members.

    Returns:
        Scores `(rows, 1)`, float32.

    Raises:
        SoftLabelError: no such rule, no members, or weights that do not fit.
    """
    chosen = of(rule)
    return chosen.scores(scores, _shares(len(scores), chosen, weights)).astype(np.float32)


def _calibrated(logits: npt.NDArray[Any], calibration: npt.ArrayLike) -> Doubles:
    temperatures = np.asarray(calibration, dtype=np.float64)
    fits = temperatures.shape == (len(logits),) and bool((temperatures > 0).all())
    if not (fits and np.isfinite(temperatures).all()):
        raise SoftLabelError(
            f"calibration takes {len(logits)} temperatures, all above 0 and finite",
            seen=temperatures.tolist(),
        )
    divided: Doubles = np.asarray(logits, dtype=np.float64) / temperatures[:, None, None]
    return divided


def _shares(members: int, rule: EnsembleRule, weights: npt.ArrayLike | None) -> Doubles:
    if members == 0:
        raise SoftLabelError("an ensemble without members")
    if not isinstance(rule, WeightedRule):
        return np.full(members, 1.0 / members)
    shares = np.asarray([] if weights is None else weights, dtype=np.float64)
    fits = shares.shape == (members,) and bool((shares >= 0).all())
    if not (fits and abs(shares.sum() - 1.0) <= 1e-9):
        raise SoftLabelError(
            f"{rule.settings.kind} takes {members} weights, none negative, that add up to 1",
            seen=shares.tolist(),
        )
    return shares
