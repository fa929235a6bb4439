"""Set up a stage's process before it imports anything heavy."""

from __future__ import annotations

import gc
import os


def prepare() -> None:
    """Set the garbage collector's threshold and let idle threads sleep."""
    # Imports make objects by the million and hardly any garbage; at Python's own threshold of 700
    # the collector goes through them so often that it costs up to a fifth of a stage's start.
    gc.set_threshold(50_000, 20, 20)
    # Threads of torch that wait for work sleep. They would spin, and with another stage or anything
    # else on the cores a step of training then costs several times its CPU time.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
