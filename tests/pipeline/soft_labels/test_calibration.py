"""Temperatures and calibration errors against numbers worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import SoftLabelError
from pipeline.soft_labels import calibration, ensemble_rules
from pipeline.soft_labels.calibration import (
    HIGHEST,
    LOWEST,
    expected_calibration_error,
    fit_temperature,
)

LN2, LN3 = math.log(2.0), math.log(3.0)


def sure(margin: float, right: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits (margin, 0) in every row, and gold labels of which `right` are class 0."""
    return np.tile([margin, 0.0], (rows, 1)), np.array([0] * right + [1] * (rows - right))


# With logits (a, 0) and accuracy p the best softmax is (p, 1 - p), so T = a / log(p / (1 - p)).
@pytest.mark.parametrize(
    ("margin", "right", "rows", "expected"),
    [
        (LN3, 3, 4, 1.0),
        (2 * LN3, 3, 4, 2.0),
        (LN3 / 2, 3, 4, 0.5),
        (6.0, 9, 10, 6.0 / math.log(9.0)),
        (-2 * LN2, 1, 3, 2.0),
        # Their optimum is 0.0455 and 109.9, beyond the range.
        (0.1, 9, 10, LOWEST),
        (241.5, 9, 10, HIGHEST),
        # Always right: the surer the better. Right less often than not: the less sure the better.
        (3.0, 4, 4, LOWEST),
        (3.0, 0, 4, HIGHEST),
        (3.0, 2, 4, HIGHEST),
        (1e30, 2, 3, HIGHEST),
        (0.0, 1, 3, 1.0),
    ],
)
def test_constant_confidence_has_a_closed_form(margin, right, rows, expected):
    assert fit_temperature(*sure(margin, right, rows)) == pytest.approx(expected, rel=1e-9)


def test_three_classes_by_hand():
    # Half of the rows are of class 0, a quarter of each other: softmax (1/2, 1/4, 1/4).
    logits, labels = np.tile([5.0, 0.0, 0.0], (4, 1)), np.array([0, 0, 1, 2])
    assert fit_temperature(logits, labels) == pytest.approx(5.0 / LN2, rel=1e-9)


def test_a_row_without_confidence_does_not_count():
    # Two of three rows (2, 0) are right, so T = 2 / log 2; no temperature changes the row (0, 0).
    logits = np.array([[2.0, 0.0]] * 3 + [[0.0, 0.0]])
    assert fit_temperature(logits, np.array([0, 0, 1, 1])) == pytest.approx(2.0 / LN2, rel=1e-9)


def test_a_constant_on_a_row_changes_nothing():
    logits, labels = sure(6.0, 9, 10)
    shifted = logits + np.arange(10)[:, None]
    assert fit_temperature(shifted, labels) == pytest.approx(fit_temperature(logits, labels))


def loss(logits: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    shares = ensemble_rules.softmax(logits, temperature)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(shares, 1e-300)).mean())


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.floats(0.5, 20.0))
def test_no_other_temperature_has_a_lower_loss(seed, classes, scale):
    random = np.random.default_rng(seed)
    logits, labels = scale * random.normal(size=(30, classes)), random.integers(0, classes, 30)
    fitted = fit_temperature(logits, labels)
    assert LOWEST <= fitted <= HIGHEST
    best = loss(logits, labels, fitted)
    assert all(best <= loss(logits, labels, t) + 1e-9 for t in np.geomspace(LOWEST, HIGHEST, 50))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.5, 2.0))
def test_the_temperature_grows_with_the_logits(seed, factor):
    random = np.random.default_rng(seed)
    logits = random.normal(size=(40, 2))
    logits[:, 0] += 1.0
    labels = (random.random(40) > ensemble_rules.softmax(logits)[:, 0]).astype(int)
    fitted = fit_temperature(logits, labels)
    if 2 * LOWEST < fitted < HIGHEST / 2:
        assert fit_temperature(factor * logits, labels) == pytest.approx(factor * fitted, rel=1e-6)


def test_no_rows_no_temperature():
    with pytest.raises(SoftLabelError, match="no rows to fit a temperature on"):
        fit_temperature(np.empty((0, 2)), np.empty(0, np.int64))


@pytest.mark.parametrize(
    ("first", "labels", "bins", "expected"),
    [
        # Confidence 3/4 in one bin, 3 of 4 right; then 2 of 4 right.
        ([0.75] * 4, [0, 0, 0, 1], 15, 0.0),
        ([0.75] * 4, [0, 0, 1, 1], 15, 0.25),
        # Bins (0.5, 0.75] and (0.75, 1]: gaps |1 - 0.6| and |0.5 - 0.9| of 1 and 2 rows.
        ([0.6, 0.9, 0.9], [0, 0, 1], 4, (0.4 + 2 * 0.4) / 3),
        # A bin holds its upper end: 0.75 lies with 0.6, so their gaps 0.4 and -0.75 are one.
        ([0.6, 0.75], [0, 1], 4, 0.35 / 2),
        # One bin: accuracy 1/2, mean confidence 0.8. Many: 0.7 is wrong, 0.9 is right.
        ([0.7, 0.9], [1, 0], 1, 0.3),
        ([0.7, 0.9], [1, 0], 15, (0.7 + 0.1) / 2),
        ([1.0, 1.0], [0, 1], 15, 0.5),
        # The second class is the likelier one.
        ([0.2, 0.2], [1, 1], 15, 0.2),
    ],
)
def test_expected_calibration_error_by_hand(first, labels, bins, expected):
    probabilities = np.array([[share, 1 - share] for share in first])
    error = expected_calibration_error(probabilities, np.array(labels), bins)
    assert error == pytest.approx(expected)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_an_error_is_a_fraction_and_knows_no_order(seed, bins):
    random = np.random.default_rng(seed)
    probabilities, labels = random.dirichlet([1, 1, 1], 50), random.integers(0, 3, 50)
    error = expected_calibration_error(probabilities, labels, bins)
    order = random.permutation(50)
    again = expected_calibration_error(probabilities[order], labels[order], bins)
    assert 0.0 <= error <= 1.0
    assert again == pytest.approx(error)


@pytest.mark.parametrize(("rows", "labels"), [(0, 0), (2, 1)])
def test_errors_need_a_label_for_each_row(rows, labels):
    with pytest.raises(ValueError, match=f"{labels} labels for {rows} rows"):
        expected_calibration_error(np.full((rows, 2), 0.5), np.zeros(labels, int))


def test_the_range_is_the_documented_one():
    assert (calibration.LOWEST, calibration.HIGHEST) == (0.05, 20.0)
