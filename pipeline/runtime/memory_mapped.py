"""Arrays that grow by batches: small ones stay in memory, large ones in a mapped file."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator
from typing import IO

import numpy as np
import numpy.typing as npt

from pipeline import paths

MEMORY_BYTES = 1 << 20
"""Bytes of one array that stay in memory. More go to a file, this many at a time: far less than a
model takes, and enough that small tasks need no file and large ones no small writes."""


class MappedBuffer:
    """An array `(rows, *shape)` to which rows are appended.

    Its file has no name, so that no killed process leaves it behind. It is
    in `paths.scratch()`, which must not be a file system in memory.

    Args:
        dtype: type of the numbers.
        shape: shape of one row; nothing for single numbers.
    """

    def __init__(self, dtype: npt.DTypeLike, *shape: int) -> None:
        self._dtype, self._shape = np.dtype(dtype), shape
        self._pending: list[np.ndarray] = []
        self._bytes = self._rows = 0
        self._file: IO[bytes] | None = None

    def append(self, values: npt.ArrayLike) -> None:
        """Append rows `(any, *shape)`; an array of the same type must not be changed later."""
        rows = np.ascontiguousarray(values, self._dtype).reshape(-1, *self._shape)
        self._pending.append(rows)
        self._rows += len(rows)
        self._bytes += rows.nbytes
        if self._bytes >= MEMORY_BYTES:
            self._spill()

    def array(self) -> np.ndarray:
        """All rows, `(rows, *shape)`, read-only if they are in a file; append no more."""
        if self._file is None:
            return np.concatenate([np.empty((0, *self._shape), self._dtype), *self._pending])
        self._spill()
        with self._file as file:
            shape = (self._rows, *self._shape)
            # A plain view: indexing an np.memmap takes three times as long.
            return np.memmap(file, self._dtype, "r", shape=shape).view(np.ndarray)

    def _spill(self) -> None:
        if self._file is None:
            folder = paths.scratch()
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  array() closes it
        for rows in self._pending:
            self._file.write(rows.data)
        self._file.flush()
        self._pending, self._bytes = [], 0


def chunks(array: np.ndarray) -> Iterator[np.ndarray]:
    """Pieces of an array of about `MEMORY_BYTES` bytes each, in order.

    Of a mapped array one piece at most is in memory: pages that were read are released.
    """
    rows = max(1, MEMORY_BYTES * len(array) // max(1, array.nbytes))
    for start in range(0, len(array), rows):
        yield array[start : start + rows]
        _release(array)


def _release(array: np.ndarray) -> None:
    """Release the pages of a mapped array; they are read again when they are used again."""
    base: object = array.base
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
