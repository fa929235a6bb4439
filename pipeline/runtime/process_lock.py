"""A lock on a path that one process holds, and the number of the process that holds it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


class LockedError(Exception):
    """Another process holds the lock; the message is its number, or "unknown"."""


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold `<path>.lock` while the block runs; the system frees it when the process ends.

    Args:
        path: `<path>.pid` next to the lock names its holder.

    Raises:
        LockedError: another process holds it, or another block of this one.
    """
    from filelock import FileLock, Timeout

    lock, holder = (path.with_name(f"{path.name}.{kind}") for kind in ("lock", "pid"))
    file_lock = FileLock(lock)
    try:
        file_lock.acquire(blocking=False)
    except Timeout:
        raise LockedError(_holder(holder)) from None
    try:
        holder.write_text(f"{os.getpid()}\n", encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        file_lock.release()


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip() or "unknown"
    except OSError:  # it has the lock and has not yet written its number
        return "unknown"
