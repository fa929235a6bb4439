"""Count each task's rows and measure their lengths, from prepared files or known numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline import paths
from pipeline.data import rows
from pipeline.data.formats import layouts
from pipeline.data.rows import Rows
from pipeline.params import sources
from pipeline.params.encoders import Encoder
from pipeline.params.sections import Params
from pipeline.planning import encoder_shapes, row_lengths
from pipeline.tasks import GLUE, Task, part_of


@dataclass(frozen=True)
class DatasetSize:
    """Rows of one task.

    Attributes:
        task: the task.
        splits: rows of each split; without `train` if the source has no train rows.
        transfer: further rows that only teachers label.
        lengths: tokens of each of some typical rows, not cut.
        train: the train rows themselves, if they are prepared.
        measured: whether the lengths are those of the task's own rows.
    """

    task: Task
    splits: Mapping[str, int]
    transfer: int
    lengths: np.ndarray
    train: Rows | None = None
    measured: bool = False

    def of(self, *parts: str) -> int:
        """Rows of some parts: train, dev, test or ax."""
        return sum(count for split, count in self.splits.items() if part_of(split) in parts)


def read(params: Params) -> dict[str, DatasetSize | None]:
    """Sizes of all tasks; None for a custom task that is not prepared.

    Prepared rows count if they have the source and the caps of the parameters. Otherwise the
    numbers are GLUE's official ones, or the generator's for the sample.

    Raises:
        DataError: a prepared file cannot be read.
        EncoderError: the package of the student's encoder is missing.
    """
    tokenizer = _tokenizer(params.student.encoder)
    return {name: _read(name, params, tokenizer) for name in params.tasks}


def _read(name: str, params: Params, tokenizer: Path | None) -> DatasetSize | None:
    task = layouts.task_of(name, params.tasks[name].custom)
    if (prepared := _prepared(task, params)) is not None:
        return _measured(task, prepared, params, tokenizer)
    if name not in GLUE:
        return None
    splits = {split: _expected(task, split, params) for split in task.rows}
    return DatasetSize(
        task, splits, _transfer(task, splits, params), np.array(row_lengths.GLUE[name])
    )


def _measured(
    task: Task, prepared: Mapping[str, Rows], params: Params, tokenizer: Path | None
) -> DatasetSize:
    splits = {split: len(split_rows) for split, split_rows in prepared.items()}
    train = prepared.get("train")
    further = paths.transfer_rows(task.name)
    transfer = len(rows.read(further)) if further.is_file() else _transfer(task, splits, params)
    if train is not None and tokenizer is not None:
        return DatasetSize(
            task, splits, transfer, row_lengths.measure(train, tokenizer), train, True
        )
    typical = np.array(row_lengths.GLUE.get(task.name, row_lengths.GLUE["mnli"]))
    return DatasetSize(task, splits, transfer, typical, train)


def _prepared(task: Task, params: Params) -> dict[str, Rows] | None:
    """Prepared rows; None if there are none or they do not fit the parameters."""
    folder = paths.prepared(task.name)
    if (folder / rows.MISSING).is_file():
        return {}
    if not any(folder.glob("*.parquet")):
        return None
    prepared = rows.read_splits(folder)
    current = all(_is_current(task, *split, params) for split in prepared.items())
    return prepared if current else None


def _is_current(task: Task, split: str, prepared: Rows, params: Params) -> bool:
    source = params.data.source if task.glue else "local"
    recorded = (prepared.metadata["source"], prepared.metadata["cap"])
    if recorded != (source, _cap(task, split, params)):
        return False
    if not sources.generated(source):
        return True
    return bool(prepared.metadata["source_rows"] == params.data.settings.rows(task, split))


def _expected(task: Task, split: str, params: Params) -> int:
    whole = params.data.settings.rows(task, split)
    cap = _cap(task, split, params)
    return whole if cap is None else min(whole, cap)


def _cap(task: Task, split: str, params: Params) -> int | None:
    part = part_of(split)
    cap: int | None = getattr(params.tasks[task.name].rows, "test" if part == "ax" else part)
    return cap


def _transfer(task: Task, splits: Mapping[str, int], params: Params) -> int:
    """Number of transfer rows of the parameters, repeats and held-out rows included."""
    request = params.transfer.get(task.name)
    if request is None:
        return 0
    if request.source == "rest":
        available = params.data.settings.rows(task, "train") - splits.get("train", 0)
    elif request.source == "test":
        tests = [split for split in task.rows if part_of(split) == "test"]
        available = sum(params.data.settings.rows(task, split) for split in tests)
    else:
        available = _lines(paths.TEXTS / str(request.file))
    return available if request.rows is None else min(available, request.rows)


def _lines(file: Path) -> int:
    """Rows of a file with a header line; 0 if it does not exist yet."""
    return max(0, file.read_bytes().count(b"\n") - 1) if file.is_file() else 0


def _tokenizer(encoder: Encoder) -> Path | None:
    folder = encoder_shapes.folder(encoder)
    file = None if folder is None else folder / encoder_shapes.TOKENIZER
    return file if file is not None and file.is_file() else None
