"""Fit calibration temperatures and measure the expected calibration error."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import SoftLabelError
from pipeline.soft_labels import ensemble_rules

Values = npt.NDArray[Any]

LOWEST, HIGHEST = 0.05, 20.0
"""Range of fitted temperatures. If all rows are classified correctly, or all wrongly, there is no
finite optimum."""


def fit_temperature(logits: Values, labels: Values) -> float:
    """Temperature T that minimises the negative log-likelihood of softmax(z / T).

    This is temperature scaling (arXiv 1706.04599, section 4.2). The loss is convex in 1 / T, so
    its slope has one root, which is searched for over log T. Fit on held-out rows: on its own
    train rows a model is overconfident.

    Args:
        logits: `(rows, classes)`, finite.
        labels: gold class ids `(rows,)`.

    Returns:
        T in [`LOWEST`, `HIGHEST`]; above 1 for an overconfident model. 1 if T changes nothing.

    Raises:
        SoftLabelError: there are no rows.
    """
    if not len(logits):
        raise SoftLabelError("no rows to fit a temperature on")
    from scipy.optimize import brentq

    doubles = np.asarray(logits, np.float64)
    gold = np.take_along_axis(doubles, np.asarray(labels, np.int64)[:, None], axis=1)
    margins = doubles - gold  # (rows, classes), 0 at the gold class

    def slope(log_temperature: float) -> float:
        """Derivative of the mean negative log-likelihood by 1 / T."""
        shares = ensemble_rules.softmax(margins, math.exp(log_temperature))
        return float((shares * margins).sum(axis=1).mean())

    low, high = math.log(LOWEST), math.log(HIGHEST)
    at_low, at_high = slope(low), slope(high)
    if at_low == 0.0 == at_high:
        return 1.0
    if at_low <= 0.0:
        return LOWEST
    if at_high >= 0.0:
        return HIGHEST
    return math.exp(brentq(slope, low, high, xtol=1e-12))


def expected_calibration_error(probabilities: Values, labels: Values, bins: int = 15) -> float:
    """Expected calibration error (arXiv 1706.04599, Eq. 3): mean gap of accuracy and confidence.

    Rows are put into bins of equal width by the probability of their likeliest class; bin m holds
    confidences above (m - 1) / bins up to m / bins. The gaps are weighted by the bins' rows.

    Args:
        probabilities: `(rows, classes)`.
        labels: gold class ids `(rows,)`.
        bins: number of bins.

    Returns:
        A fraction, 0 for a perfectly calibrated model.

    Raises:
        ValueError: there are no rows, or another number of labels.
    """
    if not len(probabilities) or len(probabilities) != len(labels):
        raise ValueError(f"{len(labels)} labels for {len(probabilities)} rows of probabilities")
    confidence = np.asarray(probabilities.max(axis=1), np.float64)
    correct = probabilities.argmax(axis=1) == labels
    bin_ids = np.clip(np.ceil(confidence * bins).astype(np.int64), 1, bins) - 1
    gaps = np.bincount(bin_ids, weights=correct - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))
