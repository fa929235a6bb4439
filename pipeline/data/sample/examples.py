"""The type of a generated example: its texts and its true label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Example:
    """One row before it is written.

    Attributes:
        texts: one sentence, or the two of a pair in the order of the task's columns.
        label: class name in `pipeline.tasks` spelling, or a score of a regression task.
    """

    texts: tuple[str, ...]
    label: str | float


Maker = Callable[[str, Random], Example]
"""Draws an example of the wanted class; for STS-B of the wanted whole score, "0" to "5"."""
