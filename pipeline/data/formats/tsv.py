"""Read tab-separated files as GLUE writes them: a stream of rows, without any quoting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import BinaryIO

from pipeline.errors import DataError

BOM = b"\xef\xbb\xbf"
_SHOWN_CHARACTERS = 80

Row = tuple[int, tuple[str, ...]]


class NoRowsError(DataError):
    """A file without rows."""


def rows(
    file: BinaryIO, where: object, columns: Sequence[str], header: Sequence[str] | None = None
) -> Iterator[Row]:
    r"""Read a file's rows with nothing but line ends and tabs as structure.

    GLUE has no quoting: a quote is text, and so is every control character but `\n` and `\t`.
    A byte-order mark counts as one only at the file's very start, and `\r` belongs to the line
    end only if the first line ends in `\r\n`.

    Args:
        file: the file's bytes from its start.
        where: the file's name in errors.
        columns: names of the columns wanted, in the order wanted.
        header: names of all columns if the file has no header line.

    Yields:
        Line number, counted from 1, and the cells of the wanted columns.

    Raises:
        NoRowsError: the file is empty, or has a header line only.
        DataError: it lacks a column, has a row of another width, or is not UTF-8; with file, line
            and column.
    """
    lines = _lines(file, where)
    names = list(header) if header is not None else _header(lines, where)
    take = _cell_getter(names, columns, where)
    width, line = len(names), 0
    for line, text in lines:
        cells = text.split("\t")
        if len(cells) != width:
            raise _wrong_width(cells, names, f"{where}, line {line}")
        yield line, take(cells)
    if not line:
        raise NoRowsError("the file has no rows", where=where, fix="fetch the file again")


def _lines(file: BinaryIO, where: object) -> Iterator[tuple[int, str]]:
    first = file.readline().removeprefix(BOM)
    if not first:
        raise NoRowsError("the file is empty", where=where, fix="fetch the file again")
    end = b"\r\n" if first.endswith(b"\r\n") else b"\n"
    yield 1, _decode(_without(end, first), where, 1)
    for number, line in enumerate(file, 2):
        yield number, _decode(_without(end, line), where, number)


def _without(end: bytes, line: bytes) -> bytes:
    """Take off the line end, which the last line of a file may lack."""
    if line.endswith(end):
        return line[: -len(end)]
    return line.removesuffix(b"\n")


def _decode(line: bytes, where: object, number: int) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        column = line.count(b"\t", 0, error.start) + 1
        raise DataError(
            "not valid UTF-8",
            seen=f"byte 0x{line[error.start]:02x} at byte {error.start + 1} of the line",
            where=f"{where}, line {number}, column {column}",
            fix="save the file as UTF-8, or fetch it again",
        ) from error


def _header(lines: Iterator[tuple[int, str]], where: object) -> list[str]:
    _, text = next(lines)
    names = text.split("\t")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(
            "two columns have the same name", seen=repr(twice), where=f"{where}, line 1"
        )
    return names


def _cell_getter(
    names: list[str], columns: Sequence[str], where: object
) -> Callable[[list[str]], tuple[str, ...]]:
    for column in columns:
        if column not in names:
            raise DataError(
                f"missing column {column!r}",
                seen=_shortened(", ".join(map(repr, names))),
                where=f"{where}, line 1",
                fix="check that the file is in the layout of its task",
            )
    places = [names.index(column) for column in columns]
    if len(places) == 1:
        return lambda cells: (cells[places[0]],)
    return itemgetter(*places)


def _wrong_width(cells: list[str], names: list[str], where: str) -> DataError:
    count = f"{len(cells)} cells of {len(names)}"
    if len(cells) < len(names):
        return DataError(
            f"short row: nothing in column {names[len(cells)]!r}",
            seen=f"{count}: {_shortened(repr(cells))}",
            where=where,
            fix="fix the row, or fetch the file again",
        )
    return DataError(
        f"long row: more than the last column, {names[-1]!r}",
        seen=f"{count}: {_shortened(repr(cells))}",
        where=where,
        fix="a tab inside a text has to become a space",
    )


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + " ..."
