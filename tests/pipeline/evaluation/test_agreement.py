from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.evaluation.agreement import mean, pairwise
from pipeline.tasks import GLUE

CLASSES: dict[str, tuple[list[int], list[int], dict[str, Any]]] = {
    "all the same": ([0, 1, 1], [0, 1, 1], {"agreement": 1.0, "kappa": 1.0}),
    # Shares (3/4, 1/4) and (1/4, 3/4): by chance 3/8; (1/2 - 3/8) / (5/8).
    "half": ([0, 1, 0, 0], [1, 1, 1, 0], {"agreement": 0.5, "kappa": 0.2}),
    "as chance has it": ([0, 0, 1, 1], [0, 1, 0, 1], {"agreement": 0.5, "kappa": 0.0}),
    "never": ([0, 1], [1, 0], {"agreement": 0.0, "kappa": -1.0}),
    "three classes": ([0, 1, 2], [0, 1, 1], {"agreement": 2 / 3, "kappa": 0.5}),
    "one is constant": ([0, 0], [0, 1], {"agreement": 0.5, "kappa": 0.0}),
    "both say the same of every row": ([1, 1], [1, 1], {"agreement": 1.0, "kappa": None}),
}


@pytest.mark.parametrize("case", CLASSES)
def test_members_that_classify(case: str) -> None:
    one, two, expected = CLASSES[case]
    agreement = pairwise(GLUE["mnli"], {"m1": np.array(one), "m2": np.array(two)})
    assert agreement == {("m1", "m2"): pytest.approx(expected)}


SCORES = {
    "a falling line": ([1, 2, 3], [3, 2, 1], -1.0),
    # Deviations (-1, 0, 1) and (-5/3, -2/3, 7/3).
    "no line": ([1, 2, 3], [0, 1, 4], 4 / math.sqrt(2 * 78 / 9)),
    "constant": ([1, 2, 3], [2, 2, 2], None),
}


@pytest.mark.parametrize("case", SCORES)
def test_members_that_give_scores(case: str) -> None:
    one, two, expected = SCORES[case]
    agreement = pairwise(GLUE["stsb"], {"a": np.float32(one), "b": np.float32(two)})
    correlation = expected if expected is None else pytest.approx(expected)
    assert agreement == {("a", "b"): {"correlation": correlation}}


def test_every_pair_once() -> None:
    predictions = {name: np.array([0, 1]) for name in ("m1", "m2", "m3")}
    assert list(pairwise(GLUE["rte"], predictions)) == [("m1", "m2"), ("m1", "m3"), ("m2", "m3")]
    assert pairwise(GLUE["rte"], {"m1": np.array([0])}) == {}
    assert pairwise(GLUE["rte"], {}) == {}


def test_mean_over_the_pairs_that_have_the_measure() -> None:
    pairs = {
        ("a", "b"): {"agreement": 1.0, "kappa": None},
        ("a", "c"): {"agreement": 0.5, "kappa": 0.25},
    }
    assert mean(pairs) == {"agreement": 0.75, "kappa": 0.25}
    assert mean({("a", "b"): {"kappa": None}}) == {"kappa": None}
    assert mean({}) == {}


@settings(deadline=None)  # the first call imports sklearn
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=20))
def test_kappa_is_that_of_sklearn(pairs: list[tuple[int, int]]) -> None:
    from sklearn.metrics import cohen_kappa_score

    one, two = (np.array(side) for side in zip(*pairs, strict=True))
    kappa = pairwise(GLUE["mnli"], {"a": one, "b": two})[("a", "b")]["kappa"]
    if len(set(one.tolist()) | set(two.tolist())) == 1:
        assert kappa is None
    else:
        assert kappa == pytest.approx(cohen_kappa_score(one, two), abs=1e-9)


@pytest.mark.parametrize("counts", [(2, 3), (0, 0)])
def test_members_of_other_rows_are_refused(counts: tuple[int, int]) -> None:
    predictions = {
        name: np.zeros(count, dtype=int) for name, count in zip("ab", counts, strict=True)
    }
    with pytest.raises(ValueError, match="cannot be compared"):
        pairwise(GLUE["rte"], predictions)
