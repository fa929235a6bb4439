from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import f1_score, matthews_corrcoef

from pipeline.errors import DataError
from pipeline.metrics import glue_score, prediction_scores, predictions, scores, task_score
from pipeline.tasks import GLUE

NAMES = ("cola", "sst2", "mrpc", "stsb", "qqp", "mnli", "qnli", "rte", "wnli")

# Rows of the leaderboard as Table 2 of arXiv 1904.09482 prints them, in the order of NAMES, and
# the score printed beside them. The paper's own row is printed as 83.7; its figures give 83.8.
LEADERBOARD = {
    "BERT": ("60.5 94.9 89.3/85.4 87.6/86.5 72.1/89.3 86.7/85.9 92.7 70.1 65.1", 80.5),
    "Snorkel MeTaL": ("63.8 96.2 91.5/88.5 90.1/89.7 73.1/89.9 87.6/87.2 93.9 80.9 65.1", 83.2),
    "ALICE": ("63.5 95.2 91.8/89.0 89.8/88.8 74.0/90.4 87.9/87.4 95.7 80.9 65.1", 83.3),
    "Human": ("66.4 97.8 86.3/80.8 92.7/92.6 59.5/80.4 92.0/92.8 91.2 93.6 95.9", 87.1),
    "MT-DNN_KD": ("65.4 95.6 91.1/88.2 89.6/89.0 72.7/89.6 87.5/86.7 96.0 85.1 65.1", 83.8),
}


def _per_split(task: str, printed: str) -> dict[str, dict[str, float]]:
    figures = [float(figure) / 100 for figure in printed.split("/")]
    if task == "mnli":
        return {
            split: {"accuracy": figure}
            for split, figure in zip(("dev_matched", "dev_mismatched"), figures, strict=True)
        }
    return {"dev": dict(zip(GLUE[task].metrics, figures, strict=True))}


@pytest.mark.parametrize("system", LEADERBOARD)
def test_leaderboard_rows_give_the_printed_score(system: str) -> None:
    printed, expected = LEADERBOARD[system]
    per_task = {
        task: task_score(GLUE[task], _per_split(task, figures))
        for task, figures in zip(NAMES, printed.split(), strict=True)
    }
    # Half a tenth is rounded up, as in the printed 87.1 of 87.05.
    assert math.floor(1000 * glue_score(per_task) + 0.5 + 1e-9) / 10 == expected


def _one_hot(ids: list[int], classes: int) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[ids]


# Counts behind the figures: MCC = (TP TN - FP FN) / sqrt((TP+FP)(TP+FN)(TN+FP)(TN+FN)).
CLASSES = {
    "all right": ("cola", [0, 1, 1], [0, 1, 1], {"matthews": 1.0}),
    "all wrong": ("cola", [0, 1, 1, 0], [1, 0, 0, 1], {"matthews": -1.0}),
    "below zero: 1*1-2*2 over 9": (
        "cola",
        [1, 1, 1, 0, 0, 0],
        [1, 0, 0, 0, 1, 1],
        {"matthews": -1 / 3},
    ),
    "no better than chance": ("cola", [0, 0, 1, 1], [0, 1, 0, 1], {"matthews": 0.0}),
    "constant prediction": ("cola", [0, 1, 1], [1, 1, 1], {"matthews": 0.0}),
    "constant and right": ("cola", [1, 1], [1, 1], {"matthews": 0.0}),
    "one row": ("cola", [1], [0], {"matthews": 0.0}),
    "accuracy": ("rte", [0, 1, 1, 0], [0, 1, 0, 0], {"accuracy": 0.75}),
    "three classes": ("mnli", [0, 1, 2, 2], [0, 2, 2, 2], {"accuracy": 0.75}),
    "P 2/3, R 1": ("mrpc", [1, 1, 0, 0], [1, 1, 1, 0], {"f1": 0.8, "accuracy": 0.75}),
    "no positive in gold": ("qqp", [0, 0], [1, 0], {"f1": 0.0, "accuracy": 0.5}),
    "no positive in predictions": ("qqp", [1, 0], [0, 0], {"f1": 0.0, "accuracy": 0.5}),
    "no positive at all": ("mrpc", [0, 0], [0, 0], {"f1": 0.0, "accuracy": 1.0}),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", CLASSES)
def test_scores_of_classes(case: str) -> None:
    name, labels, predicted, expected = CLASSES[case]
    task = GLUE[name]
    task_scores = scores(task, np.array(labels), _one_hot(predicted, task.outputs))
    assert task_scores == pytest.approx(expected, abs=1e-12)
    assert list(task_scores) == list(task.metrics)


GRADES = {
    "a line": ([1, 2, 3], [2, 3, 4], 1.0, 1.0),
    "a falling line": ([1, 2, 3], [3, 2, 1], -1.0, -1.0),
    # Unclipped, Pearson of (0, 2.5, 5) and (-3, 2.5, 9) is 0.999; cut to [0, 5] it is 1.
    "cut to the range": ([0, 2.5, 5], [-3, 2.5, 9], 1.0, 1.0),
    # Deviations (-2, -1, 0, 1, 2) and (-1, -2, 0, 2, 1): 8 over 10 for values and for ranks.
    "two swaps": ([1, 2, 3, 4, 5], [2, 1, 3, 5, 4], 0.8, 0.8),
    # Deviations (-1, 0, 1) and (-5/3, -2/3, 7/3): 4 / sqrt(2 * 78/9) for values; ranks agree.
    "rising, not a line": ([1, 2, 3], [0, 1, 4], 4 / math.sqrt(2 * 78 / 9), 1.0),
    "constant prediction": ([1, 2, 3], [2, 2, 2], 0.0, 0.0),
    "constant after the cut": ([1, 2, 3], [6, 7, 8], 0.0, 0.0),
    "constant gold": ([2, 2, 2], [1, 2, 3], 0.0, 0.0),
    "one row": ([2], [3], 0.0, 0.0),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", GRADES)
def test_scores_of_grades(case: str) -> None:
    labels, grades, pearson, spearman = GRADES[case]
    logits = np.array(grades, dtype=np.float32)[:, None]
    task_scores = scores(GLUE["stsb"], np.array(labels, dtype=np.float32), logits)
    assert task_scores == pytest.approx({"pearson": pearson, "spearman": spearman}, abs=1e-6)


def test_predictions_are_the_first_highest_class() -> None:
    classes = predictions(GLUE["mnli"], np.array([[1, 3, 2], [2, 2, 0], [-1, -2, -1]]))
    assert classes.dtype == np.int32
    assert classes.tolist() == [1, 0, 0]


def test_predictions_of_grades_are_cut_to_the_range() -> None:
    grades = predictions(GLUE["stsb"], np.array([[-0.5], [0.0], [4.9], [5.0], [5.1]]))
    assert grades.dtype == np.float32
    assert grades.tolist() == pytest.approx([0.0, 0.0, 4.9, 5.0, 5.0])


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=30))
def test_every_metric_is_finite_and_in_range(pairs: list[tuple[int, int]]) -> None:
    labels, predicted = (np.array(side) for side in zip(*pairs, strict=True))
    task = replace(GLUE["mrpc"], metrics=("accuracy", "f1", "matthews", "pearson", "spearman"))
    for name, value in prediction_scores(task, labels, predicted).items():
        lowest = 0.0 if name in ("accuracy", "f1") else -1.0
        assert lowest - 1e-9 <= value <= 1 + 1e-9, name


WRONG_SHAPES = {
    "another number of classes": ("mnli", np.zeros((2, 2)), r"\(2, 2\), not \(rows, 3\)"),
    "scores without a second axis": ("stsb", np.zeros(2), r"\(2,\), not \(rows, 1\)"),
}


@pytest.mark.parametrize("case", WRONG_SHAPES)
def test_logits_of_another_shape_are_refused(case: str) -> None:
    name, logits, message = WRONG_SHAPES[case]
    with pytest.raises(ValueError, match=message):
        predictions(GLUE[name], logits)


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="2 labels for 1 predictions"):
        scores(GLUE["rte"], np.array([0, 1]), np.zeros((1, 2)))


def test_nothing_to_score_is_an_error_with_a_remedy() -> None:
    with pytest.raises(DataError, match="no labelled rows"):
        scores(GLUE["rte"], np.array([], dtype=np.int64), np.zeros((0, 2)))
    with pytest.raises(DataError, match="no dev split"):
        task_score(GLUE["rte"], {"test": {"accuracy": 1.0}})
    with pytest.raises(DataError, match="no task was scored"):
        glue_score({})


def test_task_score_leaves_out_splits_that_are_not_dev() -> None:
    metrics = {"train": {"f1": 1.0, "accuracy": 1.0}, "dev": {"f1": 0.25, "accuracy": 0.75}}
    assert task_score(GLUE["mrpc"], metrics) == 0.5


PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40)


@given(PAIRS)
def test_metrics_of_classes_are_sklearns(pairs: list[tuple[int, int]]) -> None:
    labels, predicted = (np.array(side) for side in zip(*pairs, strict=True))
    task = replace(GLUE["mrpc"], metrics=("f1", "matthews"))
    expected = {
        "f1": f1_score(labels == 1, predicted == 1, zero_division=0.0),
        "matthews": matthews_corrcoef(labels, predicted),
    }
    assert prediction_scores(task, labels, predicted) == pytest.approx(expected, rel=1e-15)


@given(
    st.lists(
        st.tuples(st.floats(0, 5, width=32), st.sampled_from(np.linspace(0, 5, 11).tolist())),
        min_size=2,
        max_size=40,
    )
)
def test_correlations_are_scipys(pairs: list[tuple[float, float]]) -> None:
    labels, predicted = (np.array(side) for side in zip(*pairs, strict=True))
    assume(np.ptp(labels) > 1e-3 and np.ptp(predicted) > 0)
    expected = {
        "pearson": pearsonr(labels, predicted).statistic,
        "spearman": spearmanr(labels, predicted).statistic,
    }
    assert prediction_scores(GLUE["stsb"], labels, predicted) == pytest.approx(expected, abs=1e-12)
