"""Lengths of GLUE's train rows in word pieces, counted once, so that no benchmark needs data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.data.formats import layouts, tsv
from pipeline.runtime import artifacts
from pipeline.tasks import GLUE

if TYPE_CHECKING:
    import pyarrow as pa

COUNTS = Path(__file__).with_suffix(".json")
"""Task -> number of train rows of 0, 1, 2 and so on tokens, special tokens included, none cut.

Written by `python -m benchmarks lengths --data folder` with the uncased BERT tokenizer. All train
rows, but 10,233 of MNLI, 10,145 of QNLI and 19,495 of QQP.
"""
LONGEST = 512


def of(task: str) -> np.ndarray:
    """Tokens of each train row of a task in rising order, int64 `(rows,)`."""
    counts = np.array(artifacts.read_json(COUNTS)[task])
    return np.repeat(np.arange(len(counts)), counts)


def write(data: Path) -> None:
    """Count the lengths of all tasks in a GLUE folder and write them to COUNTS."""
    from benchmarks import models
    from pipeline.model.tokenization import tokenise

    tokenizer = models.tokenizer()
    counts = {}
    for task in GLUE:
        lengths = tokenise(texts(data, task), tokenizer, LONGEST).lengths
        counts[task] = np.bincount(lengths).tolist()
    # One line a task: a number a line would be a thousand lines.
    lines = [f"  {json.dumps(task)}: {json.dumps(counts[task])}" for task in sorted(counts)]
    with artifacts.new_file(COUNTS) as staging:
        staging.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def texts(data: Path, task: str) -> pa.Table:
    """Texts of a task's train rows, as `tokens.tokenise` reads them.

    Args:
        data: GLUE folder in the published layout.
        task: its name.

    Raises:
        DataError: the file is not what its layout says.
        FileNotFoundError: it is not there.
    """
    import pyarrow as pa

    rows = list(_rows(data, task))
    second = [row[1] if len(row) > 1 else None for row in rows]
    return pa.table(
        {
            "sentence1": pa.array([row[0] for row in rows], pa.string()),
            "sentence2": pa.array(second, pa.string()),
        }
    )


def _rows(data: Path, task: str) -> Iterator[tuple[str, ...]]:
    layout = layouts.OFFICIAL[task]
    path = data / layout.folder / layouts.tsv_name("train")
    with path.open("rb") as file:
        for _, cells in tsv.rows(file, path, layout.texts, layout.headless.get("train")):
            yield cells
