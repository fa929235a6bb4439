"""Count what a run has trained on: steps, epochs, rows and tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pipeline.training.resume.resume import State

if TYPE_CHECKING:
    from pipeline.training.losses.objective import TrainingSet
    from pipeline.training.task_sampling import Step


@dataclass
class Amounts:
    """Counts of a run, which a resumed one goes on with.

    Attributes:
        steps: steps of the optimizer.
        epochs: epochs that were begun.
        rows: rows of all steps, a row as often as it is trained on; extra pairs do not count.
        tokens: their tokens, special ones included, padding not.
    """

    steps: int = 0
    epochs: int = 0
    rows: int = 0
    tokens: int = 0

    def add(self, step: Step, epoch: int, sets: Mapping[str, TrainingSet]) -> None:
        """Count one step of an epoch, which is counted from 0."""
        lengths = sets[step.task].tokens.lengths
        self.steps += 1
        self.epochs = epoch + 1
        self.rows += step.rows
        self.tokens += sum(int(lengths[batch].sum()) for batch in step.batches)

    def state(self) -> State:
        """The counts."""
        return State({}, asdict(self))

    def load_state(self, state: State) -> None:
        """Restore what `state` returned."""
        for name, number in state.facts.items():
            setattr(self, name, number)
