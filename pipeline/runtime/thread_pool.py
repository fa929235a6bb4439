"""A thread pool whose results do not depend on the number of threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class ThreadPool:
    """A pool of threads; with one thread everything runs in the caller's.

    torch splits one operation among its threads, and how many there are decides the last bit of a
    sum. Here each operation has one thread, and each thread takes whole parts of a batch:
    the same parts give the same bytes on any number of threads. It is also faster, for an
    operation on a short batch is too small to split.

    Args:
        threads: most parts that are worked on at once.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads, "worker") if threads > 1 else None

    def map(self, work: Callable[[T], R], parts: Sequence[T]) -> list[R]:
        """Results of `work` for every part, in the order of the parts.

        The first exception, in that order, is raised once no part runs any more; parts that have
        not begun by then are left out.
        """
        if self._pool is None or len(parts) < 2:
            return [work(part) for part in parts]
        futures = [self._pool.submit(work, part) for part in parts]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:  # the user's interrupt comes here too
            for future in futures:
                future.cancel()
            wait(futures)
        # Parts begin in order, so parts that were left out come after an exception.
        return [future.result() for future in futures]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()
