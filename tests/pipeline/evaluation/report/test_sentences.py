from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.evaluation.baselines import Choice
from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.report import sentences
from pipeline.evaluation.significance import Difference


def _text(results: list[TaskResult]) -> str:
    return "\n".join(sentences.sentences(results))


def _with(result: TaskResult, **accuracies: float) -> TaskResult:
    scores = {name: {"dev": {"accuracy": value}} for name, value in accuracies.items()}
    return replace(result, scores={**result.scores, **scores})


SENTENCES = {
    "above": ({"student": 1.0}, "beats the baseline on 1 of 1 tasks: above it on RTE."),
    "level": ({"student": 0.5}, "beats the baseline on 0 of 1 tasks: level with it on RTE."),
    "below": ({"student": 0.25}, "beats the baseline on 0 of 1 tasks: below it on RTE."),
    "no better than majority": (
        {"student": 0.5, "baseline": 0.25},
        "It is not above the majority class on RTE.",
    ),
    "part kept": (
        {},
        "keeps 50 % of the 50.0 points that the ensembles gain over the baseline",
    ),
    "less than nothing kept": ({"student": 0.25}, "below 0: it is worse than the baseline there"),
    "a hair less than nothing kept": ({"student": 0.499}, "keeps 0 % of the 50.0 points"),
    "no gain to keep": ({"ensemble": 0.5}, "The ensembles are not above the baseline"),
    "noise": ({}, "On RTE, the smallest dev set, one row of 4 is 25.0 points."),
}


@pytest.mark.parametrize("case", SENTENCES)
def test_findings_in_words(case: str, results: list[TaskResult]) -> None:
    accuracies, expected = SENTENCES[case]
    assert expected in _text([_with(results[0], **accuracies)])


CHOSEN = {
    "the only one": (
        Choice("epochs"),
        "The baseline is `baseline_epochs`, the student's training on gold labels alone.",
    ),
    "by rows held out": (
        Choice("steps", "held_out", {"epochs": 0.595, "steps": 0.6125}, 1510),
        "The baseline is `baseline_steps`, the stronger one on 1,510 rows held out of train: "
        "`baseline_epochs` 59.5, `baseline_steps` 61.3.",
    ),
    "by dev rows": (
        Choice("epochs", "dev", {"epochs": 0.7, "steps": 0.6}),
        "the stronger one by the mean over dev rows: `baseline_epochs` 70.0, `baseline_steps` "
        "60.0. That is in the baseline's favour",
    ),
}


@pytest.mark.parametrize("case", CHOSEN)
def test_the_baseline_that_counts(case: str, results: list[TaskResult]) -> None:
    choice, expected = CHOSEN[case]
    assert expected in _text([replace(results[0], choice=choice)])


def test_findings_over_several_tasks(results: list[TaskResult]) -> None:
    assert (
        "The student beats the baseline on 3 of 4 tasks: above it on RTE, MRPC, STS-B; "
        "below it on MNLI." in _text(results)
    )
    assert "No task has teachers" in _text(results[1:])


def _compared(result: TaskResult, low: float, high: float, p: float | None) -> TaskResult:
    gap = Difference(result.comparison.difference.value, low, high)
    return replace(result, comparison=replace(result.comparison, difference=gap, p_value=p))


# Holm: the smaller of two p counts twice.
SURE = {
    "neither": (
        (-0.1, 0.3, 0.5),
        (-0.1, 0.3, 0.9),
        "Taken one by one, the intervals exclude 0 on no task; McNemar's test, with Holm's "
        "correction for 2 tasks, is below 0.05 on no task.",
    ),
    "both": (
        (0.1, 0.3, 0.01),
        (-0.3, -0.1, 0.04),
        "exclude 0 on RTE, MRPC; McNemar's test, with Holm's correction for 2 tasks, is below "
        "0.05 on RTE, MRPC.",
    ),
    "only before the correction": (
        (0.1, 0.3, 0.03),
        (-0.3, 0.1, 0.04),
        "exclude 0 on RTE; McNemar's test, with Holm's correction for 2 tasks, is below 0.05 on "
        "no task.",
    ),
    "no test": ((0.1, 0.3, None), (-0.3, 0.1, None), "exclude 0 on RTE."),
}


@pytest.mark.parametrize("case", SURE)
def test_how_sure_the_differences_are(case: str, results: list[TaskResult]) -> None:
    first, second, expected = SURE[case]
    assert expected in _text([_compared(results[0], *first), _compared(results[1], *second)])
