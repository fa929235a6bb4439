"""Handle interrupts: none is lost in an import, and a block may defer them to the end of a step."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_AGAIN = 0.1  # seconds
_IMPORT = "<frozen importlib._bootstrap>"  # file of the functions that every import goes through


def interrupt(number: int, frame: FrameType | None) -> None:
    """Handle a signal: raise KeyboardInterrupt, if imports are under way as soon as they end.

    A library that can do without another one often catches whatever is raised while it imports it,
    an interrupt too, and goes on.
    """
    if not _in_import(frame):
        raise KeyboardInterrupt
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(number))
    signal.setitimer(signal.ITIMER_REAL, _AGAIN)


def withdraw() -> bool:
    """Forget an interrupt that has waited for the end of an import; whether there was one."""
    return signal.setitimer(signal.ITIMER_REAL, 0)[0] > 0


def _in_import(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_filename != _IMPORT:
        frame = frame.f_back
    return frame is not None


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
            interrupt(number, frame)
        self.seen = True
        print("interrupted: ends after this step; again to end at once", file=sys.stderr)


@contextmanager
def defer_interrupts() -> Iterator[DeferredInterrupt]:
    """Defer interrupts within the block; one that was not checked for is raised at its end.

    Only signals that would raise KeyboardInterrupt are deferred, and only in the main thread: no
    other may set handlers.
    """
    deferred = DeferredInterrupt()
    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in _SIGNALS if main}
    raising = {
        number: handler
        for number, handler in before.items()
        if handler in (signal.default_int_handler, interrupt)
    }
    for number in raising:
        signal.signal(number, deferred.note)
    try:
        yield deferred
    finally:
        for number, handler in raising.items():
            signal.signal(number, handler)
    deferred.check()
