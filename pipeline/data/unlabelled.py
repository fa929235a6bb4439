"""Choose the transfer rows of a task: rows without labels that repeat no train or held-out row."""

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
    """Rows of a task from which transfer rows are taken, or that they may not repeat.

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
    """Rows to choose from, in their file's order.

    Attributes:
        table: prepared columns, labels null.
        order: positions `(rows,)` in the order in which they are taken.
    """

    table: pa.Table
    order: row_caps.Ints


def collect(request: Transfer, source: Source) -> tuple[Rows, str]:
    """Choose the transfer rows of one task.

    No chosen row has the texts of a train row, of another transfer row, or of a dev or diagnostic
    row; nor those of a test row unless the test rows themselves are asked for. Held-out rows are
    those before any cap, so another cap does not let them in. The first `rows` in the seeded
    order of the row caps are taken, so fewer rows are a part of more rows.

    Args:
        request: the task's entry under `transfer`.
        source: the task's rows.

    Returns:
        Split `transfer`, labels null. Its metadata has `transfer`: source, file, and how many
        rows were `duplicates` or `held_out`, counted over all rows of the source. Second, the
        sentence on the first few held-out rows; "" if there are none.

    Raises:
        DataError: the source has no such rows, all of them are duplicates or held-out rows, or a
            file is faulty or repeats held-out texts.
    """
    pool = _POOLS[request.source](request, source)
    hashes = pool.table["text_hash"].to_pylist()
    held_out = _held_out(request, source)
    if request.source == "file":
        _refuse_held_out(request, hashes, held_out)
    seen = set(source.train.table["text_hash"].to_pylist())
    taken, counts = _choose(pool, hashes, held_out, seen)
    if not taken:
        raise _nothing_left(request, source.task, len(hashes), counts)
    kept = pool.table.take(pa.array(sorted(taken[: request.rows])))
    ids = pool.table["row_id"].to_pylist()
    repeats = [f"{ids[at]} is {held_out[text]}" for at, text in _repeats(hashes, held_out)]
    return Rows(kept, _metadata(request, source, len(hashes), counts)), _named(repeats)


def _repeats(hashes: list[str], held_out: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Positions and text hashes of the rows that are held-out rows too."""
    return ((at, text) for at, text in enumerate(hashes) if text in held_out)


def _named(repeats: list[str]) -> str:
    """A sentence on the first few repeats, with the number of the others."""
    more = f", and {len(repeats) - _NAMED:,} more" if len(repeats) > _NAMED else ""
    return ", ".join(repeats[:_NAMED]) + more


def _choose(
    pool: _Pool, hashes: list[str], held_out: Mapping[str, str], seen: set[str]
) -> tuple[list[int], dict[str, int]]:
    """Positions of the chosen rows, in the pool's order, and the numbers of refused ones."""
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
    request: Transfer, source: Source, count: int, counts: Mapping[str, int]
) -> dict[str, Any]:
    return {
        **source.train.metadata,
        "split": rows.TRANSFER,
        "source_rows": count,
        "official_rows": None,
        "partial": False,
        "cap": request.rows,
        "transfer": {"source": request.source, "file": request.file, **counts},
    }


def _rest(request: Transfer, source: Source) -> _Pool:
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


def _test(request: Transfer, source: Source) -> _Pool:
    """Rows of all test splits; several splits take turns in proportion to their size."""
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


def _file(request: Transfer, source: Source) -> _Pool:
    """The rows of a file in data/texts."""
    assert request.file is not None, "the section's validator has checked it"
    task, path = source.task, paths.TEXTS / request.file
    if not path.is_file():
        names = sorted(file.name for file in paths.TEXTS.glob("*.tsv"))
        raise DataError(
            "no such file of texts",
            seen=f"files there: {', '.join(names) or 'none'}",
            where=path,
            fix=f"put it there, or change transfer.{task.name} in params.yaml",
        )
    columns = ("sentence1", "sentence2")[: 1 + task.pair] if task.glue else source.layout.texts
    texts = readers.texts(path, task, columns)
    for name, header in zip(("sentence1", "sentence2"), columns, strict=False):
        _refuse_blank(texts[name].to_pylist(), f"{path}, line {{}}, column {header!r}")
    order = row_caps.order(len(texts), seed=source.seed, task=task.name, split="file")
    return _Pool(_table(task, "file", texts, list(range(len(texts)))), order)


_POOLS = {"rest": _rest, "test": _test, "file": _file}


def _table(task: Task, origin: str, table: pa.Table, index: list[int]) -> pa.Table:
    """Prepared columns; an id like `qqp/transfer/rest/17` names the source of its row."""
    unknown = pa.chunked_array([pa.nulls(len(table), rows.schema(task).field("label").type)])
    bare = table.set_column(table.schema.get_field_index("label"), "label", unknown)
    ids = [rows.row_id(task.name, f"{rows.TRANSFER}/{origin}", position) for position in index]
    return rows.typed(task, bare, index, ids)


def _held_out(request: Transfer, source: Source) -> dict[str, str]:
    """Ids of the held-out rows, by the hash of their texts."""
    parts = {"dev", "ax"} if request.source == "test" else {"dev", "ax", "test"}
    ids: dict[str, str] = {}
    for split, table in source.whole.items():
        if part_of(split) in parts:
            texts = zip(table["sentence1"].to_pylist(), table["sentence2"].to_pylist(), strict=True)
            for index, pair in enumerate(texts):
                ids.setdefault(rows.text_hash(*pair), rows.row_id(source.task.name, split, index))
    return ids


def _refuse_held_out(request: Transfer, hashes: list[str], held_out: Mapping[str, str]) -> None:
    """Refuse a user's file that holds rows on which results are measured."""
    bad = [
        f"line {position + 1 + _HEADER_LINES} is {held_out[text]}"
        for position, text in _repeats(hashes, held_out)
    ]
    if bad:
        raise DataError(
            f"{len(bad):,} of {len(hashes):,} rows are also held-out rows of the task",
            seen=_named(bad),
            where=paths.TEXTS / str(request.file),
            fix="take these lines out of the file; results would be measured on them",
        )


def _refuse_blank(texts: list[str], where: str) -> None:
    for position, text in enumerate(texts):
        if not text.strip():
            line = position + 1 + _HEADER_LINES
            raise DataError("a text is empty", where=where.format(line), fix="take the line out")


def _nothing_left(
    request: Transfer, task: Task, count: int, counts: Mapping[str, int]
) -> DataError:
    return DataError(
        f"no transfer row of {task.name} is left",
        seen=f"{count:,} rows: {counts['duplicates']:,} repeat train rows or each other, "
        f"{counts['held_out']:,} are held-out rows",
        where=f"transfer.{task.name} in params.yaml",
        fix=f"take another source, or take out transfer.{task.name}",
    )
