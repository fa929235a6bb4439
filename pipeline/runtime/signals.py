"""Interrupts that wait for a good moment: the first is noted, the second ends the work at once."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class DeferredInterrupt:
    """Whether there was one.

    Attributes:
        seen: there was.
    """

    def __init__(self) -> None:
        self.seen = False

    def check(self) -> None:
        """Raise KeyboardInterrupt if there was."""
        if self.seen:
            raise KeyboardInterrupt

    def note(self, number: int, frame: Any) -> None:
        """Handle a signal."""
        if self.seen:
            signal.default_int_handler(number, frame)
        self.seen = True
        print("interrupted: ends after this step; again to end at once", file=sys.stderr)


@contextmanager
def defer_interrupts() -> Iterator[DeferredInterrupt]:
    """Note interrupts within the block; one that nobody has checked for is raised at its end.

    Only signals that would raise KeyboardInterrupt are taken over, and only in the main thread,
    the one that may.
    """
    interrupt = DeferredInterrupt()
    main = threading.current_thread() is threading.main_thread()
    ours = [one for one in _SIGNALS if signal.getsignal(one) is signal.default_int_handler]
    for one in ours if main else []:
        signal.signal(one, interrupt.note)
    try:
        yield interrupt
    finally:
        for one in ours if main else []:
            signal.signal(one, signal.default_int_handler)
    interrupt.check()
