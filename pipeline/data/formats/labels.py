"""Turn labels as files spell them into class ids and scores."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from pipeline.tasks import Task

Label = int | float
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class LabelError(ValueError):
    """A label that is not one of the task's; its message lists those that are."""


def parser(task: Task, spellings: Sequence[str]) -> Callable[[str], Label]:
    """A function from a label's spelling to its canonical class id, or to a score.

    Args:
        task: the task.
        spellings: how the file spells class 0, 1 and so on; not used for scores.

    Returns:
        The function; it raises `LabelError` on an unknown class, and on a score that is not a
        number or lies outside the task's range.
    """
    if task.regression:
        return lambda text: score(text, task.low, task.high)
    ids = {spelling: number for number, spelling in enumerate(spellings)}

    def class_id(text: str) -> int:
        try:
            return ids[text]
        except KeyError:
            raise LabelError(f"allowed: {', '.join(ids)}") from None

    return class_id


def score(text: str, low: float, high: float) -> float:
    """A decimal number such as `5.000`, `3` or `2.11111111111111`, within the range."""
    if not _NUMBER.fullmatch(text):
        raise LabelError(f"allowed: a number from {low:g} to {high:g}")
    return in_range(float(text), low, high)


def in_range(value: float, low: float, high: float) -> float:
    """The score itself, if it is finite and in the task's range."""
    if not math.isfinite(value) or not low <= value <= high:
        raise LabelError(f"allowed: a number from {low:g} to {high:g}")
    return value
