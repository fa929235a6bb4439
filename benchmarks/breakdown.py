"""Split the time of training into groups of operators."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable

GROUPS = (
    ("optimizer and clipping", r"adam|optimizer|_foreach_|clip|vector_norm|zero_grad"),
    ("dropout", r"dropout|bernoulli|random_"),
    ("embeddings", r"embedding|index|gather|scatter"),
    ("softmax and attention kernel", r"softmax|scaled_dot_product|attention"),
    ("layer norm", r"norm"),
    ("GELU and tanh", r"gelu|tanh"),
    ("matrix products", r"::(add|ba|baddb)?(mm|bmm|mv|matmul|linear)\b|mkl|gemm"),
    (
        "copies and layout",
        r"copy|clone|contiguous|cat\b|stack|_to\b|fill|zero|empty|transpose|view",
    ),
    ("sums and elementwise", r"::(add|sub|mul|div|sum|mean|where|lerp|masked|neg|pow|sqrt)"),
)
REST = "other operators"
PYTHON = "outside of operators"


def group(name: str) -> str:
    """Group of an operator or autograd node."""
    return next(
        (title for title, pattern in GROUPS if re.search(pattern, name, re.IGNORECASE)), REST
    )


def by_group(work: Callable[[], None]) -> dict[str, float]:
    """Wall seconds of some work by group, summed over threads, from the largest down.

    An operator's time is its own, without that of operators that it calls. Only where everything
    runs in one thread do the groups add up to the time of the work; what is missing there is
    Python, and the profiler itself.
    """
    from torch._C._profiler import _ExperimentalConfig
    from torch.profiler import ProfilerActivity, profile

    every_thread = _ExperimentalConfig(profile_all_threads=True)
    with profile(activities=[ProfilerActivity.CPU], experimental_config=every_thread) as profiler:
        started = time.perf_counter()
        work()
        spent = time.perf_counter() - started
    seconds: dict[str, float] = defaultdict(float)
    for event in profiler.key_averages():
        seconds[group(event.key)] += event.self_cpu_time_total / 1e6
    seconds[PYTHON] = max(0.0, spent - sum(seconds.values()))
    return dict(sorted(seconds.items(), key=lambda pair: -pair[1]))
