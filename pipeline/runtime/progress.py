"""Show progress of long work: a bar with rate and time left, or plain lines without a terminal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

SECONDS = "MTDNNKD_PROGRESS_SECONDS"  # environment variable: seconds between plain lines
_LINE_SECONDS = 30.0  # unless the variable names others


class Bar(Protocol):
    """Receives the progress of one piece of long work."""

    def advance(self, amount: float, note: str = "") -> None:
        """Count `amount` units as done; `note` (a loss, say) is shown next to the rate."""


QUIET = "MTDNNKD_QUIET"  # environment variable: 1 shows no progress


def silence() -> None:
    """Show no progress in this process and in those that it starts."""
    os.environ[QUIET] = "1"


def quiet() -> bool:
    """Whether progress is not shown: `mtdnnkd --quiet`, or MTDNNKD_QUIET=1 in the environment."""
    return os.environ.get(QUIET, "0") not in ("", "0")


def message(line: str) -> None:
    """Print a line about the work under way on standard error, unless it is quiet."""
    if not quiet():
        print(line, file=sys.stderr, flush=True)


@contextmanager
def bar(title: str, total: float, unit: str, done: float = 0.0) -> Iterator[Bar]:
    """Show progress on standard error while the block runs.

    Args:
        title: name of the work.
        total: number of units in all.
        unit: name of a unit, in the plural: rows, bytes.
        done: units that were done earlier; the rate leaves them out.
    """
    if quiet():
        yield _Silent()
    elif sys.stderr.isatty():
        with _rich_bar(title, total, unit, done) as shown:
            yield shown
    else:
        lines = _Lines(title, total, unit, done)
        yield lines
        lines.close()


class _Silent:
    """Shows nothing."""

    def advance(self, amount: float, note: str = "") -> None:
        """Count nothing."""


class _Lines:
    """Plain lines: one every half minute, or at the interval set, and one at the end."""

    def __init__(self, title: str, total: float, unit: str, done: float) -> None:
        self.title, self.total, self.unit = title, total, unit
        self.earlier = self.done = done
        self.note = ""
        self.start = self.last = time.monotonic()
        self.seconds = float(os.environ.get(SECONDS) or _LINE_SECONDS)

    def advance(self, amount: float, note: str = "") -> None:
        self.done += amount
        self.note = note or self.note
        if time.monotonic() - self.last >= self.seconds:
            self._print()

    def close(self) -> None:
        self._print()

    def _print(self) -> None:
        self.last = time.monotonic()
        spent = max(self.last - self.start, 1e-9)
        rate = (self.done - self.earlier) / spent
        left = (self.total - self.done) / rate if rate else float("inf")
        note = f", {self.note}" if self.note else ""
        end = f"{left:.0f} s left" if self.done < self.total else f"{spent:.1f} s"
        print(
            f"{self.title}: {self.done:,.0f} of {self.total:,.0f} {self.unit}, "
            f"{rate:,.0f} a second, {end}{note}",
            file=sys.stderr,
            flush=True,
        )


@contextmanager
def _rich_bar(title: str, total: float, unit: str, before: float) -> Iterator[Bar]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} " + unit),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task(title, total=total, completed=int(before), rate="", note="")
        start, done = time.monotonic(), 0.0

        class Shown:
            def advance(self, amount: float, note: str = "") -> None:
                nonlocal done
                done += amount
                rate = f"{done / max(time.monotonic() - start, 1e-9):,.0f}/s"
                shown.update(task, advance=amount, rate=rate, note=note)

        yield Shown()
