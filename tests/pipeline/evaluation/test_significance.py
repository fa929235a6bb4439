from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import DataError
from pipeline.evaluation import significance
from pipeline.evaluation.bootstrap import Predictions
from pipeline.evaluation.significance import (
    Difference,
    holm,
    mcnemar,
    over_seeds,
    seeds_and_rows_bootstrap,
)
from pipeline.tasks import GLUE, Task

RTE = GLUE["rte"]


def _rights(*systems: list[bool] | np.ndarray) -> Predictions:
    """Rows of class 0 that each system has right or wrong."""
    wrong = 1 - np.array(systems, dtype=np.int64)
    return Predictions(np.zeros(wrong.shape[1], dtype=np.int64), wrong)


def _counts(both: int, first: int, second: int, neither: int) -> Predictions:
    """Rows that both systems, only the first, only the second, or neither has right."""
    sizes = (both, first, second, neither)
    return _rights(
        np.repeat([True, True, False, False], sizes), np.repeat([True, False, True, False], sizes)
    )


def _one_seed(task: Task, splits: list[Predictions], seed: int = significance.SEED) -> Difference:
    return seeds_and_rows_bootstrap([(task, splits)], seed=seed)


def test_interval_of_a_difference_of_accuracies() -> None:
    # Each row gives 1, -1 or 0: variance (0.15 + 0.05) - 0.1^2 = 0.19, over 400 rows: sd 0.0218.
    interval = _one_seed(RTE, [_counts(200, 60, 20, 120)])
    assert interval.value == pytest.approx(0.1)
    assert interval.low == pytest.approx(0.1 - 1.96 * 0.0218, abs=0.004)
    assert interval.high == pytest.approx(0.1 + 1.96 * 0.0218, abs=0.004)
    assert interval.excludes_zero


def test_what_both_have_in_common_is_no_spread() -> None:
    assert _one_seed(RTE, [_counts(30, 0, 0, 70)]) == Difference(0, 0, 0)


def test_the_first_system_is_the_one_that_counts_as_better() -> None:
    interval = _one_seed(RTE, [_counts(0, 10, 0, 0)])
    assert interval == Difference(1, 1, 1)
    assert _one_seed(RTE, [_counts(0, 0, 10, 0)]) == Difference(-1, -1, -1)


@pytest.mark.parametrize(
    ("low", "high", "excludes"),
    [(0.1, 0.2, True), (-0.2, -0.1, True), (-0.1, 0.1, False), (0.0, 0.1, False)],
)
def test_excludes_zero(low: float, high: float, excludes: bool) -> None:
    assert Difference(0.05, low, high).excludes_zero == excludes


def test_draws_follow_the_seed_and_the_task() -> None:
    predictions = [_counts(200, 60, 20, 120)]
    first = _one_seed(RTE, predictions, seed=1)
    assert _one_seed(RTE, predictions, seed=1) == first
    assert _one_seed(RTE, predictions, seed=2) != first
    assert _one_seed(GLUE["qnli"], predictions, seed=1) != first


COVERED: dict[str, tuple[Task, float, float]] = {
    # True differences of systems that are right on 75 % and 65 % of rows of equal classes.
    "accuracy": (RTE, 0.75, 0.65),
    "mean of F1 and accuracy": (GLUE["mrpc"], 0.75, 0.65),
    "Matthews": (GLUE["cola"], 0.5, 0.3),
}


@pytest.mark.parametrize("case", COVERED)
def test_intervals_cover_the_true_difference_as_often_as_they_say(case: str) -> None:
    task, first, second = COVERED[case]
    random = np.random.default_rng(11)
    experiments, covered = 250, 0
    for seed in range(experiments):
        labels = random.integers(2, size=200)
        right = random.random((2, 200)) < [[0.75], [0.65]]
        predictions = Predictions(labels, np.where(right, labels, 1 - labels))
        drawn = significance.differences(task, [predictions], resamples=300, seed=seed)[:, 0]
        interval = significance.percentile(first - second, drawn)
        covered += interval.low <= first - second <= interval.high
    # 95 % of 250 with a standard error of 1.4 points.
    assert 0.905 <= covered / experiments <= 0.99


MCNEMAR = {
    "no difference": ((4, 0, 0, 2), 1.0),
    "five to none: 2 / 2^5": ((9, 5, 0, 1), 2 / 32),
    "none to five": ((0, 0, 5, 3), 2 / 32),
    "one to six: 2 (1 + 7) / 2^7": ((3, 1, 6, 0), 16 / 128),
    "eight to two: 2 (1 + 10 + 45) / 2^10": ((0, 8, 2, 0), 112 / 1024),
    "level": ((1, 3, 3, 1), 1.0),
}


@pytest.mark.parametrize("case", MCNEMAR)
def test_mcnemar(case: str) -> None:
    counts, expected = MCNEMAR[case]
    first, second = _counts(*counts).predicted == 0
    assert mcnemar(first, second) == pytest.approx(expected, abs=1e-12)
    assert mcnemar(second, first) == mcnemar(first, second)


def test_mcnemar_of_other_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="2 rows of one system, 3 of the other"):
        mcnemar(np.ones(2, dtype=bool), np.ones(3, dtype=bool))


HOLM = {
    "none": ({}, {}),
    "one": ({"a": 0.03}, {"a": 0.03}),
    # 4 * 0.005, 3 * 0.01, 2 * 0.03, and 1 * 0.04 raised to the one before it.
    "four": (
        {"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005},
        {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02},
    ),
    "never above 1": ({"a": 0.6, "b": 0.5}, {"a": 1.0, "b": 1.0}),
    "ties": ({"a": 0.02, "b": 0.02}, {"a": 0.04, "b": 0.04}),
}


@pytest.mark.parametrize("case", HOLM)
def test_holm(case: str) -> None:
    plain, expected = HOLM[case]
    corrected = holm(pd.Series(plain, dtype="float64"))
    assert corrected.to_dict() == pytest.approx(expected)
    assert list(corrected.index) == list(plain)


def _rejected(p_values: list[float], level: float) -> list[bool]:
    """Holm's step-down procedure as the paper has it: stop at the first p that is not small."""
    count, rejected = len(p_values), [False] * len(p_values)
    for place, at in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[at] * (count - place) > level:
            break
        rejected[at] = True
    return rejected


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.floats(0, 0.999))
def test_a_corrected_p_is_below_a_level_where_the_procedure_rejects(
    plain: list[float], level: float
) -> None:
    corrected = holm(pd.Series(plain))
    assert (corrected <= level).tolist() == _rejected(plain, level)


def test_figures_over_seeds() -> None:
    spread = over_seeds(pd.DataFrame({"a": [0.01, 0.02, 0.03], "b": [0.5, 0.5, 0.5]}))
    # Student's t of 2 degrees of freedom: 4.3027 * 0.01 / sqrt(3) = 0.02484.
    a = {"mean": 0.02, "deviation": 0.01, "t_low": 0.02 - 0.02484, "t_high": 0.02 + 0.02484}
    assert spread.loc["a"].to_dict() == pytest.approx(a, abs=1e-5)
    b = {"mean": 0.5, "deviation": 0.0, "t_low": 0.5, "t_high": 0.5}
    assert spread.loc["b"].to_dict() == pytest.approx(b)


def test_one_seed_has_a_mean_alone() -> None:
    spread = over_seeds(pd.DataFrame({"a": [0.5]}))
    assert spread.loc["a"].dropna().to_dict() == {"mean": 0.5}
    with pytest.raises(DataError, match="no seed"):
        over_seeds(pd.DataFrame({"a": []}))


def test_seeds_that_agree_add_no_spread_and_take_none_away() -> None:
    """Rows are the same for all seeds, so more seeds are not more rows."""
    one = _counts(20, 8, 5, 7)
    three = Predictions(one.labels, np.tile(one.predicted, (3, 1)))
    spread = seeds_and_rows_bootstrap([(RTE, [three])])
    expected = _one_seed(RTE, [one])
    assert (spread.low, spread.high) == pytest.approx((expected.low, expected.high))


def _by_seed(*gaps: int) -> Predictions:
    """One row a seed's students have right (1), or only its baseline (-1); all rows are alike."""
    return _rights(*[[right] * 5 for gap in gaps for right in (gap > 0, gap < 0)])


def test_seeds_are_drawn_as_one_less() -> None:
    # Of (1, 0, 0, 0) three are drawn: their mean is 1 with chance 1/64, at least 2/3 with 10/64.
    # Four would have a mean of at least 3/4 with chance 13/256, and so reach up to 3/4.
    spread = seeds_and_rows_bootstrap([(RTE, [_by_seed(1, 0, 0, 0)])])
    assert (spread.value, spread.low, spread.high) == pytest.approx((0.25, 0, 2 / 3))


def test_all_tasks_take_the_same_seeds() -> None:
    tasks = [(RTE, [_by_seed(1, -1)]), (GLUE["qnli"], [_by_seed(-1, 1)])]
    assert seeds_and_rows_bootstrap(tasks) == Difference(0, 0, 0)
    alone = seeds_and_rows_bootstrap(tasks[:1])
    assert (alone.low, alone.high) == (-1, 1)


def test_mean_over_tasks_is_narrower_than_each() -> None:
    predictions = [_counts(20, 8, 5, 7)]
    both = seeds_and_rows_bootstrap([(RTE, predictions), (GLUE["qnli"], predictions)])
    alone = _one_seed(RTE, predictions)
    assert both.value == pytest.approx(alone.value)
    # Two independent tasks: the spread shrinks by sqrt(2).
    assert (both.high - both.low) * np.sqrt(2) == pytest.approx(alone.high - alone.low, rel=0.1)


NOT_PAIRS = {
    "one system": [_rights([True])],
    "three systems": [_rights([True], [True], [True])],
    "other numbers in the splits": [_rights([True], [True]), _rights(*[[True]] * 4)],
}


@pytest.mark.parametrize("case", NOT_PAIRS)
def test_systems_that_are_no_pairs_are_refused(case: str) -> None:
    with pytest.raises(ValueError, match="not two a seed"):
        _one_seed(RTE, NOT_PAIRS[case])


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ([], "no task"),
        ([(RTE, [])], "no labelled rows"),
        ([(RTE, [_counts(0, 0, 0, 0)])], "no lab"),
    ],
    ids=["no task", "no split", "no row"],
)
def test_nothing_to_compare_is_an_error(
    tasks: list[tuple[Task, list[Predictions]]], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        seeds_and_rows_bootstrap(tasks)


def test_resamples_are_enough_for_the_tails() -> None:
    assert significance.RESAMPLES >= 1_000
