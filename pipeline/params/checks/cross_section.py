"""Check sections against each other, on raw YAML, so that they run even if validation fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.params.checks import cross_fitting, early_stopping, heads, messages
from pipeline.params.checks.raw_values import Values, cap, mapping, refined, run, whole, words
from pipeline.tasks import GLUE


def find(values: Values) -> Iterator[str]:
    """One line for each contradiction between sections."""
    if isinstance(values.get("tasks"), Mapping):
        yield from _tasks(values)
        yield from _named_tasks(values)
        yield from _transfer(values)
    yield from heads.find(values)
    yield from _named_members(values)
    yield from _candidates(values)
    yield from cross_fitting.find(values)
    yield from early_stopping.find(values)


def _tasks(values: Values) -> Iterator[str]:
    for name, task in values["tasks"].items():
        if not isinstance(name, str):  # reported by the models
            continue
        custom = task.get("custom") if isinstance(task, Mapping) else None
        if name not in GLUE and custom is None:
            meant = messages.near(name, GLUE)
            yield f"tasks.{name}: not a GLUE task ({', '.join(GLUE)}) and without `custom`{meant}"
        if name in GLUE and custom is not None:
            yield f"tasks.{name}.custom: {name} is a GLUE task; give your own task another name"


_TASK_KEYS = (
    ("teachers", "tasks"),
    ("refinement", "heads"),
    ("student", "heads"),
    ("student", "task_weights"),
    ("student", "sampling", "weights"),
    ("student", "sampling", "passes"),
    ("refinement", "sampling", "weights"),
    ("refinement", "sampling", "passes"),
    ("tuning", "tasks"),
)
"""Paths of mappings whose keys are names of tasks."""

_TASK_LISTS = (
    ("selection", "tasks"),
    ("refinement", "best_epoch", "tasks"),
    ("student", "best_epoch", "tasks"),
)
"""Paths of lists of tasks; without candidates only the student's decides anything."""


def _named_tasks(values: Values) -> Iterator[str]:
    tasks = values["tasks"]
    for path in _TASK_KEYS:
        for name in mapping(values, *path):
            if name not in tasks:
                yield _unknown_task(".".join(path), name, tasks)
    for path in _TASK_LISTS:
        for name in words(values, *path):
            if name not in tasks and (path[0] == "student" or _refines(values)):
                yield f"{'.'.join(path)}: no such task: {name}{messages.near(name, tasks)}"
    for section in ("student", "refinement"):
        weights = mapping(values, section, "sampling", "weights")
        lacking = [name for name in tasks if name not in weights]
        if weights and lacking:
            yield f"{section}.sampling.weights: no weight for {', '.join(map(str, lacking))}"


def _refines(values: Values) -> bool:
    return bool(mapping(values, "refinement", "candidates"))


def _unknown_task(where: str, name: Any, tasks: Values) -> str:
    return (
        f"{where}.{name}: no such task under `tasks`; add it there, or take it out "
        f"here (dvc exp run -S '~{where}.{name}'){messages.near(name, tasks)}"
    )


def _transfer(values: Values) -> Iterator[str]:
    taught = mapping(values, "teachers", "tasks")
    for name, transfer in mapping(values, "transfer").items():
        if name not in taught:
            yield f"transfer.{name}: {name} has no teachers; add it under teachers.tasks"
        source = transfer.get("source") if isinstance(transfer, Mapping) else None
        if source == "rest" and cap(values, name) is None:
            yield (
                f"transfer.{name}: tasks.{name}.rows.train is null, so no train row is left over "
                f"for source rest; set a row cap"
            )


def _named_members(values: Values) -> Iterator[str]:
    members = mapping(values, "teachers", "members")
    for name in words(values, "ensemble", "members"):
        if name not in members:
            yield f"ensemble.members: no such member: {name} ({_listed(members)})"
    inner = mapping(values, "distillation", "features").get("member")
    if isinstance(inner, str) and inner not in members:
        yield f"distillation.features.member: no such member: {inner} ({_listed(members)})"


def _listed(names: Values) -> str:
    return f"there are {', '.join(map(str, names))}"


def _candidates(values: Values) -> Iterator[str]:
    """Candidates that are missing, or that teachers cannot start from."""
    count = len(mapping(values, "refinement", "candidates"))
    top = whole(mapping(values, "selection").get("top"))
    if top is None:
        return
    if 0 < count < top:
        yield _too_few(values, count, top)
    for name, rank in refined(values).items():
        where = f"teachers.members.{name}.refined"
        if fault := _start(values, where, rank, count, top):
            yield f"{where}: {fault}"


def _too_few(values: Values, count: int, top: int) -> str:
    lower = [
        f"teachers.members.{name}.refined={count}"
        for name, rank in refined(values).items()
        if count < rank <= top
    ]
    return (
        f"selection.top: {top} of only {count} {'candidate' if count == 1 else 'candidates'} "
        f"(refinement.candidates); {run(f'selection.top={count}', *lower)}"
    )


def _start(values: Values, where: str, rank: int, count: int, top: int) -> str:
    """The reason that a member cannot start from the candidate of a rank; "" if it can."""
    if not count:
        return f"there is nothing under refinement.candidates to start from; {run(f'~{where}')}"
    if rank > top:
        fix = f"selection.top={rank}" if rank <= count else f"{where}={min(top, count)}"
        return f"rank {rank}, but selection.top keeps {top}; {run(fix)}"
    return heads.pooler_lost(values)
