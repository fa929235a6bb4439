"""Runs of stages by DVC: starting them, reading what they print, waiting for a DVC of others."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from orchestration import run_lock
from orchestration.display import Display
from orchestration.dvc_processes import Processes

_REPRO = ("--wait-for-lock", "repro", "--single-item")
_POLL_SECONDS = 1.0
_BEGIN = re.compile(r"Running stage '(.+)':")
_UNCHANGED = re.compile(r"(?:Stage )?'(.+)' didn't change, skipping")
_RESTORED = re.compile(r"Stage '(.+)' is cached - skipping run, checking out outputs")
_FAILED = re.compile(r"ERROR: failed to reproduce '(.+?)'")
_ENDED = re.compile(r"ERROR: failed to reproduce '.+?': failed to run: .*, (exited with -?\d+)$")
_BUSY = "is busy, it is being blocked by:"
_KILLED = ("exited with -9", "exited with 137")
_OUT_OF_MEMORY = "the system killed it, most likely as memory ran out: try JOBS=1"
_DVC = "dvc"  # names the log of lines printed before any stage runs


class StageRuns:
    """Runs stages by DVC processes and passes their lines on to the display.

    Args:
        processes: starts the DVC processes.
        folder: .dvc/tmp, where every DVC notes what it runs.
        display: shows the stages' progress.
    """

    def __init__(self, processes: Processes, folder: Path, display: Display) -> None:
        self.processes, self.folder, self.display = processes, folder, display

    def reproduce(self, stages: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
        """Run stages in the given order by one DVC process, up to the first failure.

        Where another DVC holds what a stage needs, the stage runs again once that DVC has ended.

        Args:
            stages: names.
            environment: variables added to ours.

        Returns:
            DVC's exit code.
        """
        while not self.processes.stopped:
            code, output = self._attempt(stages, environment or {})
            if code and output.busy and self._wait_for_others():
                continue
            if (code or output.stage) and not self.processes.stopped:
                self.display.end(output.stage or output.before, failed=bool(code))
            return code
        return 1

    def _attempt(
        self, stages: Sequence[str], environment: Mapping[str, str]
    ) -> tuple[int, StageOutput]:
        """DVC's exit code and what it printed."""
        process = self.processes.start([*_REPRO, *stages], subprocess.PIPE, environment)
        assert process.stdout is not None
        output = StageOutput(self.display, stages[0] if len(stages) == 1 else _DVC)
        with ThreadPoolExecutor(1) as thread:
            # In a thread: a killed DVC leaves a stage that keeps the pipe open.
            reading = thread.submit(output.read, process.stdout)
            code = self.processes.wait(process)
        reading.result()
        return code, output

    def _wait_for_others(self) -> bool:
        """Wait while DVC processes that are not ours run a stage; whether there was any."""
        others = self._foreign_processes()
        if others:
            self.display.note(f"waiting for the end of: {'; '.join(others)}")
        while not self.processes.stopped and self._foreign_processes():
            time.sleep(_POLL_SECONDS)
        return bool(others) and not self.processes.stopped

    def _foreign_processes(self) -> list[str]:
        return run_lock.foreign_processes(self.folder, self.processes.numbers())


class StageOutput:
    """The lines of one DVC process, separated by the stage that printed them.

    Args:
        display: gets the lines under their stage's name.
        before: name for lines that come while no stage runs.

    Attributes:
        stage: the stage that runs or ran last and has not ended yet, "" for none.
        busy: whether another DVC holds files that a stage needs.
    """

    def __init__(self, display: Display, before: str) -> None:
        self.display, self.before = display, before
        self.stage, self.busy = "", False

    def read(self, lines: Iterable[str]) -> None:
        """Pass all lines on, until DVC and its stages have closed their end."""
        for line in lines:
            self._read_line(line.rstrip())

    def _read_line(self, text: str) -> None:
        if begin := _BEGIN.match(text):
            self._change(begin[1])
            self.display.begin(begin[1])
        elif same := _UNCHANGED.match(text) or _RESTORED.match(text):
            self._change("")
            self.display.skip(same[1], restored=_RESTORED.match(text) is not None)
        elif text:
            self._pass_on(text)

    def _change(self, stage: str) -> None:
        """Another stage's lines follow, so the one before has ended well."""
        if self.stage:
            self.display.end(self.stage, failed=False)
        self.stage = stage

    def _pass_on(self, text: str) -> None:
        self.busy |= _BUSY in text
        if (failed := _FAILED.match(text)) and failed[1] != self.stage:
            self._change(failed[1])  # before its command was started: what it reads is missing
            self.display.begin(failed[1])
        ended = _ENDED.match(text)  # the log has the command already
        self.display.line(self.stage or self.before, ended[1] if ended else text)
        if any(sign in text for sign in _KILLED):
            self.display.line(self.stage or self.before, _OUT_OF_MEMORY)
