"""What the models were trained on: rows, steps and tokens of student, baselines and teachers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import paths
from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.report import label_notes
from pipeline.evaluation.report.markdown_table import markdown
from pipeline.evaluation.systems import BASELINES, STUDENT, TEACHER, TUNED, baseline_of
from pipeline.params.teachers import WHOLE
from pipeline.stage_registry import maker

CAPTION = (
    "What the models behind these figures were trained on, in sum: rows and tokens as often as "
    "they were seen, tokens without padding, steps of the optimizer. Members that are left out of "
    "the ensemble, and labelling, are not counted."
)
COUNTS = ("rows", "steps", "tokens")
CANDIDATES, TEACHERS = "candidates", "teachers"
_TITLES = {
    CANDIDATES: "Candidates",
    TEACHERS: "Teachers",
    **{name: name.replace("_", ", ").capitalize() for name in BASELINES},
    STUDENT: "Student",
    TUNED: "Tuned",
}
_RUNS = "Runs"


def costs(results: Sequence[TaskResult]) -> dict[str, dict[str, Any]]:
    """What the models of each kind were trained on, in sum.

    Args:
        results: the evaluated tasks, at least one.

    Returns:
        Kind of model -> `runs`, names of the stages that trained them, and `rows`, `steps` and
        `tokens`, each None where a model's manifest does not have it.
    """
    groups: dict[str, dict[str, Any]] = {}
    for kind, stage, trained in _runs(results):
        group = groups.setdefault(kind, {"runs": [], **dict.fromkeys(COUNTS, 0)})
        group["runs"].append(stage)
        for count in COUNTS:
            known = trained is not None and group[count] is not None
            group[count] = group[count] + trained[count] if trained and known else None
    return groups


def table(costs: Mapping[str, Mapping[str, Any]]) -> str:
    """The sums in Markdown, a line per kind of model."""
    return markdown(frame(costs).rename_axis("Trained").reset_index())


def frame(costs: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """The sums as text, a row per kind of model; `-` for what is not known."""
    rows = {
        _TITLES[kind]: {
            _RUNS: str(len(cost["runs"])),
            **{count.capitalize(): _number(cost[count]) for count in COUNTS},
        }
        for kind, cost in sorted(costs.items(), key=lambda item: [*_TITLES].index(item[0]))
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _runs(results: Sequence[TaskResult]) -> Iterator[tuple[str, str, Mapping[str, Any] | None]]:
    """Kind, stage and counts of every trained model."""
    first = results[0]
    for name, trained in first.candidates.items():
        yield CANDIDATES, _stage(paths.refined(name)), trained
    for result in results:
        yield from _teachers(result)
    for budget in first.choice.budgets:
        system = baseline_of(budget)
        yield system, _stage(paths.baseline(budget)), first.models[system].get("trained")
    yield STUDENT, _stage(paths.STUDENT), first.models[STUDENT].get("trained")
    for result in results:
        if TUNED in result.models:
            stage = _stage(paths.tuned(result.task.name))
            yield TUNED, stage, result.models[TUNED].get("trained")


def _teachers(result: TaskResult) -> Iterator[tuple[str, str, Mapping[str, Any] | None]]:
    for member in result.members:
        manifest = result.models[f"{TEACHER}{member}"]
        folds = manifest.get("by_fold") or [WHOLE]
        for fold, model in zip(folds, label_notes.models(manifest), strict=True):
            stage = _stage(paths.teacher(result.task.name, member, fold))
            yield TEACHERS, stage, model.get("trained")


def _stage(folder: Path) -> str:
    return str(maker(folder))


def _number(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"
