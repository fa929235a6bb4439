"""What an executor does: run stages that need none of each other, several at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Executor(Protocol):
    """Runs stages side by side, on this machine or on others."""

    def run(self, stages: Sequence[str]) -> set[str]:
        """Run stages that need none of each other.

        Args:
            stages: names, as `teach@rte-m1-all`.

        Returns:
            Names of the stages that failed.

        Raises:
            KeyboardInterrupt: on an interruption, after every stage was interrupted and has ended.
        """
