"""Write the notes on the soft labels: members, folds, temperatures, transfer rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.systems import TUNED
from pipeline.params.teachers import WHOLE
from pipeline.soft_labels.rules.base import RULES

_TRANSFER_SOURCES = {
    "rest": "train rows that the cap leaves out",
    "test": "test texts",
    "file": "a file in data/texts",
}


def models(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The single models of a description: those of a member's folds, or the one model."""
    folds = manifest.get("by_fold") or {"": {}}
    return [{**manifest, **own} for own in folds.values()]


def notes(results: Sequence[TaskResult]) -> list[str]:
    """Sentences on the soft labels and on the tuned student; none without them."""
    taught = [result for result in results if result.soft]
    return [
        *_members(taught),
        *_folds(taught),
        *_temperatures(taught),
        *_further(taught),
        *_tuned(results),
    ]


def _members(taught: Sequence[TaskResult]) -> list[str]:
    """Rule and members; tasks only differ by what the source lacks."""
    names = dict.fromkeys(member for result in taught for member in result.members)
    rules = sorted({result.rule for result in taught if result.rule})
    if not names:
        return []
    named = ", ".join(f"`{rule}`" for rule in rules)
    cautions = [caution for rule in rules if (caution := RULES[rule].caution)]
    return [" ".join([f"Ensembles of {', '.join(names)} by rule {named}.", *cautions])]


def _folds(taught: Sequence[TaskResult]) -> list[str]:
    groups: dict[int, list[str]] = {}
    for result in taught:
        count = 0 if list(result.soft["folds"]) == [WHOLE] else len(result.soft["folds"])
        groups.setdefault(count, []).append(result.task.title)
    return [_FOLDED.format(count) if count else _WHOLE for count in groups]


_WHOLE = "Soft labels of train rows are by teachers that were trained on these rows."
_FOLDED = (
    "Soft labels of train rows are cross-fitted: every member is {0} models (all counted as its "
    "parameters), each trained without one of {0} folds, whose rows it labels; all other rows get "
    "the mean of their logits."
)


def _temperatures(taught: Sequence[TaskResult]) -> list[str]:
    fitted = [
        f"{result.task.title} {_values(result.soft['temperatures'])}"
        for result in taught
        if result.soft["temperatures"]
    ]
    if not fitted:
        return []
    return [
        "Members' logits are divided by temperatures fitted on the train rows that they have not "
        f"seen: {'; '.join(fitted)}."
    ]


def _values(by_member: Mapping[str, float]) -> str:
    return ", ".join(f"{member} {value:.2f}" for member, value in by_member.items())


def _further(taught: Sequence[TaskResult]) -> list[str]:
    counts = [
        f"{result.task.title} {count:,} ({_TRANSFER_SOURCES.get(source, source)})"
        for result in taught
        for source, count in result.soft["transfer"].items()
    ]
    if not counts:
        return []
    return [f"The student alone learns from further rows without gold labels: {'; '.join(counts)}."]


def _tuned(results: Sequence[TaskResult]) -> list[str]:
    titles = [result.task.title for result in results if TUNED in result.scores]
    if not titles:
        return []
    return [
        "Tuned is the student fine-tuned further on the hard labels of one task, a model each for "
        f"{', '.join(titles)}."
    ]
