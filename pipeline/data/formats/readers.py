"""Find the splits in a raw folder and return a reader for each, in any layout."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from pipeline import paths
from pipeline.data.formats import hub_parquet, layouts, mrpc, tsv, zip_members
from pipeline.data.formats.labels import Label, LabelError, parser
from pipeline.data.formats.layouts import Layout
from pipeline.data.rows import TRANSFER, schema
from pipeline.errors import DataError
from pipeline.runtime import artifacts
from pipeline.stage_registry import remake
from pipeline.tasks import Task

AX_TSV = "AX.tsv"  # the published name of diagnostic.tsv, outside of the zips
_CHUNK = 1 << 16  # rows that are Python strings at a time

Reader = Callable[[], pa.Table]
Open = Callable[[], AbstractContextManager[BinaryIO]]


@dataclass(frozen=True)
class Raw:
    """The content of source.json.

    Attributes:
        folder: folder of the files.
        source: a name of `data.source`.
        layout: tsv, zip, msr, parquet or custom.
        files: names of the files, in order.
    """

    folder: Path
    source: str
    layout: str
    files: tuple[str, ...]


def read(folder: Path, name: str) -> Raw:
    """Read a task's source.json and check that its files exist.

    Raises:
        DataError: source.json is missing or broken, or a file it lists is not there.
    """
    fix = remake(folder)
    path = folder / paths.SOURCE
    if not path.exists():
        raise DataError("no raw files of the task", seen=name, where=path, fix=fix)
    try:
        note = artifacts.read_json(path)
        raw = Raw(folder, note["source"], note["layout"], tuple(sorted(note["files"])))
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise DataError(
            "not a usable source.json", seen=repr(error), where=path, fix=fix
        ) from error
    for file in raw.files:
        if not (folder / file).is_file():
            raise DataError("a file that source.json lists is gone", where=folder / file, fix=fix)
    return raw


def readers(raw: Raw, task: Task, layout: Layout) -> dict[str, Reader]:
    """A reader for each split in the folder, in the order of the task's splits.

    Each returns a table with columns sentence1, sentence2 and label as in `rows.schema`, one row
    per example, and raises `DataError` on the first fault in its file.

    Raises:
        DataError: the layout is not one of the known ones, or does not fit the task.
    """
    find = _FINDERS.get(raw.layout)
    if find is None or (raw.layout == "custom") == task.glue:
        raise DataError(
            f"the raw files of {task.name} have a layout that this task cannot have",
            seen=repr(raw.layout),
            where=raw.folder / paths.SOURCE,
            fix=remake(raw.folder, force=True),
        )
    return find(raw, task, layout)


def texts(path: Path, task: Task, columns: Sequence[str]) -> pa.Table:
    """Read a file of texts for a task, with a header line and without labels.

    Args:
        path: a file as `tsv.rows` reads it.
        task: the task.
        columns: headers of the first text's column and, for pairs, of the second's.

    Returns:
        Columns sentence1, sentence2 and label (null) as in `rows.schema`, one row per line.

    Raises:
        DataError: the file is empty, lacks a column, or has a row of another width.
    """
    layout = Layout("", tuple(columns), "", (), tuple(columns))
    try:
        return _file_reader(path, task, layout, TRANSFER)()
    except tsv.NoRowsError as error:  # the user's own file: there is nothing to fetch again
        fix = f"put a header line ({', '.join(columns)}) and a line for each row of texts there"
        raise DataError(error.what, where=path, fix=fix) from error


def _tsv(raw: Raw, task: Task, layout: Layout) -> dict[str, Reader]:
    files = {split: layouts.tsv_name(split) for split in task.rows}
    return {
        split: _file_reader(raw.folder / file, task, layout, split)
        for split, file in files.items()
        if file in raw.files
    }


def _zip(raw: Raw, task: Task, layout: Layout) -> dict[str, Reader]:
    by_split: dict[str, Reader] = {}
    for name in (file for file in raw.files if file.endswith(".zip")):
        archive = raw.folder / name
        names = zip_members.members(archive, layout.folder)
        for split in task.rows:
            if member := names.get(layouts.tsv_name(split)):
                opener = partial(zip_members.member, archive, member)
                where = f"{archive}: {member}"
                by_split[split] = partial(_read, opener, where, task, layout, split)
    if AX_TSV in raw.files and "ax" in task.rows:
        by_split["ax"] = _file_reader(raw.folder / AX_TSV, task, layout, "ax")
    return {split: by_split[split] for split in task.rows if split in by_split}


def _msr(raw: Raw, task: Task, layout: Layout) -> dict[str, Reader]:
    return {
        split: partial(_read_msr, raw.folder, task, layout, split)
        for split, files in layouts.MSR_FILES.items()
        if set(files) <= set(raw.files)
    }


def _parquet(raw: Raw, task: Task, layout: Layout) -> dict[str, Reader]:
    files = {split: layouts.hub_name(split) for split in task.rows}
    return {
        split: partial(hub_parquet.read, raw.folder / file, task, layout, split)
        for split, file in files.items()
        if file in raw.files
    }


_FINDERS: Mapping[str, Callable[[Raw, Task, Layout], dict[str, Reader]]] = {
    "tsv": _tsv,
    "custom": _tsv,
    "zip": _zip,
    "msr": _msr,
    "parquet": _parquet,
}


def _file_reader(path: Path, task: Task, layout: Layout, split: str) -> Reader:
    return partial(_read, partial(_open, path), path, task, layout, split)


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


def _read(opener: Open, where: object, task: Task, layout: Layout, split: str) -> pa.Table:
    with opener() as file:
        lines = tsv.rows(file, where, layout.wanted(split), layout.headless.get(split))
        return _table(lines, where, task, layout, split)


def _read_msr(folder: Path, task: Task, layout: Layout, split: str) -> pa.Table:
    where = folder / (layouts.MSR_TEST if split == "test" else layouts.MSR_TRAIN)
    lines = mrpc.rows(folder, split, layout.wanted(split))
    return _table(lines, where, task, layout, split)


def _table(
    rows: Iterator[tsv.Row], where: object, task: Task, layout: Layout, split: str
) -> pa.Table:
    kinds = schema(task)
    kinds = pa.schema([kinds.field(name) for name in ("sentence1", "sentence2", "label")])
    parse = parser(task, layout.spellings)
    batches = []
    while chunk := list(islice(rows, _CHUNK)):
        lines, cells = zip(*chunk, strict=True)
        columns = list(zip(*cells, strict=True))
        texts = columns[: len(layout.texts)]
        second = texts[1] if len(texts) > 1 else [None] * len(chunk)
        labels: Sequence[Label | None] = [None] * len(chunk)
        if layouts.is_labelled(split):
            labels = _labels(parse, lines, columns[-1], where, layout.label)
        batches.append(pa.record_batch([texts[0], second, labels], schema=kinds))
    if not batches:
        raise DataError(f"no rows of split {split}", where=where, fix="fetch the files again")
    return pa.Table.from_batches(batches)


def _labels(
    parse: Callable[[str], Label],
    lines: Sequence[int],
    texts: Sequence[str],
    where: object,
    column: str,
) -> list[Label]:
    labels: list[Label] = []
    for line, text in zip(lines, texts, strict=True):
        try:
            labels.append(parse(text))
        except LabelError as error:
            raise DataError(
                "unknown label",
                seen=f"{text!r}; {error}",
                where=f"{where}, line {line}, column {column!r}",
                fix="fix or take out the row",
            ) from error
    return labels
