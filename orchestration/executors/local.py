"""DVC processes: one alone on the terminal, or many side by side with their lines named."""

from __future__ import annotations

import queue
import subprocess
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from orchestration import gpus, run_lock
from orchestration.dvc_processes import Processes

_AGAIN = 1.0  # seconds
_REPRO = ("--wait-for-lock", "repro", "--single-item")
_BUSY = "is busy, it is being blocked by:"
_KILLED = ("exited with -9", "exited with 137")
_NOISE = (
    "To track the changes",
    "git add ",
    "To enable auto staging",
    "dvc config core.autostage",
    "Use `dvc push`",
    "Updating lock file",
    "Generating lock file",
)


def alone(stages: Sequence[str], folder: Path) -> int:
    """Run stages one by one, in the given order and up to the first failure, on the terminal.

    One DVC process does it, and only these are looked at, not what they need.

    Args:
        stages: names, each after those it needs.
        folder: .dvc/tmp.

    Returns:
        DVC's exit code.

    Raises:
        KeyboardInterrupt: on Ctrl-C or SIGTERM, after the running stage was told and has ended.
    """
    processes = Processes()
    with processes.interruptible():
        code = processes.wait(processes.start([*_REPRO, *stages]))
        # Somebody's own `dvc repro` may have held what these need: it is not theirs to fail.
        while code and _waited(folder, processes):
            code = processes.wait(processes.start([*_REPRO, *stages]))
    return code


def run(stages: Sequence[str], jobs: int, folder: Path, devices: Sequence[str] = ()) -> set[str]:
    """Run stages that need none of each other, `jobs` at a time.

    Args:
        stages: names.
        jobs: how many at a time.
        folder: .dvc/tmp.
        devices: GPUs to spread the stages over; with fewer than two, every stage sees what we see.

    Returns:
        Names of the stages that failed.

    Raises:
        KeyboardInterrupt: on Ctrl-C or SIGTERM, after every stage was told and has ended.
    """
    pool = _Pool(len(stages), folder, _places(min(jobs, len(stages)), devices))
    with pool.processes.interruptible(), ThreadPoolExecutor(jobs) as threads:
        codes = list(threads.map(pool.reproduce, stages))
    return {stage for stage, code in zip(stages, codes, strict=True) if code}


def _places(jobs: int, devices: Sequence[str]) -> queue.SimpleQueue[str | None]:
    """As many places as stages run at a time, the GPUs dealt out to them in turn."""
    places: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    dealt = [devices[number % len(devices)] if len(devices) > 1 else None for number in range(jobs)]
    for place in dealt:
        places.put(place)
    if len(devices) > 1 and jobs > 1:
        print(f"{jobs} stages side by side, on the GPUs {', '.join(map(str, dealt))}", flush=True)
    return places


def _waited(folder: Path, processes: Processes) -> bool:
    """Wait while DVC processes that are not ours run a stage; whether there was any."""
    others = run_lock.foreign_processes(folder, processes.numbers())
    if others:
        print(f"waiting for the end of: {'; '.join(others)}", flush=True)
    while not processes.stopped and run_lock.foreign_processes(folder, processes.numbers()):
        time.sleep(_AGAIN)
    return bool(others) and not processes.stopped


class _Pool:
    """Stages side by side, and their lines on one terminal."""

    def __init__(self, total: int, folder: Path, places: queue.SimpleQueue[str | None]) -> None:
        self.processes = Processes()
        self.total, self.done, self.lock = total, 0, threading.Lock()
        self.folder, self.places = folder, places

    def reproduce(self, stage: str) -> int:
        """Run one stage as soon as there is a place and give DVC's exit code."""
        place = self.places.get()
        start = time.monotonic()
        try:
            code, busy = self._attempt(stage, place)
            while code and busy and _waited(self.folder, self.processes):
                code, busy = self._attempt(stage, place)
        finally:
            self.places.put(place)
        if not self.processes.stopped:
            self._ended(stage, code, time.monotonic() - start)
        return code

    def _attempt(self, stage: str, place: str | None) -> tuple[int, bool]:
        """DVC's exit code, and whether another DVC held what the stage needs."""
        if self.processes.stopped:
            return 1, False
        added = {} if place is None else {gpus.VISIBLE: place}
        process = self.processes.start([*_REPRO, stage], subprocess.PIPE, added)
        with ThreadPoolExecutor(1) as thread:
            # Beside the wait: a killed DVC leaves a stage that keeps the pipe open.
            busy = thread.submit(self._pass_on, stage, process)
            code = self.processes.wait(process)
        return code, busy.result()

    def _pass_on(self, stage: str, process: subprocess.Popen[str]) -> bool:
        """Print all that a stage says; whether DVC says that another one holds its files."""
        assert process.stdout is not None
        busy = False
        for line in process.stdout:
            self._say(stage, line)
            busy |= _BUSY in line
            if any(sign in line for sign in _KILLED):
                self._say(stage, "the system killed it, most likely as memory ran out: try JOBS=1")
        return busy

    def _say(self, stage: str, line: str) -> None:
        """Print a line under its stage's name, unless it is DVC's small talk."""
        text = line.strip()
        if text and not text.startswith(_NOISE):
            with self.lock:
                print(f"[{stage}] {text}", flush=True)

    def _ended(self, stage: str, code: int, seconds: float) -> None:
        """Say how a stage ended and how many have."""
        with self.lock:
            self.done += 1
            count = f"{self.done} of {self.total}"
        state = f"failed with exit code {code}" if code else "done"
        self._say(stage, f"{state} after {seconds:.0f} s ({count})")
