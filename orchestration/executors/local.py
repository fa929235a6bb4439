"""Run stages on this machine: in order by one DVC process, or several in parallel."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from orchestration import gpus
from orchestration.display import Display
from orchestration.dvc_processes import Processes
from orchestration.stage_runs import StageRuns
from pipeline.runtime import progress


@dataclass(frozen=True)
class InOrder:
    """Runs stages one after the other.

    Attributes:
        folder: DVC's own folder of temporary files, .dvc/tmp.
        display: shows the stages' progress.
    """

    folder: Path
    display: Display

    def run(self, stages: Sequence[str]) -> int:
        """Run stages in the given order and up to the first failure.

        One DVC process does it, and only these are looked at, not what they need.

        Args:
            stages: names, each after those it needs.

        Returns:
            DVC's exit code.

        Raises:
            KeyboardInterrupt: on Ctrl-C or SIGTERM, after the interrupted stage has ended.
        """
        runs = StageRuns(Processes(), self.folder, self.display)
        with runs.processes.interruptible():
            return runs.reproduce(stages)


@dataclass(frozen=True)
class SideBySide:
    """The local executor: stages in DVC processes of their own, spread over the GPUs.

    Attributes:
        jobs: how many stages run at a time.
        folder: DVC's own folder of temporary files, .dvc/tmp.
        display: shows the stages' progress.
        devices: returns the GPUs; with fewer than two, every stage sees the same as this process.
    """

    jobs: int
    folder: Path
    display: Display
    devices: Callable[[], Sequence[str]] = list

    def run(self, stages: Sequence[str]) -> set[str]:
        """As `base.Executor` has it; a stage that fails does not stop the others."""
        jobs = min(self.jobs, len(stages))
        places = _places(jobs, self.devices())
        runs = StageRuns(Processes(), self.folder, self.display)

        def reproduce(stage: str) -> int:
            place = places.get()
            try:
                return runs.reproduce([stage], {} if place is None else {gpus.VISIBLE: place})
            finally:
                places.put(place)

        with runs.processes.interruptible(), ThreadPoolExecutor(jobs) as threads:
            codes = list(threads.map(reproduce, stages))
        return {stage for stage, code in zip(stages, codes, strict=True) if code}


def _places(jobs: int, devices: Sequence[str]) -> queue.SimpleQueue[str | None]:
    """As many places as stages run at a time; GPUs are assigned to them in turn."""
    places: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    dealt = [devices[number % len(devices)] if len(devices) > 1 else None for number in range(jobs)]
    for place in dealt:
        places.put(place)
    if len(devices) > 1 and jobs > 1 and not progress.quiet():
        print(f"{jobs} stages side by side, on the GPUs {', '.join(map(str, dealt))}", flush=True)
    return places
