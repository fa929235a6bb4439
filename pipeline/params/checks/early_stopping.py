"""Check early stopping: the rows held out must be unseen in training, and at least one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pipeline.params.checks.raw_values import Values, cap, listed, mapping, refined, run

_KEY = "early_stopping"


class Stop(NamedTuple):
    """Early stopping of one training on one task.

    Attributes:
        task: the task's name.
        where: YAML path of the setting.
        share: share of the rows that is held out, as written, valid or not.
        seen: reason that the rows held out were seen in training; "" if they were not.
        folds: number of folds, of which training leaves one out; 1 for training on all rows.
    """

    task: str
    where: str
    share: Any
    seen: str = ""
    folds: int = 1


def find(values: Values) -> Iterator[str]:
    """One line for each setting of early stopping that cannot work."""
    lines: dict[tuple[str, ...], str] = {}
    for stop in (*_multi_task(values), *_teachers(values), *_tuning(values)):
        fix = run(f"{stop.where}=null")
        if stop.seen:
            lines.setdefault((stop.where,), f"{stop.where}: {stop.seen}; {fix}")
        elif few := _too_few_rows(values, stop):
            lines.setdefault((stop.where, stop.task), f"{stop.where}.share: {few}; {fix}")
    yield from lines.values()


def _multi_task(values: Values) -> Iterator[Stop]:
    """The candidates' trainings and the student's."""
    section = mapping(values, "refinement")
    layers = [
        [("refinement", section), (f"refinement.candidates.{name}", own)]
        for name, own in mapping(section, "candidates").items()
    ]
    for layer in (*layers, [("student", mapping(values, "student"))]):
        for task in mapping(values, "tasks"):
            yield from _stop(task, *layer)


def _teachers(values: Values) -> Iterator[Stop]:
    """The teachers' trainings; as in `Teachers.training` the member's setting comes last."""
    section, started = mapping(values, "teachers"), refined(values)
    folds = max(1, len(listed(section, "folds")))
    for task, own in mapping(section, "tasks").items():
        for name, member in mapping(section, "members").items():
            layers = ("teachers", section), (f"teachers.tasks.{task}", own)
            for stop in _stop(task, *layers, (f"teachers.members.{name}", member)):
                seen = (
                    f"member {name} starts from a candidate that was trained on all train rows, "
                    "so the rows held out are not unseen"
                )
                yield stop._replace(folds=folds, seen=seen if name in started else "")


def _tuning(values: Values) -> Iterator[Stop]:
    section = mapping(values, "tuning")
    for task, own in mapping(section, "tasks").items():
        for stop in _stop(task, ("tuning", section), (f"tuning.tasks.{task}", own)):
            yield stop._replace(seen="the student was trained on these rows")


def _stop(task: str, *layers: tuple[str, Any]) -> Iterator[Stop]:
    """The early stopping of the last layer that sets it."""
    settings = [(where, layer[_KEY]) for where, layer in layers if _KEY in mapping(layer)]
    if settings and isinstance(setting := settings[-1][1], Mapping):
        yield Stop(task, f"{settings[-1][0]}.{_KEY}", setting.get("share"))


def _too_few_rows(values: Values, stop: Stop) -> str:
    """The fault in the number of rows held out, as far as the row cap shows it; else ""."""
    rows, share = cap(values, stop.task), stop.share
    if rows is None or rows < stop.folds or not isinstance(share, float) or not 0 < share < 1:
        return ""
    if stop.folds > 1:  # the largest fold is at least as large as the mean
        rows -= math.ceil(rows / stop.folds)
    number = round(share * rows)  # as early_stopping.hold_out counts
    if 0 < number < rows:
        return ""
    outside = " outside a fold" if stop.folds > 1 else ""
    return (
        f"{share:g} of the {rows} train rows of {stop.task}{outside} (tasks.{stop.task}.rows.train)"
        f" is {number or 'none'}: there must be a row to hold out and one to train on"
    )
