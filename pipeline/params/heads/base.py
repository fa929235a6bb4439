"""The base of the settings of all kinds of head, and a task's head in a section."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pipeline.params.checks.raw_values import run
from pipeline.params.fields import Section
from pipeline.tasks import Task


class Placed(NamedTuple):
    """The head of a task in one section of params.yaml.

    Attributes:
        task: its name.
        labels: its classes; () if they are not known or the task has scores.
        head: settings as they are written.
        where: key under which they are written.
        own: key under which this task alone gets a head; it may be `where`.
    """

    task: str
    labels: tuple[str, ...]
    head: Mapping[Any, Any]
    where: str
    own: str

    def replaced(self, settings: str) -> str:
        """The command that gives the task another head of its own."""
        # Without the first, the old head's keys would stay next to the new one's.
        gone = [f"~{self.own}"] if self.where == self.own else []
        return run(*gone, f"++{self.own}={{{settings}}}")


class HeadSettings(Section, ABC):
    """Settings of a head: base of all kinds.

    A kind that pools the row to one vector has the key `pooling`; the encoder's own pooler is
    kept where it is `pooler`.
    """

    kind: str

    @property
    def uses_pooler(self) -> bool:
        """Whether the head reads the output of the encoder's own pooler."""
        return getattr(self, "pooling", None) == "pooler"

    @property
    def extra_pairs(self) -> float:
        """Pairs of texts that are scored in training for each row of the task, besides the row."""
        return 0.0

    @abstractmethod
    def weights(self, width: int, task: Task) -> int:
        """Number of the head's weights, for the plan.

        Args:
            width: of the encoder's vectors.
            task: decides the outputs.
        """

    @classmethod
    def lack(cls, texts: int, classes: int) -> str:
        """The part that a task lacks for this kind, as the end of "which ..."; "" if none.

        Args:
            texts: number of texts in a row.
            classes: number of classes, 0 for scores.
        """
        return ""

    @classmethod
    def faults(cls, placed: Placed) -> Iterator[str]:
        """One line for each fault of a head that depends on its task.

        The settings are the raw YAML, so that other faults hide none.
        """
        return iter(())


def lack_of_pairs(texts: int, classes: int) -> str:
    """The part that a task lacks for a head that reads two texts and predicts classes."""
    if texts == 1:
        return "has one text a row, not two"
    return "" if classes else "has scores, not classes"
