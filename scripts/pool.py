"""DVC processes: one alone on the terminal, or many side by side with their lines named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType

from pipeline.machine import JOBS

DVC = [sys.executable, "-m", "dvc"]
_NOISE = (
    "To track the changes",
    "git add ",
    "To enable auto staging",
    "dvc config core.autostage",
    "Use `dvc push`",
    "Updating lock file",
    "Generating lock file",
)


def alone(arguments: Sequence[str]) -> int:
    """Run one DVC command with the terminal to itself and give its exit code."""
    return subprocess.run([*DVC, *arguments], env=_environment(), check=False).returncode


def _environment() -> dict[str, str]:
    """With this Python's folder first: DVC runs a stage with the `python` it finds."""
    folder = os.path.dirname(sys.executable)  # noqa: PTH120  no link may be resolved
    return {**os.environ, "PATH": os.pathsep.join([folder, os.environ["PATH"]])}


def run(stages: Sequence[str], jobs: int) -> set[str]:
    """Run stages that need none of each other, `jobs` at a time.

    Each stage is told how many run beside it, so that they share the CPU's threads.

    Returns:
        Names of the stages that failed.

    Raises:
        KeyboardInterrupt: on Ctrl-C or SIGTERM, after every stage was told and has ended.
    """
    side_by_side = min(jobs, len(stages))
    if not side_by_side:
        return set()
    processes = _Processes(len(stages), _environment() | {JOBS: str(side_by_side)})
    with _interruptible(processes), ThreadPoolExecutor(side_by_side) as threads:
        codes = list(threads.map(processes.reproduce, stages))
    if processes.stopped:
        raise KeyboardInterrupt
    return {stage for stage, code in zip(stages, codes, strict=True) if code}


class _Processes:
    """The DVC processes of one pool."""

    def __init__(self, total: int, environment: dict[str, str]) -> None:
        self.total, self.environment = total, environment
        self.done, self.stopped = 0, False
        self.running: set[subprocess.Popen[str]] = set()
        self.lock = threading.Lock()

    def reproduce(self, stage: str) -> int:
        """Run one stage, print its lines under its name and give its exit code."""
        start = time.monotonic()
        with self.lock:
            if self.stopped:
                return 1
            process = self._start(stage)
            self.running.add(process)
        assert process.stdout is not None
        for line in process.stdout:
            text = line.strip()
            if text and not text.startswith(_NOISE):
                self._say(stage, text)
        code = process.wait()
        with self.lock:
            self.running.discard(process)
            self.done += 1
            state = f"failed with exit code {code}" if code else "done"
            spent = time.monotonic() - start
        self._say(stage, f"{state} after {spent:.0f} s ({self.done} of {self.total})")
        return code

    def stop(self) -> None:
        """Pass Ctrl-C on to every process and its children."""
        with self.lock:
            self.stopped = True
            for process in self.running:
                os.killpg(process.pid, signal.SIGINT)

    def _start(self, stage: str) -> subprocess.Popen[str]:
        """A session of its own: the signal then reaches DVC and the stage, and each only once."""
        return subprocess.Popen(
            [*DVC, "--wait-for-lock", "repro", "--single-item", stage],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    def _say(self, stage: str, text: str) -> None:
        with self.lock:
            print(f"[{stage}] {text}", flush=True)


@contextmanager
def _interruptible(processes: _Processes) -> Iterator[None]:
    """While the block runs, SIGINT and SIGTERM stop the processes, and the block ends by itself."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=processes.stop).start()

    before = {which: signal.signal(which, stop) for which in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)
