"""Show a run: one line per stage, live on a terminal; the stages' own lines go to log files."""

from __future__ import annotations

import contextlib
import re
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING

from pipeline import paths
from pipeline.runtime import progress

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

WIDTH = 80  # of a line where there is no terminal
_TAIL = 12  # lines of a failed stage that are shown
# A line of runtime/progress.py that is not the last of its kind, without its title.
_PROGRESS = re.compile(r"^.*?: ([\d,]+ of [\d,]+ .* a second, .* left\b.*)$")
_COMMAND = "> "  # DVC's first line about a stage
_NOTES = ("partial: ", "missing: ", "warning: ")  # about the data: always shown


@dataclass
class _Stage:
    """A stage that runs: its start, log and last lines, and its row on the terminal."""

    start: float
    log: IO[str] | None
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL))
    row: TaskID | None = None


class Display:
    """Shows the progress of a run's stages. Several threads may use it.

    With `mtdnnkd --quiet` it shows the stages that fail, notes and what stages say about the data.

    Args:
        total: number of stages that may run.
        width: characters of the longest stage's name.
        live: whether standard output is a terminal, where running stages have a row each.

    Attributes:
        ended: number of stages that have ended, failed and skipped ones included.
        done: number of those whose command has run well.
    """

    def __init__(self, total: int, width: int = 0, live: bool | None = None) -> None:
        self.total, self.width, self.ended, self.done = total, width, 0, 0
        self.start = time.monotonic()
        self.running: dict[str, _Stage] = {}
        self.lock = threading.Lock()
        self.quiet = progress.quiet()
        live = sys.stdout.isatty() if live is None else live
        self.rows = _rows() if live and not self.quiet else None

    def __enter__(self) -> Display:
        if self.rows:
            self.rows.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.rows:
            self.rows.stop()
        for stage in self.running.values():
            if stage.log:
                stage.log.close()

    def begin(self, name: str) -> None:
        """Show that a stage's command starts, and start its log again."""
        with self.lock:
            self._running(name)

    def line(self, name: str, text: str) -> None:
        """Show and log a line that a stage, or DVC about it, has printed."""
        with self.lock:
            stage = self._running(name)
            if not text.startswith(_COMMAND):
                stage.tail.append(text)
            _write(stage.log, text)
            advance = _PROGRESS.match(text)
            if self.rows and stage.row is not None:
                self.rows.update(stage.row, note=advance[1] if advance else text)
            elif advance:
                self._show(f"{name:<{self.width}}  {advance[1]}")
            if text.startswith(_NOTES):
                print(text, flush=True)

    def end(self, name: str, *, failed: bool) -> None:
        """Show that a stage has ended; if it failed, its last lines and the path of its log."""
        with self.lock:
            stage = self._running(name)
            self.ended += 1
            self.done += not failed
            span = timedelta(seconds=round(time.monotonic() - stage.start))
            state = "failed after" if failed else "done in"
            count = f"({self.ended} of {self.total})"
            self._show(f"{name:<{self.width}}  {state} {span}  {count}", always=failed)
            if failed:
                print(*(f"  | {text}" for text in stage.tail), sep="\n")
                print(f"  all its lines: {_log(name)}", flush=True)
            self._remove(name)

    def skip(self, name: str, *, restored: bool) -> None:
        """Show that a stage need not run: it is up to date, or DVC's cache has its outputs."""
        with self.lock:
            self.ended += 1
            if restored:
                count = f"({self.ended} of {self.total})"
                self._show(f"{name:<{self.width}}  restored from DVC's cache  {count}")

    def note(self, text: str) -> None:
        """Show a message about the run itself."""
        with self.lock:
            print(text, flush=True)

    def span(self) -> timedelta:
        """Time since the start, in whole seconds."""
        return timedelta(seconds=round(time.monotonic() - self.start))

    def _running(self, name: str) -> _Stage:
        if name not in self.running:
            self.running[name] = _Stage(time.monotonic(), _opened(_log(name)))
            if self.rows:
                self.running[name].row = self.rows.add_task(f"{name:<{self.width}}", note="")
        return self.running[name]

    def _remove(self, name: str) -> None:
        stage = self.running.pop(name)
        if stage.log:
            stage.log.close()
        if self.rows and stage.row is not None:
            self.rows.remove_task(stage.row)

    def _show(self, text: str, *, always: bool = False) -> None:
        """Print a line, unless it is quiet; one that is too long for the terminal is cut."""
        if self.quiet and not always:
            return
        width = self.rows.console.width if self.rows else WIDTH
        print(text if len(text) <= width else f"{text[: width - 1]}…", flush=True)


def _rows() -> Progress:
    """Rows of the running stages: name, time since its start, its last line."""
    from rich.progress import Progress, TextColumn, TimeElapsedColumn
    from rich.table import Column

    rest = Column(no_wrap=True, overflow="ellipsis", ratio=1)
    return Progress(
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False, table_column=rest),
        transient=True,
        expand=True,
    )


def _log(name: str) -> Path:
    return paths.LOGS / f"{name}.txt"


def _opened(path: Path) -> IO[str] | None:
    """Write to a log; a run goes on where its log cannot be written."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("w", encoding="utf-8", buffering=1)
    return None


def _write(log: IO[str] | None, text: str) -> None:
    if log:
        with contextlib.suppress(OSError):
            print(text, file=log)
