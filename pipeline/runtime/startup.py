"""Set up a stage's process before it imports anything heavy."""

from __future__ import annotations

import gc
import os
import signal
import threading

from pipeline.runtime import signals

_KERNELS = "32"  # of one pass: oneDNN makes one for each shape of a product


def prepare() -> None:
    """Let idle threads sleep, collect garbage seldom, keep few kernels, lose no Ctrl-C."""
    # Imports make objects by the million and hardly any garbage; at Python's own threshold of 700
    # the collector goes through them so often that it costs up to a fifth of a stage's start.
    gc.set_threshold(50_000, 20, 20)
    # Threads of torch that wait for work sleep. They would spin, and with another stage or anything
    # else on the cores a step of training then costs several times its CPU time.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # torch and oneDNN each keep the kernels of the last 1,024 shapes, and batches have more shapes
    # than that: after 400 of them a process had 1.3 GB more, and was no faster.
    for name in ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"):
        os.environ.setdefault(name, _KERNELS)
    main = threading.current_thread() is threading.main_thread()  # no other may set handlers
    if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signals.interrupt)
