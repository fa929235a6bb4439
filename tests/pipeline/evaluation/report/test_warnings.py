"""Comparisons that are not fair are warned of in the first lines of the report.

Run with: python -m pytest tests/pipeline/evaluation/report/test_warnings.py
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.evaluation.baselines import Choice
from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.report import files, warnings

FIRST = [1, 2, 3]
BOTH = {"epochs": 0.5, "steps": 0.6}


def sound(result: TaskResult, **systems: float) -> TaskResult:
    """A result without a reason for a warning, with other accuracies of some systems."""
    scores = {
        system: {"dev": {"accuracy": accuracy}}
        for system, accuracy in ({"multitask": 0.75} | systems).items()
    }
    models = {
        name: {**model, "encoder": {**model["encoder"], "layers": FIRST}}
        for name, model in result.models.items()
    }
    known = {**result.scores, **scores}
    return replace(result, scores=known, models=models, candidates={"c2": {}, "c1": {}})


def with_model(result: TaskResult, system: str, **changes: Any) -> TaskResult:
    return replace(result, models={**result.models, system: {**result.models[system], **changes}})


def trained(result: TaskResult, student: int, baseline: int, epochs: int) -> TaskResult:
    for system, steps in (("student", student), ("baseline", baseline)):
        counts = {"steps": steps, "epochs": epochs, "rows": 1, "tokens": 1}
        result = with_model(result, system, trained=counts)
    return result


def test_a_sound_comparison_has_no_warning(results: list[TaskResult]) -> None:
    assert warnings.warnings([sound(results[0])]) == []
    assert "Warning" not in files.markdown([sound(results[0])], {})


def test_warnings_follow_the_headline(results: list[TaskResult]) -> None:
    """The four tasks have no candidate, and a student of every second layer."""
    headline, *lines = files.markdown(results, {}).partition("\n\n")[0].splitlines()
    assert headline.startswith("**Dev results")
    assert len(lines) == 2
    assert lines == [f"- **Warning.** {text}" for text in warnings.warnings(results)]


def test_without_a_candidate_it_is_not_known_whether_teachers_help(
    results: list[TaskResult],
) -> None:
    bare = replace(sound(results[0]), scores=results[0].scores, candidates={})
    (warning,) = warnings.warnings([bare])
    assert "is not known: there is no candidate" in warning
    command = "dvc exp run -S '+refinement.candidates.c1={seed: 1}' -S 'selection.top=1'"
    assert command in warning
    assert warnings.warnings([replace(bare, scores=_untaught(bare))]) == []


def _untaught(result: TaskResult) -> dict[str, Any]:
    return {name: own for name, own in result.scores.items() if not name.startswith("teacher")}


@pytest.mark.parametrize(
    ("ensemble", "multitask", "warned"),
    [(0.75, 0.75, True), (0.7504, 0.75, True), (0.7, 0.75, True), (0.76, 0.75, False)],
)
def test_an_ensemble_not_above_the_best_candidate(
    ensemble: float, multitask: float, warned: bool, results: list[TaskResult]
) -> None:
    """A lead below 0.05 points shows as none."""
    lines = warnings.warnings([sound(results[0], ensemble=ensemble, multitask=multitask)])
    assert len(lines) == warned
    if warned:
        shown = f"{100 * ensemble:.1f} against {100 * multitask:.1f}"
        assert "not above the best multi-task candidate `c2`" in lines[0]
        assert f"on RTE ({shown}); mean over tasks with teachers: {shown}." in lines[0]


@pytest.mark.parametrize(
    ("layers", "kept"),
    [
        ("all", ""),
        ([1, 2, 3], ""),
        ([1], ""),
        ("every_second", "every second layer"),
        ([2, 4, 6], "layers 2, 4, 6"),
        ([2], "layers 2"),
        ([1, 3], "layers 1, 3"),
    ],
)
def test_a_cut_that_does_not_keep_the_first_layers(
    layers: Any, kept: str, results: list[TaskResult]
) -> None:
    result = sound(results[0])
    encoder = {**result.models["student"]["encoder"], "layers": layers}
    lines = warnings.warnings([with_model(result, "student", encoder=encoder)])
    assert len(lines) == bool(kept)
    if kept:
        assert f"Student and baseline start from {kept} of their encoder" in lines[0]
        assert "docs/evidence.md" in lines[0]


# An epoch of the baseline is 100 / 5 = 20 steps, or 200 / 5 = 40.
@pytest.mark.parametrize(
    ("student", "baseline", "warned"),
    [(100, 100, False), (81, 100, False), (80, 100, True), (120, 100, True), (239, 200, False)],
)
def test_numbers_of_steps_that_differ_by_an_epoch(
    student: int, baseline: int, warned: bool, results: list[TaskResult]
) -> None:
    result = trained(sound(results[0]), student, baseline, epochs=5)
    lines = warnings.warnings([result])
    assert len(lines) == warned
    if warned:
        assert f"takes {student} steps" in lines[0]
        assert f"`baseline_epochs`, {baseline}." in lines[0]
        assert "dvc exp run -S 'baseline.budgets=[epochs,steps]'" in lines[0]
        both = replace(result, choice=Choice("epochs", "dev", BOTH))
        assert warnings.warnings([both])[0].endswith("The other baseline is the weaker one.")
        training = {"early_stopping": {"share": 0.1}}
        stopped = with_model(result, "student", training=training)
        (line,) = warnings.warnings([stopped])
        assert line.endswith("Early stopping ended them after different epochs.")
