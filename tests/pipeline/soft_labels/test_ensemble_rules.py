"""Ensemble rules against numbers worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline.errors import SoftLabelError
from pipeline.params.rules import WORDS
from pipeline.soft_labels import ensemble_rules
from pipeline.soft_labels.rules.base import EnsembleRule, WeightedRule
from pipeline.soft_labels.rules.dev_weighted import dev_weights

LN3 = math.log(3.0)
LN9 = math.log(9.0)
# Two members, one row: softmax (3/4, 1/4) and (1/2, 1/2).
TWO = np.array([[[LN3, 0.0]], [[7.0, 7.0]]])
HALF = math.sqrt(3.0) / (1 + math.sqrt(3.0))  # softmax of (log 3 / 2, 0)

sizes = st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(2, 4))
finite = st.floats(-1e4, 1e4, width=32)
ensembles = sizes.flatmap(lambda size: arrays.arrays(np.float32, size, elements=finite))
rules = st.sampled_from(WORDS)


def even(logits: np.ndarray, rule: str) -> list[float] | None:
    return [1 / len(logits)] * len(logits) if rule == "dev_weighted" else None


@pytest.mark.parametrize(
    ("rule", "weights", "temperature", "expected"),
    [
        ("mean_probability", None, 1.0, [5 / 8, 3 / 8]),
        # T = 2 halves log 3.
        ("mean_probability", None, 2.0, [(HALF + 0.5) / 2, (1 - HALF + 0.5) / 2]),
        # T = 1/2 doubles it: (9, 1) / 10.
        ("mean_probability", None, 0.5, [0.7, 0.3]),
        # Mean logits differ by log 3 / 2.
        ("mean_logit", None, 1.0, [HALF, 1 - HALF]),
        ("mean_logit", None, 0.5, [0.75, 0.25]),
        ("dev_weighted", [0.2, 0.8], 1.0, [0.55, 0.45]),
        ("dev_weighted", [1.0, 0.0], 0.5, [0.9, 0.1]),
    ],
)
def test_rules_by_hand(rule, weights, temperature, expected):
    probabilities = ensemble_rules.combine(TWO, rule, weights, temperature)
    assert probabilities.dtype == np.float32
    assert probabilities == pytest.approx(np.array([expected]), abs=1e-7)


@pytest.mark.parametrize(
    ("rule", "weights", "temperature", "calibration", "expected"),
    [
        # T^1 = 2 halves log 3 and leaves (7, 7) as it is; T = 1/2 brings it back.
        ("mean_probability", None, 1.0, [2.0, 5.0], [(HALF + 0.5) / 2, (1 - HALF + 0.5) / 2]),
        ("mean_probability", None, 0.5, [2.0, 5.0], [5 / 8, 3 / 8]),
        ("mean_probability", None, 4.0, [0.25, 5.0], [5 / 8, 3 / 8]),
        # Mean logits (2 log 3 + 7, 7) / 2 differ by log 3.
        ("mean_logit", None, 1.0, [0.5, 1.0], [0.75, 0.25]),
        ("dev_weighted", [0.2, 0.8], 1.0, [0.5, 1.0], [0.2 * 0.9 + 0.4, 0.2 * 0.1 + 0.4]),
    ],
)
def test_calibration_by_hand(rule, weights, temperature, calibration, expected):
    probabilities = ensemble_rules.combine(TWO, rule, weights, temperature, calibration)
    assert probabilities == pytest.approx(np.array([expected]), abs=1e-7)


def test_three_members_three_classes_by_hand():
    # Softmaxes (1, 2, 1)/4, (1, 1, 2)/4 and (9, 1, 0)/10 of two rows that differ by a constant.
    logits = np.log([[[1, 2, 1]], [[1, 1, 2]], [[9, 1, 1e-30]]])
    logits = np.concatenate([logits, logits + 100], axis=1)
    expected = [1.4 / 3, 0.85 / 3, 0.75 / 3]
    assert ensemble_rules.combine(logits, "mean_probability") == pytest.approx(
        np.array([expected, expected]), abs=1e-7
    )


def test_mean_probability_differs_from_mean_logit():
    """The paper averages class probabilities, not logits."""
    logits = np.array([[[LN9, 0.0]], [[0.0, 0.0]], [[0.0, 0.0]]])
    assert ensemble_rules.combine(logits, "mean_probability")[0, 0] == pytest.approx(1.9 / 3)
    cube = 9 ** (1 / 3)
    assert ensemble_rules.combine(logits, "mean_logit")[0, 0] == pytest.approx(cube / (1 + cube))


@pytest.mark.parametrize(
    ("rule", "weights", "expected"),
    [
        ("mean_probability", None, [[3.0], [0.5]]),
        ("mean_logit", None, [[3.0], [0.5]]),
        ("dev_weighted", [0.75, 0.25], [[2.0], [0.25]]),
    ],
)
def test_scores_are_averaged(rule, weights, expected):
    scores = np.array([[[1.0], [0.0]], [[5.0], [1.0]]])
    assert ensemble_rules.combine_scores(scores, rule, weights).tolist() == expected


@pytest.mark.parametrize("temperature", [1e-3, 1.0, 1e3])
def test_huge_logits_neither_overflow_nor_vanish(temperature):
    probabilities = ensemble_rules.softmax(np.array([3e38, -3e38, 3e38]), temperature)
    assert probabilities.tolist() == [0.5, 0.0, 0.5]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ({"m1": 0.6, "m2": 0.2}, {"m1": 0.75, "m2": 0.25}),
        ({"m1": 0.5, "m2": -0.3, "m3": 0.5}, {"m1": 0.5, "m2": 0.0, "m3": 0.5}),
        ({"m1": 0.0, "m2": -0.1}, {"m1": 0.5, "m2": 0.5}),
        ({"m1": 0.0}, {"m1": 1.0}),
        ({}, {}),
    ],
    ids=["proportional", "negative counts as 0", "all 0", "one", "none"],
)
def test_dev_weights(scores, expected):
    assert dev_weights(scores) == pytest.approx(expected)


def combined(calibration: list[float]) -> np.ndarray:
    return ensemble_rules.combine(TWO, "mean_probability", calibration=calibration)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ensemble_rules.combine(TWO, "mean_probability", None, 0.0),
            "temperature must be above",
        ),
        (
            lambda: ensemble_rules.combine(TWO, "mean_logit", None, -1.0),
            "temperature must be above",
        ),
        (
            lambda: ensemble_rules.combine(TWO, "mean_logit", None, math.nan),
            "temperature must be above",
        ),
        (
            lambda: ensemble_rules.combine(TWO, "median"),
            "dev_weighted, mean_logit, mean_probability",
        ),
        (lambda: ensemble_rules.combine(TWO[:0], "mean_logit"), "without members"),
        (lambda: ensemble_rules.combine(TWO, "dev_weighted"), "takes 2 weights"),
        (lambda: ensemble_rules.combine(TWO, "dev_weighted", [1.0]), "takes 2 weights"),
        (lambda: ensemble_rules.combine(TWO, "dev_weighted", [0.6, 0.6]), "add up to 1"),
        (lambda: ensemble_rules.combine(TWO, "dev_weighted", [1.5, -0.5]), "none negative"),
        (lambda: ensemble_rules.combine(TWO, "dev_weighted", [math.nan, 1]), "add up to 1"),
        (lambda: combined([2.0]), "takes 2 temperatures"),
        (lambda: combined([2.0, 0.0]), "all above 0 and finite"),
        (lambda: combined([2.0, math.nan]), "all above 0 and finite"),
        (lambda: combined([2.0, math.inf]), "all above 0 and finite"),
        (lambda: ensemble_rules.combine_scores(TWO[..., :1], "mean"), "no such ensemble rule"),
        (lambda: dev_weights({"m1": math.nan}), "dev score is not finite"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(SoftLabelError, match=message):
        call()


@settings(deadline=None)
@given(ensembles, rules, st.floats(0.05, 20.0))
def test_an_ensemble_lies_in_the_simplex(logits, rule, temperature):
    probabilities = ensemble_rules.combine(logits, rule, even(logits, rule), temperature)
    assert (probabilities >= 0).all()
    assert np.abs(probabilities.sum(axis=1, dtype=np.float64) - 1).max() < 1e-6


@settings(deadline=None)
@given(ensembles, rules, st.randoms(use_true_random=False))
def test_the_order_of_members_does_not_matter(logits, rule, random):
    order = random.sample(range(len(logits)), len(logits))
    weights = dev_weights({str(i): 0.1 + i for i in range(len(logits))})
    shares = np.array(list(weights.values()))
    given_shares = shares if rule == "dev_weighted" else None
    shuffled_shares = shares[order] if rule == "dev_weighted" else None
    straight = ensemble_rules.combine(logits, rule, given_shares)
    shuffled = ensemble_rules.combine(logits[order], rule, shuffled_shares)
    assert np.array_equal(straight, shuffled)


@settings(deadline=None)
@given(ensembles, st.floats(0.05, 20.0))
def test_one_member_or_equal_members_give_the_members_softmax(logits, temperature):
    alone = ensemble_rules.softmax(logits[0], temperature)
    repeated = np.repeat(logits[:1], 3, axis=0)
    for rule in WORDS:
        single = ensemble_rules.combine(logits[:1], rule, even(logits[:1], rule), temperature)
        assert np.allclose(single, alone, rtol=0, atol=1e-7)
        threefold = ensemble_rules.combine(repeated, rule, even(repeated, rule), temperature)
        assert np.allclose(threefold, alone, rtol=0, atol=1e-6)


@settings(deadline=None)
@given(ensembles)
def test_the_temperature_goes_through_one_without_a_jump(logits):
    at_one = ensemble_rules.combine(logits, "mean_probability", None, 1.0)
    plain = np.exp(logits.astype(np.float64) - logits.max(axis=2, keepdims=True))
    plain /= plain.sum(axis=2, keepdims=True)
    assert np.allclose(at_one, plain.mean(axis=0), rtol=0, atol=1e-7)
    near = ensemble_rules.combine(logits, "mean_probability", None, 1.0 + 1e-9)
    assert np.allclose(near, at_one, rtol=0, atol=1e-5)


@settings(deadline=None)
@given(ensembles)
def test_a_high_temperature_gives_equal_classes(logits):
    probabilities = ensemble_rules.combine(logits, "mean_probability", None, 1e9)
    assert np.allclose(probabilities, 1 / logits.shape[2], rtol=0, atol=1e-4)


@settings(deadline=None)
@given(ensembles, st.floats(0.05, 20.0), rules)
def test_calibration_keeps_the_first_class_of_one_member(logits, temperature, rule):
    doubles = logits[:1].astype(np.float64)
    probabilities = ensemble_rules.combine(doubles, rule, even(doubles, rule), 1.0, [temperature])
    chosen = np.take_along_axis(probabilities, doubles[0].argmax(axis=1)[:, None], axis=1)[:, 0]
    assert (chosen == probabilities.max(axis=1)).all()


@settings(deadline=None)
@given(ensembles, rules, st.floats(0.05, 20.0), st.floats(0.05, 20.0))
def test_equal_calibration_is_one_temperature(logits, rule, calibration, temperature):
    weights, each = even(logits, rule), [calibration] * len(logits)
    probabilities = ensemble_rules.combine(logits, rule, weights, temperature, each)
    expected = ensemble_rules.combine(logits, rule, weights, temperature * calibration)
    assert np.allclose(probabilities, expected, rtol=0, atol=1e-6)
    ones = ensemble_rules.combine(logits, rule, weights, temperature, [1.0] * len(logits))
    assert np.array_equal(ones, ensemble_rules.combine(logits, rule, weights, temperature))


@pytest.mark.parametrize(
    ("kind", "lacking"), [(EnsembleRule, "probabilities"), (WeightedRule, "probabilities.*weights")]
)
def test_a_rule_without_its_methods_cannot_be_made(kind, lacking):
    with pytest.raises(TypeError, match=f"abstract methods? '?{lacking}"):
        kind(None)
