from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from pipeline.errors import DataError
from pipeline.evaluation import compare, significance
from pipeline.evaluation.bootstrap import Predictions
from pipeline.evaluation.evaluate import TaskResult
from pipeline.tasks import GLUE

RTE = GLUE["rte"]


def _table(**columns: list[object]) -> pa.Table:
    return pa.table(
        {
            "split": ["dev_matched", "dev_mismatched", "ax", "dev_matched"],
            "label": [0, 2, None, 1],
            "prediction_a": [0, 1, 1, 2],
            "prediction_b": [1, 2, 0, 1],
            **columns,
        }
    )


def test_dev_splits_of_a_table() -> None:
    splits = compare.dev_splits(GLUE["mnli"], _table(), ["b", "a"])
    assert list(splits) == ["dev_matched", "dev_mismatched"]
    assert splits["dev_matched"].labels.tolist() == [0, 1]
    assert splits["dev_matched"].predicted.tolist() == [[1, 1], [0, 2]]
    assert splits["dev_mismatched"].predicted.tolist() == [[2], [1]]


FAULTS = {
    "a system that is not there": ({}, "c", "no column prediction_c"),
    "no dev rows": ({"split": ["test"] * 4}, "b", "no dev rows"),
    "a label is missing": ({"label": [0, None, None, 1]}, "b", "a dev row without a label"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_tables_without_what_it_takes_are_refused(case: str) -> None:
    columns, system, message = FAULTS[case]
    with pytest.raises(DataError, match=message):
        compare.dev_splits(GLUE["mnli"], _table(**columns), ["a", system])


def test_a_comparison_is_that_of_one_seed_and_the_test() -> None:
    labels = np.zeros(40, dtype=np.int64)
    splits = [Predictions(labels, np.array([[0] * 30 + [1] * 10, [0] * 24 + [1] * 16]))]
    comparison = compare.compare(RTE, splits)
    assert comparison.difference == significance.seeds_and_rows_bootstrap([(RTE, splits)])
    assert comparison.drawn.shape == (significance.RESAMPLES,)
    assert comparison.p_value == pytest.approx(2 / 2**6)


def test_the_test_is_over_the_rows_of_all_dev_splits() -> None:
    splits = [
        Predictions(np.zeros(2, dtype=np.int64), np.array([[0, 0], [1, 1]])),
        Predictions(np.zeros(3, dtype=np.int64), np.array([[0, 0, 1], [1, 1, 1]])),
    ]
    assert compare.compare(GLUE["mnli"], splits).p_value == pytest.approx(2 / 2**4)


def test_the_difference_is_that_of_the_scores(results: list[TaskResult]) -> None:
    for result in results:
        expected = result.score("student") - result.score("baseline")
        assert result.comparison.difference.value == pytest.approx(expected)


def test_mean_over_tasks(results: list[TaskResult]) -> None:
    parts = [result.comparison for result in results]
    difference = compare.mean(parts)
    assert difference.value == pytest.approx((0.25 + 0.125 - 0.125 + 1) / 4)
    assert compare.mean(parts[:1]) == parts[0].difference
    # Draws of tasks are independent: what is lost on one may be won on another.
    turned = replace(parts[0], drawn=parts[0].drawn + 1.0)
    assert compare.mean([parts[0], turned]).low == pytest.approx(parts[0].difference.low + 0.5)
    with pytest.raises(DataError, match="no task"):
        compare.mean([])
