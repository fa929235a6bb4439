"""CPU and wall seconds of some work in this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

Clock = Literal["cpu", "wall"]
CLOCKS: tuple[Clock, ...] = ("cpu", "wall")


def of_threads(threads: int) -> Clock:
    """The clock that counts: CPU where one thread works, as other work on the machine counts less.

    Threads that wait cost no CPU, so that several are held to the wall's.
    """
    return "cpu" if threads == 1 else "wall"


def seconds(work: Callable[[], object]) -> dict[Clock, float]:
    """CPU seconds, of all threads of the process, and wall seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
