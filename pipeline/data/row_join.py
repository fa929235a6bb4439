"""Join rows of a file to prepared rows by id, and check that split, text and label are the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data import parquet_file
from pipeline.data.rows import Rows
from pipeline.errors import SoftLabelError
from pipeline.tasks import Task

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Origin:
    """The file that rows were read from, for errors.

    Attributes:
        what: a phrase for the rows, in the plural.
        where: the file.
        fix: the command that makes the file again.
    """

    what: str
    where: Path | None = None
    fix: str | None = None

    def refuse(self, fault: str, seen: object = None) -> NoReturn:
        """Raise the error that names this file and its command."""
        raise SoftLabelError(
            f"{self.what}: {fault}", seen=seen, where=self.where, fix=self.fix
        ) from None


def check_task(task: Task, expected: Task, origin: Origin) -> None:
    """Refuse rows of another task, or of another order of the labels.

    Raises:
        SoftLabelError: names the other task or labels.
    """
    if task.name != expected.name:
        origin.refuse(f"they are of another task than {expected.name}", task.name)
    if task.labels != expected.labels:
        origin.refuse(f"label order is not {list(expected.labels)}", list(task.labels))


def align(rows: pa.Table, expected: pa.Table, origin: Origin) -> Indices:
    """Positions in `rows` of the rows of `expected`; both hold exactly the same rows.

    Args:
        rows: rows of a file, with the columns `row_id`, `split`, `text_hash` and `label`.
        expected: the prepared rows, with the same columns.
        origin: where `rows` come from.

    Returns:
        Positions `(rows of expected,)`.

    Raises:
        SoftLabelError: a duplicate, unknown or missing row, or one with another split, text or
            label; the first one is named, and how many others there are.
    """
    ids, wanted = rows["row_id"], expected["row_id"]
    check_unique(ids, origin)
    if ids.equals(wanted):  # as files are written; saves an index and a copy
        positions, taken = np.arange(len(ids)), rows
    else:
        unknown = ~_array(pc.is_in(ids, value_set=_one_array(wanted)))
        _refuse_any(unknown, ids, "no such prepared row", origin)
        positions = locate(wanted, ids, origin)
        taken = rows.take(pa.array(positions))
    for name in ("split", "text_hash", "label"):
        _check_same(name, taken, expected, origin)
    return positions


def locate(wanted: pa.ChunkedArray, ids: pa.ChunkedArray, origin: Origin) -> Indices:
    """Position in `ids` of each of `wanted`.

    Raises:
        SoftLabelError: one of `wanted` is not there.
    """
    positions = pc.index_in(wanted, value_set=_one_array(ids))
    _refuse_any(_array(positions.is_null()), wanted, "a row is missing", origin)
    return np.asarray(positions.to_numpy(), dtype=np.int64)


def in_step(rows: Iterable[pa.Table], expected: Iterable[pa.Table]) -> bool:
    """Whether two streams of rows are the same in the same order, compared a batch at a time.

    Args:
        rows: tables of rows.
        expected: tables of any other lengths; all columns of each are compared.
    """
    grouped = (parquet_file.in_groups(tables, parquet_file.BATCH) for tables in (rows, expected))
    return all(
        one is not None
        and other is not None
        and all(one[name].equals(other[name]) for name in other.schema.names)
        for one, other in zip_longest(*grouped)
    )


def plainly_unique(splits: Mapping[str, Rows]) -> bool:
    """Whether ids are unique by a check that compares each only to the one before it.

    It is true where all ids begin with the names of task and split, as in `rows.row_id`, and
    rise within the split: each is longer than the one before it, or as long and greater.

    Args:
        splits: rows by the name of their split; ids that do not pass may still be unique.
    """
    return all(_ids_rise(split, f"{split.task.name}/{name}/") for name, split in splits.items())


def check_unique(ids: pa.ChunkedArray, origin: Origin) -> None:
    """Refuse ids of which one occurs twice.

    Raises:
        SoftLabelError: names the first id that occurs again.
    """
    if pc.count_distinct(ids).as_py() == len(ids):
        return
    first = np.unique(ids.to_numpy(zero_copy_only=False).astype(str), return_index=True)[1]
    again = np.ones(len(ids), dtype=bool)
    again[first] = False
    _refuse_any(again, ids, "a row occurs twice", origin)


def _ids_rise(split: Rows, prefix: str) -> bool:
    last = pa.array([], pa.string())
    for part in split.batches("row_id"):
        ids = pa.concat_arrays([last, *part["row_id"].chunks])
        here, before = ids.slice(1), ids.slice(0, max(0, len(ids) - 1))
        size, earlier = pc.binary_length(here), pc.binary_length(before)
        as_long = pc.and_(pc.equal(size, earlier), pc.greater(here, before))
        rises = pc.or_(pc.greater(size, earlier), as_long)
        if not (_all(rises) and _all(pc.starts_with(ids, prefix))):
            return False
        last = ids.slice(max(0, len(ids) - 1))
    return True


def _all(flags: Any) -> bool:
    return bool(pc.all(flags, skip_nulls=False, min_count=0).as_py())


def _check_same(name: str, taken: pa.Table, expected: pa.Table, origin: Origin) -> None:
    here, there = _one_array(taken[name]), _one_array(expected[name])
    both_null = pc.and_(here.is_null(), there.is_null())
    equal = pc.or_kleene(both_null, pc.fill_null(pc.equal(here, there), False))
    differs = ~_array(equal)
    if differs.any():
        at = int(np.argmax(differs))
        has, should = here[at].as_py(), there[at].as_py()
        fault = f"a row has another {name} than the prepared row ({has!r}, not {should!r})"
        _refuse_any(differs, expected["row_id"], fault, origin)


def _refuse_any(
    bad: npt.NDArray[np.bool_], ids: pa.ChunkedArray, fault: str, origin: Origin
) -> None:
    """Refuse if any is bad, naming the first one and counting the others."""
    if not bad.any():
        return
    others = int(bad.sum()) - 1
    first = ids[int(np.argmax(bad))].as_py()
    origin.refuse(fault, f"{first} (and {others:,} more)" if others else first)


def _one_array(column: Any) -> Any:
    """One array of a column; Arrow takes no chunked value sets."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _array(flags: Any) -> npt.NDArray[np.bool_]:
    return np.asarray(flags.to_numpy(zero_copy_only=False), dtype=bool)
