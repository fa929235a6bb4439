"""The interface of an executor: run stages that do not need each other, several at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Executor(Protocol):
    """Runs stages in parallel, on this machine or on others."""

    def run(self, stages: Sequence[str]) -> set[str]:
        """Run stages that do not need each other.

        Args:
            stages: names, as `teach@rte-m1-all`.

        Returns:
            Names of the stages that failed.

        Raises:
            KeyboardInterrupt: on an interruption, after every stage was interrupted and has ended.
        """
