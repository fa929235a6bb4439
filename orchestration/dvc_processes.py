"""DVC processes: one interruption reaches them all, and none outlives the driver."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

import psutil

_POLL_SECONDS = 0.1
# Stages' lines come as they are printed and in order, without other libraries' bars.
_PIPE_ENVIRONMENT = {"PYTHONUNBUFFERED": "1", "TQDM_DISABLE": "1"}
_CHECKPOINT_SECONDS = 60.0  # in which an interrupted stage may write its checkpoint


def interruptions() -> list[signal.Signals]:
    """Signals that end a run; a hang-up only where the driver was not started by nohup."""
    signals = [signal.SIGINT, signal.SIGTERM]
    nohup = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    return signals if nohup else [*signals, signal.SIGHUP]


class Processes:
    """DVC processes, each in a session of its own, so that the terminal interrupts only us."""

    def __init__(self) -> None:
        # This Python's folder first: DVC runs a stage with the `python` it finds.
        folder = os.path.dirname(sys.executable)  # noqa: PTH120  no link may be resolved
        path = os.pathsep.join([folder, os.environ["PATH"]])
        self.environment = {**os.environ, "PATH": path, **_PIPE_ENVIRONMENT}
        self.started: list[subprocess.Popen[str]] = []
        self.stopped = False

    def numbers(self) -> set[int]:
        """Numbers of all processes that were started."""
        return {process.pid for process in self.started}

    def start(
        self,
        arguments: Sequence[str],
        output: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start one DVC command.

        Args:
            arguments: DVC's.
            output: a pipe, or None for the terminal.
            environment: variables added to ours.
        """
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestration.supervised_dvc", *arguments],
            env={**self.environment, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.started.append(process)
        if self.stopped:  # by a signal that came while it was being started
            _close_control_pipe(process)
        return process

    def wait(self, process: subprocess.Popen[str]) -> int:
        """Wait for a command's end and return its exit code; no stage of it is left then."""
        code = process.wait()
        _close_control_pipe(process)
        if code:
            _end_session(process.pid)
        return code

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Within the block pass an interruption on to every stage; the second one kills.

        Raises:
            KeyboardInterrupt: at the end of the block, if there was an interruption.
        """
        before = {which: signal.signal(which, self._stop) for which in interruptions()}
        try:
            yield
        finally:
            for which, handler in before.items():
                signal.signal(which, handler)
        if self.stopped:
            raise KeyboardInterrupt

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        again, self.stopped = self.stopped, True
        for process in [process for process in self.started if process.returncode is None]:
            if again:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            else:
                _close_control_pipe(process)


def _close_control_pipe(process: subprocess.Popen[str]) -> None:
    """Close the control pipe: orchestration/supervised_dvc.py then interrupts the stage."""
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()


def _end_session(session: int) -> None:
    """End the stage that a killed DVC left: it would go on writing during a later run."""
    for which in (signal.SIGINT, signal.SIGKILL):
        rest = _members(session)
        for process in rest:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(which)
        end = time.monotonic() + _CHECKPOINT_SECONDS
        while rest and any(map(_is_running, rest)) and time.monotonic() < end:
            time.sleep(_POLL_SECONDS)


def _members(session: int) -> list[psutil.Process]:
    """Processes of a session that still run."""
    members = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(process.pid) == session and _is_running(process):
                members.append(process)
    return members


def _is_running(process: psutil.Process) -> bool:
    """Whether a process is neither gone nor a zombie that nobody collects."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
