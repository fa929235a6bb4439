"""DVC processes: one alone on the terminal, or many side by side with their lines named."""

from __future__ import annotations

import contextlib
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

import psutil

_AGAIN = 0.1  # seconds
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
    """Run one DVC command with the terminal to itself and give its exit code.

    Raises:
        KeyboardInterrupt: on Ctrl-C or SIGTERM, after the running stage was told and has ended.
    """
    processes = _Processes()
    with processes.interruptible():
        return processes.start(arguments, None).wait()


def run(stages: Sequence[str], jobs: int) -> set[str]:
    """Run stages that need none of each other, `jobs` at a time.

    Returns:
        Names of the stages that failed.

    Raises:
        KeyboardInterrupt: on Ctrl-C or SIGTERM, after every stage was told and has ended.
    """
    if not stages:
        return set()
    processes = _Processes()
    console = _Console(len(stages))
    with processes.interruptible(), ThreadPoolExecutor(jobs) as threads:
        codes = list(threads.map(lambda stage: _reproduce(stage, processes, console), stages))
    return {stage for stage, code in zip(stages, codes, strict=True) if code}


def _reproduce(stage: str, processes: _Processes, console: _Console) -> int:
    if processes.stopped:
        return 1
    start = time.monotonic()
    arguments = ["--wait-for-lock", "repro", "--single-item", stage]
    process = processes.start(arguments, subprocess.PIPE)
    assert process.stdout is not None
    for line in process.stdout:
        console.say(stage, line)
    code = process.wait()
    console.ended(stage, code, time.monotonic() - start)
    return code


class _Console:
    """Lines of many stages on one terminal."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.lock = total, 0, threading.Lock()

    def say(self, stage: str, line: str) -> None:
        """Print a line under its stage's name, unless it is DVC's small talk."""
        text = line.strip()
        if text and not text.startswith(_NOISE):
            with self.lock:
                print(f"[{stage}] {text}", flush=True)

    def ended(self, stage: str, code: int, seconds: float) -> None:
        """Say how a stage ended and how many have."""
        with self.lock:
            self.done += 1
            count = f"{self.done} of {self.total}"
        state = f"failed with exit code {code}" if code else "done"
        self.say(stage, f"{state} after {seconds:.0f} s ({count})")


class _Processes:
    """DVC processes, each in a session of its own, so that the terminal interrupts only us."""

    def __init__(self) -> None:
        # This Python's folder first: DVC runs a stage with the `python` it finds.
        folder = os.path.dirname(sys.executable)  # noqa: PTH120  no link may be resolved
        path = os.pathsep.join([folder, os.environ["PATH"]])
        self.environment = {**os.environ, "PATH": path}
        self.started: list[subprocess.Popen[str]] = []
        self.stopped = False

    def start(self, arguments: Sequence[str], output: int | None) -> subprocess.Popen[str]:
        """Start one DVC command; its output goes to a pipe or (null) to the terminal."""
        process = subprocess.Popen(
            [sys.executable, "-m", "dvc", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.started.append(process)
        return process

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """While the block runs, SIGINT and SIGTERM are passed on as Ctrl-C.

        Raises:
            KeyboardInterrupt: at the end of the block, if there was a signal.
        """

        def stop(_signal: int, _frame: FrameType | None) -> None:
            if not self.stopped:
                self.stopped = True
                threading.Thread(target=self._stop_all).start()

        before = {which: signal.signal(which, stop) for which in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for which, handler in before.items():
                signal.signal(which, handler)
        if self.stopped:
            raise KeyboardInterrupt

    def _stop_all(self) -> None:
        with ThreadPoolExecutor(len(self.started) or 1) as threads:
            list(threads.map(_interrupt, self.started))


def _interrupt(process: subprocess.Popen[str]) -> None:
    """Interrupt the stage that DVC runs, wait for its end, then end DVC.

    DVC ignores Ctrl-C while a stage runs and would start the next one, so it is held meanwhile.
    Then it only waits and writes nothing, so it can be killed; between stages it ends by itself.
    """
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGSTOP)
    stages = _children(process.pid)
    for stage in stages:
        with contextlib.suppress(psutil.NoSuchProcess):
            stage.send_signal(signal.SIGINT)
    while any(map(_runs, stages)):
        time.sleep(_AGAIN)
    process.send_signal(signal.SIGKILL if stages else signal.SIGINT)
    process.send_signal(signal.SIGCONT)


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _runs(process: psutil.Process) -> bool:
    """Whether a process is neither gone nor a zombie that DVC, held, does not collect."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
