from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import metrics
from pipeline.errors import DataError
from pipeline.evaluation import bootstrap
from pipeline.evaluation.bootstrap import Predictions, task_scores
from pipeline.tasks import GLUE, Task

RESAMPLES = 4_000


def _random() -> np.random.Generator:
    return np.random.default_rng(3)


def _said(labels: list[float], *systems: list[float]) -> Predictions:
    return Predictions(np.array(labels), np.array(systems))


@st.composite
def weighted(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, predictions and how often each row was drawn, in two draws."""
    rows = draw(st.integers(1, 8))
    sides = [draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows)) for _ in range(4)]
    counts = np.array(sides[2:])
    counts[counts.sum(axis=1) == 0] = 1
    return np.array(sides[0]), np.array(sides[1]), counts


@settings(deadline=None)  # the first call imports scipy and sklearn
@given(weighted())
def test_every_metric_is_that_of_the_rows_written_out(
    case: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    labels, predicted, counts = case
    for name in ("accuracy", "f1", "matthews", "pearson", "spearman"):
        task = replace(GLUE["mrpc"], metrics=(name,))
        scores = bootstrap._METRICS[name](labels, predicted, counts.astype(np.float64))
        for draw, value in zip(counts, scores, strict=True):
            rows = np.repeat(labels, draw), np.repeat(predicted, draw)
            expected = metrics.prediction_scores(task, *rows)[name]
            assert value == pytest.approx(expected, abs=1e-7), name


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 5, width=16), st.floats(0, 5, width=16)), min_size=3, max_size=20
    )
)
def test_correlations_of_scores_are_those_of_scipy(pairs: list[tuple[float, float]]) -> None:
    labels, predicted = (np.array(side, dtype=np.float32) for side in zip(*pairs, strict=True))
    # Values that only rounding tells from constant ones have no correlation to speak of.
    labels, predicted = labels.round(2), predicted.round(2)
    expected = metrics.prediction_scores(GLUE["stsb"], labels, predicted)
    for name, value in expected.items():
        scores = bootstrap._METRICS[name](labels, predicted, np.ones((1, len(labels))))
        assert scores[0] == pytest.approx(value, abs=1e-5), name


SPLITS = {
    "mrpc": [_said([1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1])],
    "cola": [_said([1, 1, 0, 0], [1, 0, 0, 1], [1, 1, 1, 0])],
    "stsb": [_said([0, 2.5, 5], [1, 0, 4], [5, 2, 1])],
    "mnli": [_said([0, 1, 2], [0, 1, 1], [1, 1, 1]), _said([2, 2], [2, 0], [2, 2])],
}


def _possible(task: Task, splits: list[Predictions], system: int) -> np.ndarray:
    """The system's task score on each of all equally likely draws of rows."""

    @cache
    def score(at: int, rows: tuple[int, ...]) -> float:
        drawn = splits[at].labels[list(rows)], splits[at].predicted[system, list(rows)]
        return metrics.task_score(task, {"dev": metrics.prediction_scores(task, *drawn)})

    places = [product(range(len(split.labels)), repeat=len(split.labels)) for split in splits]
    return np.array(
        [
            np.mean([score(at, tuple(sorted(rows))) for at, rows in enumerate(drawn)])
            for drawn in product(*places)
        ]
    )


@pytest.mark.parametrize("name", SPLITS)
def test_draws_are_spread_as_all_possible_draws(name: str) -> None:
    task, splits = GLUE[name], SPLITS[name]
    scores = task_scores(task, splits, RESAMPLES, _random())
    assert scores.shape == (RESAMPLES, 2)
    for system in (0, 1):
        expected = _possible(task, splits, system).round(9)
        drawn = scores[:, system].round(9)
        for value in np.unique(expected):
            share = np.mean(expected <= value)
            # Four standard errors of the share.
            margin = 4 * np.sqrt(share * (1 - share) / RESAMPLES) + 1e-9
            assert abs(np.mean(drawn <= value) - share) <= margin


@pytest.mark.parametrize("rows", [10, 1_000])  # few kinds of rows are drawn otherwise than many
def test_all_systems_are_scored_on_the_same_rows(rows: int) -> None:
    labels = np.arange(rows) % 2
    scores = task_scores(
        GLUE["rte"],
        [Predictions(labels, np.stack([np.zeros(rows), np.ones(rows)]))],
        200,
        _random(),
    )
    # Where one is wrong the other is right.
    assert scores.sum(axis=1) == pytest.approx(np.ones(200))
    assert scores[:, 0].std() == pytest.approx(0.5 / np.sqrt(rows), rel=0.25)


def test_rows_are_drawn_within_their_split() -> None:
    splits = [_said([0, 1, 2], [0, 1, 2]), _said([0, 1], [1, 0])]
    assert (task_scores(GLUE["mnli"], splits, 100, _random()) == 0.5).all()


@pytest.mark.parametrize("cells", [1, 7, 1 << 20])
def test_chunks_change_nothing(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = task_scores(GLUE["stsb"], SPLITS["stsb"], 50, _random())
    monkeypatch.setattr(bootstrap, "_CELLS", cells)
    scores = task_scores(GLUE["stsb"], SPLITS["stsb"], 50, _random())
    assert scores == pytest.approx(expected)


@pytest.mark.parametrize("splits", [[], [_said([], [], [])]])
def test_nothing_to_draw_from_is_an_error(splits: list[Predictions]) -> None:
    with pytest.raises(DataError, match="no labelled rows"):
        task_scores(GLUE["rte"], splits, 10, _random())


def test_predictions_of_other_rows_are_refused() -> None:
    with pytest.raises(ValueError, match=r"predictions \(1, 3\), not \(systems, 2 rows\)"):
        _said([0, 1], [0, 1, 1])
