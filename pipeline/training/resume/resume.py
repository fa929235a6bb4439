"""Write checkpoints while training, and resume a killed run from its last one to the same bytes.

The run key (run_key.py) picks the folder: a run with other settings, rows, libraries or another
processor has another folder and starts from the beginning. Code is not part of the key: a
checkpoint that other code wrote is found in the folder, refused with a message and deleted.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from pipeline.training.resume.checkpoints import (
    Checkpoint,
    CheckpointFolder,
    DamagedCheckpointError,
)

SHARE = 0.02
"""Most of the run time that checkpoints may take: the next one waits 50 times as long as the last
one took, if that is more than the seconds asked for."""


class State(NamedTuple):
    """The state of one part of a training run."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]  # of JSON's types

    def within(self, prefix: str) -> dict[str, Tensor]:
        """Tensors whose names begin with a prefix, by the rest of their names."""
        return {
            name.removeprefix(prefix): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(prefix)
        }


class Stateful(Protocol):
    """A part of a training run that has a state."""

    def state(self) -> State:
        """The state that a resumed run needs."""

    def load_state(self, state: State) -> None:
        """Restore what `state` returned."""


class Checkpointer:
    """Write the state of a run's parts from time to time, and restore the last one.

    Where no checkpoint can be written, training goes on without: a run that would end well must
    not fail for it.

    Args:
        checkpoints: their folder, of this run alone.
        code: version of the code; a checkpoint of another one is not used.
        title: the run's name in messages on standard error.
        seconds: least time between two; 0 for one whenever `keep` is called.
        clock: seconds that never run backwards, from any start.
    """

    def __init__(
        self,
        checkpoints: CheckpointFolder,
        code: str,
        title: str,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checkpoints, self._code, self._title = checkpoints, code, title
        self._seconds, self._clock = seconds, clock
        self._last, self._wait = clock(), seconds
        self._number: int | None = None  # of the last one

    def restore(self, parts: Mapping[str, Stateful]) -> None:
        """Restore every part from the last whole checkpoint, if there is one.

        Args:
            parts: by name, the same names as when it was written.
        """
        self._checkpoints.clean()
        checkpoint = self._find()
        if checkpoint is not None:
            for name, part in parts.items():
                prefix = f"{name}/"
                tensors = State(checkpoint.tensors, {}).within(prefix)
                part.load_state(State(tensors, checkpoint.facts["parts"][name]))
            self._say(f"goes on from the checkpoint at step {self._number}")
        self._last = self._clock()

    def keep(self, number: int, parts: Mapping[str, Stateful], at_once: bool = False) -> None:
        """Write a checkpoint if it is time.

        Args:
            number: how many steps are done.
            parts: by name.
            at_once: whether to write whatever the time.
        """
        start = self._clock()
        if number == self._number or not (at_once or start - self._last >= self._wait):
            return
        tensors: dict[str, Tensor] = {}
        facts: dict[str, Any] = {}
        for name, part in parts.items():
            state = part.state()
            tensors |= {f"{name}/{key}": tensor for key, tensor in state.tensors.items()}
            facts[name] = state.facts
        try:
            checkpoint = Checkpoint(tensors, {"code": self._code, "parts": facts})
            self._checkpoints.write(number, checkpoint)
            self._number = number
        except OSError as error:
            self._say(f"no checkpoint at step {number}, training goes on without: {error}")
        self._last = self._clock()
        self._wait = self._seconds and max(self._seconds, (self._last - start) / SHARE)

    def _find(self) -> Checkpoint | None:
        for number in self._checkpoints.numbers():
            try:
                checkpoint = self._checkpoints.read(number)
            except DamagedCheckpointError as error:
                self._say(f"the checkpoint at step {number} is damaged and not used: {error}")
                self._checkpoints.drop(number)
                continue
            if checkpoint.facts["code"] == self._code:
                self._number = number
                return checkpoint
            self._refuse(number)
            return None
        return None

    def _refuse(self, number: int) -> None:
        self._say(
            f"the checkpoint at step {number} of an earlier version of the code is not used: "
            "results would mix both; training starts anew"
        )
        for old in self._checkpoints.numbers():
            self._checkpoints.drop(old)

    def _say(self, words: str) -> None:
        print(f"{self._title}: {words}", file=sys.stderr, flush=True)
