"""Read and write Parquet files with JSON metadata, whole or a batch of rows at a time."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import DataError
from pipeline.runtime import artifacts

METADATA_KEY = b"mtdnnkd"
BATCH = 8192  # rows of a batch
_READ_AHEAD = 1 << 16  # bytes of each column that are read ahead; 0 would read whole row groups

# Arrow's own allocators keep freed memory, 100 MB after a large file; the system's returns it.
pa.set_memory_pool(pa.system_memory_pool())


@dataclass(frozen=True)
class ParquetFile:
    """An open Parquet file whose rows are read batch by batch.

    It stays open, so its rows stay the same even if another file takes its name.

    Attributes:
        path: its path, for errors.
        file: the open file.
    """

    path: Path
    file: pq.ParquetFile

    @property
    def num_rows(self) -> int:
        """Number of rows that the file's metadata names."""
        return int(self.file.metadata.num_rows)

    @property
    def schema(self) -> pa.Schema:
        """Its columns, without the file's metadata."""
        return self.file.schema_arrow.remove_metadata()

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """The file's JSON metadata, {} if it has none.

        Raises:
            DataError: the metadata is not a JSON object.
        """
        return _metadata(self.file.schema_arrow.metadata, self.path)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Tables of at most `BATCH` rows, in the order of the file; at least one, maybe empty.

        Args:
            columns: their names; None for all.

        Raises:
            DataError: the file is cut short or damaged.
        """
        names = self.schema.names if columns is None else list(columns)
        rows = 0
        # One thread: many take no less time for batches as small as these, and each keeps memory.
        with readable(self.path):
            for batch in self.file.iter_batches(BATCH, columns=names, use_threads=False):
                table = pa.Table.from_batches([batch]).select(names)
                table.validate(full=True)
                rows += table.num_rows
                yield table.replace_schema_metadata(None)
        pa.default_memory_pool().release_unused()  # or what each pass leaves free adds up
        if rows != self.num_rows:
            fault = f"the file says that it has {self.num_rows} rows"
            raise DataError(fault, seen=rows, where=self.path)
        if not rows:
            yield self.schema.empty_table().select(names)


def open_file(path: Path) -> ParquetFile:
    """Open a Parquet file and read its metadata.

    Raises:
        DataError: the file is not Parquet, is cut short or damaged, or its metadata is not a
            JSON object.
    """
    with readable(path):
        file = ParquetFile(path, pq.ParquetFile(path, buffer_size=_READ_AHEAD, pre_buffer=False))
        list(file.schema.names)  # they are decoded only when asked for
    file.metadata  # noqa: B018  a fault in it is raised here
    return file


def in_groups(tables: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    """The rows of some tables in tables of one chunk and `size` rows; the last may have fewer.

    No table is empty.
    """
    pending: list[pa.Table] = []
    rows = 0
    for table in tables:
        pending.append(table)
        rows += table.num_rows
        if rows >= size:
            whole = pa.concat_tables(pending)
            full = rows - rows % size
            for start in range(0, full, size):
                yield whole.slice(start, size).combine_chunks()
            pending, rows = [whole.slice(full)], rows % size
    if rows:
        yield pa.concat_tables(pending).combine_chunks()


def write_batches(
    path: Path,
    schema: pa.Schema,
    tables: Iterable[pa.Table],
    metadata: Mapping[str, Any],
    group: int,
    **options: object,
) -> None:
    """Write tables as `write_table` would write them in one, with one row group in memory.

    Args:
        path: the file to write.
        schema: columns of every table.
        tables: in the order wanted.
        metadata: values that JSON can hold.
        group: rows of a row group.
        options: of `pyarrow.parquet.ParquetWriter`.
    """
    noted = schema.with_metadata({METADATA_KEY: _note(metadata)})
    with artifacts.new_file(path) as staging, pq.ParquetWriter(staging, noted, **options) as writer:
        written = 0
        for table in in_groups(tables, group):
            writer.write_table(table.cast(noted), row_group_size=group)
            written += table.num_rows
        if not written:  # as write_table, which writes a row group even without rows
            writer.write_table(noted.empty_table())


def write_table(
    path: Path, table: pa.Table, metadata: Mapping[str, Any], **options: object
) -> None:
    """Write a Parquet file with JSON metadata under `METADATA_KEY`, atomically.

    Args:
        path: the file to write.
        table: its columns.
        metadata: values that JSON can hold.
        options: of `pyarrow.parquet.write_table`.
    """
    with artifacts.new_file(path) as staging:
        noted = table.replace_schema_metadata({METADATA_KEY: _note(metadata)})
        pq.write_table(noted, staging, **options)


def read_table(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """Read a Parquet file memory-mapped, with its JSON metadata ({} if it has none).

    Raises:
        DataError: the file is not Parquet, is cut short or damaged, or its metadata is not a
            JSON object.
    """
    with readable(path):
        table = pq.read_table(path, memory_map=True)
        table.validate(full=True)
        table = table.select(table.column_names)  # names are decoded only when asked for
    return table, _metadata(table.schema.metadata, path)


@contextlib.contextmanager
def readable(path: Path, fix: str | None = None) -> Iterator[None]:
    """Turn an error of Arrow about a file's bytes into one that names the file.

    Raises:
        DataError: the file is not Parquet, is cut short or damaged.
        OSError: the system could not read the file.
    """
    try:
        yield
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        # Arrow reports damaged bytes as a bare OSError; the system's have a number or own class.
        if isinstance(error, OSError) and (error.errno or type(error) is not OSError):
            raise
        raise DataError(
            "not a readable Parquet file", seen=str(error), where=path, fix=fix
        ) from error


def _note(metadata: Mapping[str, Any]) -> bytes:
    return json.dumps(metadata, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()


def _metadata(raw: Mapping[bytes, bytes] | None, path: Path) -> dict[str, Any]:
    try:
        note = json.loads((raw or {}).get(METADATA_KEY, b"{}"))
    except ValueError as error:  # UnicodeDecodeError is one as well
        raise DataError("metadata is not JSON", seen=str(error), where=path) from error
    if not isinstance(note, dict):
        raise DataError("metadata is not a JSON object", seen=note, where=path)
    return note
