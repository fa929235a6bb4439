"""Assemble MRPC from its published parts, as GLUE's own download script does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.data.formats import tsv
from pipeline.data.formats.layouts import MSR_DEV_IDS, MSR_IDS, MSR_TEST, MSR_TRAIN


def rows(folder: Path, split: str, columns: Sequence[str]) -> Iterator[tsv.Row]:
    """Rows of one split, in the order of the published file.

    Dev holds the rows of the train file whose pair of ids is listed as dev's, train the others;
    test is the test file. The test file has labels, but GLUE leaves them out, and so do the
    layouts.

    Args:
        folder: folder of the three files.
        split: train, dev or test.
        columns: names of the columns wanted.

    Raises:
        DataError: as `tsv.rows`.
    """
    if split == "test":
        yield from _rows(folder / MSR_TEST, columns)
        return
    dev = _dev_ids(folder / MSR_DEV_IDS)
    for line, cells in _rows(folder / MSR_TRAIN, (*columns, *MSR_IDS)):
        if (cells[-2:] in dev) == (split == "dev"):
            yield line, cells[:-2]


def _rows(
    path: Path, columns: Sequence[str], header: Sequence[str] | None = None
) -> Iterator[tsv.Row]:
    with path.open("rb") as file:
        yield from tsv.rows(file, path, columns, header)


def _dev_ids(path: Path) -> frozenset[tuple[str, ...]]:
    return frozenset(cells for _, cells in _rows(path, MSR_IDS, header=MSR_IDS))
