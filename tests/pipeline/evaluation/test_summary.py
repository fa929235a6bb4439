from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from pipeline.evaluation import summary
from pipeline.evaluation.evaluate import TaskResult
from pipeline.tasks import GLUE

GLUE_OF_FOUR = {
    # Majority: (50 + (200/3 + 50)/2 + 25 + 0) / 4; baseline has 75 on MNLI; student: below.
    "majority": (50 + 175 / 3 + 25 + 0) / 400,
    **dict.fromkeys(("baseline_epochs", "baseline"), (50 + 175 / 3 + 75 + 0) / 400),
    "student": (75 + 425 / 6 + 62.5 + 100) / 400,
}


def test_glue_score_is_the_mean_over_the_tasks_there_are(results: list[TaskResult]) -> None:
    assert summary.glue(results) == pytest.approx(GLUE_OF_FOUR)
    half = dict.fromkeys(("majority", "baseline_epochs", "baseline"), 0.5)
    assert summary.glue(results[:1]) == {**half, "student": 0.75}


def test_a_task_of_ones_own_is_not_in_the_glue_score(results: list[TaskResult]) -> None:
    own = replace(results[3], task=replace(GLUE["stsb"], glue=False))
    assert summary.glue([results[0], own])["student"] == 0.75
    assert summary.glue([own]) == {}


# (student - baseline) / (ensemble - baseline) of RTE accuracies, in percent.
SHARES = {
    "half": (75, 50, 100, 0.5),
    "all": (100, 50, 100, 1.0),
    "more than all": (100, 50, 75, 2.0),
    "nothing": (50, 50, 75, 0.0),
    "below the baseline": (25, 50, 75, -1.0),
    "ensemble level": (75, 50, 50, None),
    "ensemble below": (75, 50, 25, None),
}


def _with(result: TaskResult, **accuracies: float) -> TaskResult:
    scores = {name: {"dev": {"accuracy": value / 100}} for name, value in accuracies.items()}
    return replace(result, scores={**result.scores, **scores})


@pytest.mark.parametrize("case", SHARES)
def test_share_of_the_gain_that_is_kept(case: str, results: list[TaskResult]) -> None:
    student, baseline, ensemble, share = SHARES[case]
    rte = _with(results[0], student=student, baseline=baseline, ensemble=ensemble)
    gain = summary.gain([rte, *results[1:]])
    assert gain is not None
    assert gain.tasks == ("rte",)
    assert gain.kept == (None if share is None else pytest.approx(share))


def test_the_share_is_of_the_mean_over_tasks_not_the_mean_of_shares(
    results: list[TaskResult],
) -> None:
    first = _with(results[0], student=60, baseline=50, ensemble=60)  # all of 10
    second = _with(results[0], student=50, baseline=50, ensemble=80)  # nothing of 30
    gain = summary.gain([first, second])
    assert gain is not None
    assert gain.kept == pytest.approx(0.25)


def test_without_teachers_there_is_no_gain(results: list[TaskResult]) -> None:
    assert summary.gain(results[1:]) is None


def test_p_values_are_corrected_over_the_tasks_that_have_one(results: list[TaskResult]) -> None:
    given = [0.01, 0.04, 0.02, None]
    changed = [
        replace(result, comparison=replace(result.comparison, p_value=p))
        for result, p in zip(results, given, strict=True)
    ]
    table = summary.p_values(changed)
    assert list(table.index) == ["rte", "mrpc", "mnli"]
    assert list(table["p"]) == [0.01, 0.04, 0.02]
    assert list(table["p_holm"]) == pytest.approx([0.03, 0.04, 0.04])
    assert summary.p_values(changed[3:]).empty


def test_difference_of_glue_scores_is_the_mean_over_glue_tasks(results: list[TaskResult]) -> None:
    difference = summary.glue_difference(results)
    assert difference is not None
    assert difference.value == pytest.approx(0.3125)
    own = replace(results[3], task=replace(GLUE["stsb"], glue=False))
    assert summary.glue_difference([results[0], own]) == results[0].comparison.difference
    assert summary.glue_difference([own]) is None


def test_task_scores_are_a_table_of_tasks_and_systems(results: list[TaskResult]) -> None:
    table = summary.task_scores(results)
    assert list(table.index) == ["rte", "mrpc", "mnli", "stsb"]
    assert table.loc["mnli", ["majority", "baseline", "student"]].tolist() == [0.25, 0.75, 0.625]
    assert table["ensemble"].isna().tolist() == [False, True, True, True]


GAPS = {"shown": (0.51, 0.5, 1.0), "too small to show": (0.5004, 0.5, 0.0), "less": (0.4, 0.5, -10)}


@pytest.mark.parametrize("case", GAPS)
def test_points(case: str) -> None:
    first, second, expected = GAPS[case]
    assert summary.points(first, second) == pytest.approx(expected)


def test_difference_is_of_task_scores(results: list[TaskResult]) -> None:
    gaps = summary.points_over_baseline(summary.against_baseline(results))
    assert gaps.tolist() == pytest.approx([25, 12.5, -12.5, 100])


@pytest.mark.parametrize("case", GAPS)
def test_points_over_baseline_are_those_of_two_scores(case: str) -> None:
    student, baseline, expected = GAPS[case]
    table = pd.DataFrame({"student": [student], "baseline": [baseline]})
    assert summary.points_over_baseline(table).tolist() == pytest.approx([expected])
