"""Defer interrupts to the end of a step: the first is noted, a second one ends the work at once."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class DeferredInterrupt:
    """Remembers an interrupt until it is checked for.

    Attributes:
        seen: whether there was an interrupt.
    """

    def __init__(self) -> None:
        self.seen = False

    def check(self) -> None:
        """Raise KeyboardInterrupt if there was an interrupt."""
        if self.seen:
            raise KeyboardInterrupt

    def note(self, number: int, frame: Any) -> None:
        """Handle a signal: note the first, raise KeyboardInterrupt on the second."""
        if self.seen:
            signal.default_int_handler(number, frame)
        self.seen = True
        print("interrupted: ends after this step; again to end at once", file=sys.stderr)


@contextmanager
def defer_interrupts() -> Iterator[DeferredInterrupt]:
    """Defer interrupts within the block; one that was not checked for is raised at its end.

    Only signals that would raise KeyboardInterrupt are deferred, and only in the main thread: no
    other may set handlers.
    """
    interrupt = DeferredInterrupt()
    main = threading.current_thread() is threading.main_thread()
    deferred = [
        number for number in _SIGNALS if signal.getsignal(number) is signal.default_int_handler
    ]
    for number in deferred if main else []:
        signal.signal(number, interrupt.note)
    try:
        yield interrupt
    finally:
        for number in deferred if main else []:
            signal.signal(number, signal.default_int_handler)
    interrupt.check()
