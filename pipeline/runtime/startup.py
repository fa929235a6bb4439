"""Set up a stage's process before it imports anything heavy."""

from __future__ import annotations

import gc
import os
import signal
import threading

from pipeline.runtime import signals


def prepare() -> None:
    """Let idle threads sleep, collect garbage seldom, lose no Ctrl-C in an import."""
    # Imports make objects by the million and hardly any garbage; at Python's own threshold of 700
    # the collector goes through them so often that it costs up to a fifth of a stage's start.
    gc.set_threshold(50_000, 20, 20)
    # Threads of torch that wait for work sleep. They would spin, and with another stage or anything
    # else on the cores a step of training then costs several times its CPU time.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    main = threading.current_thread() is threading.main_thread()  # no other may set handlers
    if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signals.interrupt)
