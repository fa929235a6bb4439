"""Write the sentences on results: against baseline and majority, tests, the gain kept."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pipeline.evaluation import summary
from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.systems import MAJORITY, STUDENT, baseline_of

_LEVEL = 0.05


def sentences(results: Sequence[TaskResult]) -> list[str]:
    """The sentences on results, one or two per finding."""
    return [
        f"{_against_baseline(results)} {_significance(results)}",
        *_against_majority(results),
        chosen(results),
        kept(results),
        _noise(results),
    ]


def _against_baseline(results: Sequence[TaskResult]) -> str:
    """A sentence on the tasks above, level with and below the baseline."""
    gaps = summary.points_over_baseline(summary.against_baseline(results))
    gaps.index = pd.Index([result.task.title for result in results])
    groups = {
        "above": list(gaps.index[gaps > 0]),
        "level with": list(gaps.index[gaps == 0]),
        "below": list(gaps.index[gaps < 0]),
    }
    count = len(groups["above"])
    named = [f"{word} it on {', '.join(titles)}" for word, titles in groups.items() if titles]
    return f"The student beats the baseline on {count} of {len(gaps)} tasks: {'; '.join(named)}."


def _significance(results: Sequence[TaskResult]) -> str:
    """Tasks on which the difference is more than chance among dev rows."""
    sure = [r.task.title for r in results if r.comparison.difference.excludes_zero]
    intervals = f"Taken one by one, the intervals exclude 0 on {_titles(sure)}"
    tests = summary.p_values(results)
    if tests.empty:
        return f"{intervals}."
    below = set(tests.index[tests["p_holm"] < _LEVEL])
    significant = [r.task.title for r in results if r.task.name in below]
    return (
        f"{intervals}; McNemar's test, with Holm's correction for {len(tests)} tasks, is below "
        f"{_LEVEL} on {_titles(significant)}."
    )


def _titles(titles: Sequence[str]) -> str:
    return ", ".join(titles) or "no task"


def _against_majority(results: Sequence[TaskResult]) -> list[str]:
    poor = [r.task.title for r in results if r.score(STUDENT) <= r.score(MAJORITY)]
    return [f"It is not above the majority class on {', '.join(poor)}."] if poor else []


def chosen(results: Sequence[TaskResult]) -> str:
    """A sentence on the baseline that counts, and the reason that it does."""
    choice = results[0].choice
    name = f"`{baseline_of(choice.budget)}`"
    if choice.rule == "only":
        return f"The baseline is {name}, the student's training on gold labels alone."
    scores = ", ".join(
        f"`{baseline_of(budget)}` {100 * score:.1f}" for budget, score in choice.scores.items()
    )
    if choice.rule == "held_out":
        return (
            f"The baseline is {name}, the stronger one on {choice.rows:,} rows held out of train: "
            f"{scores}."
        )
    return (
        f"The baseline is {name}, the stronger one by the mean over dev rows: {scores}. That is in "
        "the baseline's favour, as its own dev figures decide; with student.early_stopping rows "
        "held out of train do."
    )


def kept(results: Sequence[TaskResult]) -> str:
    """A sentence on how much of the ensembles' gain the student keeps."""
    means = summary.gain(results)
    if means is None:
        return "No task has teachers, so there is no gain for the student to keep."
    if means.kept is None:
        return (
            "The ensembles are not above the baseline on the mean of the tasks with teachers, so "
            "there is no gain for the student to keep."
        )
    gap = 100 * (means.ensemble - means.baseline)
    share = round(100 * means.kept)  # a whole number has no "-0"
    lost = "; below 0: it is worse than the baseline there" if share < 0 else ""
    return (
        f"The student keeps {share} % of the {gap:.1f} points that the ensembles "
        "gain over the baseline on the mean of the tasks with teachers: "
        f"(student - baseline) / (ensemble - baseline){lost}."
    )


def _noise(results: Sequence[TaskResult]) -> str:
    """Two caveats: one run has one seed, and the smallest dev set limits a score's resolution."""
    title, rows = min(
        (
            (r.task.title, sum(r.splits[split]["rows"] for split in r.scores[STUDENT]))
            for r in results
        ),
        key=lambda pair: pair[1],
    )
    return (
        "One run with one seed: the intervals are of other dev rows, not of other training runs. "
        f"On {title}, the smallest dev set, one row of {rows:,} is {100 / rows:.1f} points."
    )
