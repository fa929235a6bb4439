"""Warn of unfair comparisons: of ensembles, of a student cut badly, of other numbers of steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

from pipeline.evaluation import summary
from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.systems import BASELINE, ENSEMBLE, MULTITASK, STUDENT, baseline_of
from pipeline.params.checks.raw_values import run

_EVIDENCE = "docs/evidence.md"


def warnings(results: Sequence[TaskResult]) -> list[str]:
    """One or two sentences for each reason to mistrust the comparison; none if there is no reason.

    Args:
        results: the evaluated tasks, at least one.
    """
    return [*_ensembles(results), *_cut(results[0]), *_steps(results[0])]


def _ensembles(results: Sequence[TaskResult]) -> Iterator[str]:
    """Ensembles against one multi-task model on gold labels, of which the best candidate is one."""
    taught = [result for result in results if result.members]
    if not taught:
        return
    if not all(MULTITASK in result.scores for result in taught):
        fix = run("+refinement.candidates.c1={seed: 1}", "selection.top=1")
        yield (
            "Whether the ensembles are above one multi-task model of their size on gold labels is "
            f"not known: there is no candidate. One is added by `{fix}`."
        )
        return
    not_above = [
        f"{result.task.title} ({_percents(result.score(ENSEMBLE), result.score(MULTITASK))})"
        for result in taught
        if summary.points(result.score(ENSEMBLE), result.score(MULTITASK)) <= 0
    ]
    if not_above:
        best = next(iter(results[0].candidates))
        means = (fmean(r.score(system) for r in taught) for system in (ENSEMBLE, MULTITASK))
        yield (
            f"The ensemble is not above the best multi-task candidate `{best}`, one model on gold "
            f"labels, on {', '.join(not_above)}; mean over tasks with teachers: "
            f"{_percents(*means)}. There the teachers add nothing to what it has learnt."
        )


def _percents(first: float, second: float) -> str:
    return f"{100 * first:.1f} against {100 * second:.1f}"


def _cut(result: TaskResult) -> Iterator[str]:
    """The layers of the student's encoder, if they are not the first ones."""
    layers = result.models[STUDENT]["encoder"].get("layers", "all")
    if layers == "all" or layers == list(range(1, len(layers) + 1)):
        return
    kept = "every second layer" if layers == "every_second" else f"layers {_numbers(layers)}"
    yield (
        f"Student and baseline start from {kept} of their encoder, which makes a weak baseline: "
        f"its first layers are a better start ({_EVIDENCE}). `student.encoder.layers=[1,2,3]` "
        "keeps the first three."
    )


def _numbers(layers: Sequence[int]) -> str:
    return ", ".join(map(str, layers))


def _steps(result: TaskResult) -> Iterator[str]:
    """Steps of student and baseline, if they differ by an epoch of the baseline or more."""
    student, baseline = (_trained(result, system) for system in (STUDENT, BASELINE))
    if not student or not baseline:
        return
    if abs(student["steps"] - baseline["steps"]) * baseline["epochs"] < baseline["steps"]:
        return
    yield (
        f"The student takes {student['steps']:,} steps and the baseline that counts, "
        f"`{baseline_of(result.choice.budget)}`, {baseline['steps']:,}. {_reason(result)}"
    )


def _reason(result: TaskResult) -> str:
    if len(result.choice.budgets) > 1:
        return "The other baseline is the weaker one."
    training = result.models[STUDENT].get("training") or {}
    if training.get("early_stopping") is not None:
        return "Early stopping ended them after different epochs."
    return f"A baseline of as many steps is added by `{run('baseline.budgets=[epochs,steps]')}`."


def _trained(result: TaskResult, system: str) -> dict[str, Any]:
    """What a system's model has trained on; {} where its manifest does not have it."""
    return dict(result.models[system].get("trained") or {})
