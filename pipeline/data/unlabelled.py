"""Further rows of a task without labels: what a source has of them, and which of them count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline import paths
from pipeline.data import row_caps, rows
from pipeline.data.formats import readers
from pipeline.data.formats.layouts import Layout
from pipeline.data.rows import Rows
from pipeline.errors import DataError
from pipeline.params.data import Transfer
from pipeline.tasks import Task, part_of

_NAMED = 5  # lines or rows that a message names
_HEADER_LINES = 1


@dataclass(frozen=True)
class Source:
    """What transfer rows of a task are taken from, and may not repeat.

    Attributes:
        task: the task.
        layout: columns of its files.
        whole: each split that the source has before any cap: sentence1, sentence2, label.
        train: the train rows that the cap keeps.
        seed: `data.cap_seed`.
    """

    task: Task
    layout: Layout
    whole: Mapping[str, pa.Table]
    train: Rows
    seed: int


@dataclass(frozen=True)
class _Pool:
    """Rows to take from, in their file's order.

    Attributes:
        table: prepared columns, labels null.
        order: positions `(rows,)` in the order in which they are taken.
    """

    table: pa.Table
    order: row_caps.Ints


def collect(asked: Transfer, source: Source) -> tuple[Rows, str]:
    """Choose the transfer rows of one task.

    No row has the texts of a train row or of another transfer row, and none those of a dev or
    diagnostic row, nor of a test row unless the test rows themselves are asked for. Held-out rows
    count before any cap, so another cap does not let them in. The first `rows` in the seeded
    order of the row caps are taken, so fewer rows are a part of more rows.

    Args:
        asked: the task's entry under `transfer`.
        source: the task's rows.

    Returns:
        Split `transfer`, labels null. Its metadata has `transfer`: source, file, and how many
        rows were `duplicates` or `held_out`, counted over all rows of the source. And which the
        first of the held-out rows are, in words; "" if there are none.

    Raises:
        DataError: the source has no such rows, none of them is left, or a file is faulty or
            repeats held-out texts.
    """
    pool = _POOLS[asked.source](asked, source)
    hashes = pool.table["text_hash"].to_pylist()
    held_out = _held_out(asked, source)
    if asked.source == "file":
        _refuse_held_out(asked, hashes, held_out)
    seen = set(source.train.table["text_hash"].to_pylist())
    taken, counts = _choose(pool, hashes, held_out, seen)
    if not taken:
        raise _nothing_left(asked, source.task, len(hashes), counts)
    kept = pool.table.take(pa.array(sorted(taken[: asked.rows])))
    ids = pool.table["row_id"].to_pylist()
    repeats = [f"{ids[at]} is {held_out[text]}" for at, text in _repeats(hashes, held_out)]
    return Rows(kept, _metadata(asked, source, len(hashes), counts)), _named(repeats)


def _repeats(hashes: list[str], held_out: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Position and text hash of the rows that are held-out rows too."""
    return ((at, text) for at, text in enumerate(hashes) if text in held_out)


def _named(repeats: list[str]) -> str:
    """The first few, and how many more there are."""
    more = f", and {len(repeats) - _NAMED:,} more" if len(repeats) > _NAMED else ""
    return ", ".join(repeats[:_NAMED]) + more


def _choose(
    pool: _Pool, hashes: list[str], held_out: Mapping[str, str], seen: set[str]
) -> tuple[list[int], dict[str, int]]:
    """Positions of the rows that count, in the pool's order, and how many do not."""
    taken: list[int] = []
    counts = {"duplicates": 0, "held_out": 0}
    for position in pool.order.tolist():
        text = hashes[position]
        if text in held_out:
            counts["held_out"] += 1
        elif text in seen:
            counts["duplicates"] += 1
        else:
            seen.add(text)
            taken.append(position)
    return taken, counts


def _metadata(
    asked: Transfer, source: Source, count: int, counts: Mapping[str, int]
) -> dict[str, Any]:
    return {
        **source.train.metadata,
        "split": rows.TRANSFER,
        "source_rows": count,
        "official_rows": None,
        "partial": False,
        "cap": asked.rows,
        "transfer": {"source": asked.source, "file": asked.file, **counts},
    }


def _rest(asked: Transfer, source: Source) -> _Pool:
    """Train rows that the cap leaves out, in the order in which a larger cap would take them."""
    name, whole = source.task.name, source.whole["train"]
    kept = len(source.train)
    if kept == len(whole):
        raise DataError(
            f"no train row of {name} is left over: the row cap keeps them all",
            seen=f"tasks.{name}.rows.train: {source.train.metadata['cap']}, {kept:,} train rows",
            where=f"transfer.{name} in params.yaml",
            fix=f"lower the row cap, take another source, or take out transfer.{name}",
        )
    classes = row_caps.classes(source.task, "train", whole)
    order = row_caps.order(len(whole), seed=source.seed, task=name, split="train", classes=classes)
    left = np.sort(order[kept:])
    table = _table(source.task, "rest", whole.take(pa.array(left)), left.tolist())
    return _Pool(table, np.searchsorted(left, order[kept:]))


def _test(asked: Transfer, source: Source) -> _Pool:
    """The test rows of all test splits; several splits take turns in proportion."""
    name = source.task.name
    parts = {split: table for split, table in source.whole.items() if part_of(split) == "test"}
    if not parts:
        raise DataError(
            f"the source has no test split of {name}",
            seen=f"splits {', '.join(source.whole)}",
            where=f"transfer.{name} in params.yaml",
            fix=f"take source rest or file, or take out transfer.{name}",
        )
    table = pa.concat_tables(
        [_table(source.task, split, part, list(range(len(part)))) for split, part in parts.items()]
    )
    turns = np.repeat(np.arange(len(parts)), [len(part) for part in parts.values()])
    order = row_caps.order(len(table), seed=source.seed, task=name, split="test", classes=turns)
    return _Pool(table, order)


def _file(asked: Transfer, source: Source) -> _Pool:
    """The rows of a file in data/texts."""
    assert asked.file is not None, "the section's validator has checked it"
    task, path = source.task, paths.TEXTS / asked.file
    if not path.is_file():
        here = sorted(file.name for file in paths.TEXTS.glob("*.tsv"))
        raise DataError(
            "no such file of texts",
            seen=f"files there: {', '.join(here) or 'none'}",
            where=path,
            fix=f"put it there, or change transfer.{task.name} in params.yaml",
        )
    columns = ("sentence1", "sentence2")[: 1 + task.pair] if task.glue else source.layout.texts
    found = readers.texts(path, task, columns)
    for name, header in zip(("sentence1", "sentence2"), columns, strict=False):
        _refuse_blank(found[name].to_pylist(), f"{path}, line {{}}, column {header!r}")
    order = row_caps.order(len(found), seed=source.seed, task=task.name, split="file")
    return _Pool(_table(task, "file", found, list(range(len(found)))), order)


_POOLS = {"rest": _rest, "test": _test, "file": _file}


def _table(task: Task, origin: str, found: pa.Table, index: list[int]) -> pa.Table:
    """Prepared columns; ids like `qqp/transfer/rest/17` say where a row comes from."""
    unknown = pa.chunked_array([pa.nulls(len(found), rows.schema(task).field("label").type)])
    bare = found.set_column(found.schema.get_field_index("label"), "label", unknown)
    ids = [rows.row_id(task.name, f"{rows.TRANSFER}/{origin}", position) for position in index]
    return rows.typed(task, bare, index, ids)


def _held_out(asked: Transfer, source: Source) -> dict[str, str]:
    """Ids of the rows that results are measured on, by the hash of their texts."""
    parts = {"dev", "ax"} if asked.source == "test" else {"dev", "ax", "test"}
    found: dict[str, str] = {}
    for split, table in source.whole.items():
        if part_of(split) in parts:
            texts = zip(table["sentence1"].to_pylist(), table["sentence2"].to_pylist(), strict=True)
            for index, pair in enumerate(texts):
                found.setdefault(rows.text_hash(*pair), rows.row_id(source.task.name, split, index))
    return found


def _refuse_held_out(asked: Transfer, hashes: list[str], held_out: Mapping[str, str]) -> None:
    """A file of one's own must not hold what results are measured on."""
    bad = [
        f"line {position + 1 + _HEADER_LINES} is {held_out[text]}"
        for position, text in _repeats(hashes, held_out)
    ]
    if bad:
        raise DataError(
            f"{len(bad):,} of {len(hashes):,} rows are also held-out rows of the task",
            seen=_named(bad),
            where=paths.TEXTS / str(asked.file),
            fix="take these lines out of the file; results would be measured on them",
        )


def _refuse_blank(texts: list[str], where: str) -> None:
    for position, text in enumerate(texts):
        if not text.strip():
            line = position + 1 + _HEADER_LINES
            raise DataError("a text is empty", where=where.format(line), fix="take the line out")


def _nothing_left(asked: Transfer, task: Task, count: int, counts: Mapping[str, int]) -> DataError:
    return DataError(
        f"no transfer row of {task.name} is left",
        seen=f"{count:,} rows: {counts['duplicates']:,} repeat train rows or each other, "
        f"{counts['held_out']:,} are held-out rows",
        where=f"transfer.{task.name} in params.yaml",
        fix=f"take another source, or take out transfer.{task.name}",
    )
