"""Predict labels and probabilities for texts of your own, from one file to another.

`mtdnnkd predict` checks its --task here, in `predict`: the model must have been trained on it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from pipeline.data.formats import layouts, readers
from pipeline.errors import DataError
from pipeline.model import saved_model
from pipeline.params.machine import Machine
from pipeline.params.sections import Params
from pipeline.tasks import Task

if TYPE_CHECKING:
    import numpy as np

PREDICTION, PROBABILITY = "prediction", "probability_"
_TEXTS = ("sentence1", "sentence2")


def read(path: Path, task: str, params: Params) -> pa.Table:
    """Read texts from a tab-separated file with a header line.

    It uses the reader of the tasks' own files, so a text is the same here and in training.

    Args:
        path: columns `sentence1` and, for pairs, `sentence2`; for a custom task, those that its
            definition names. Other columns are not read.
        task: the task's name.
        params: all parameters, which define the custom tasks.

    Returns:
        `sentence1` and `sentence2` (null where the task has one text), one row per line.

    Raises:
        DataError: no such file, no such task, or the file lacks a column or is damaged.
    """
    if not path.is_file():
        raise DataError("no such file of texts", where=path, fix="name a tab-separated file")
    custom = params.tasks[task].custom if task in params.tasks else None
    known = layouts.task_of(task, custom)
    columns = _TEXTS[: 1 + known.pair] if known.glue else layouts.layout_of(task, custom).texts
    return readers.texts(path, known, columns).select(list(_TEXTS))


def predict(folder: Path, task: str, texts: pa.Table, machine: Machine) -> pd.DataFrame:
    """Predict the labels of texts, in their order.

    Args:
        folder: a trained model: data/student, data/tuned/<task>, a teacher's folder.
        task: a task that it was trained on.
        texts: columns `sentence1` and, for pairs, `sentence2`.
        machine: section `machine` of params.yaml.

    Returns:
        The texts; `prediction`, the class's name, or the score (float32) cut to the task's range;
        for classes one column `probability_<class>` (float32) each, the softmax of the logits.

    Raises:
        SavedModelError: there is no whole model in the folder.
        DataError: the model was not trained on the task.
    """
    manifest = saved_model.read_manifest(folder)
    if task not in manifest.get("tasks", {}):
        raise DataError(
            "the model was not trained on this task",
            seen=f"{task}; it knows {', '.join(manifest.get('tasks', {})) or 'none'}",
            where=folder,
            fix="name another --task or --model",
        )
    trained_task, logits = _score(folder, task, texts, machine)
    columns = list(_TEXTS[: 1 + trained_task.pair])
    frame: pd.DataFrame = texts.select(columns).to_pandas()
    return frame.join(_answers(trained_task, logits))


def write(path: Path, predictions: pd.DataFrame) -> None:
    """Write predictions as Parquet or tab-separated text; the file's ending decides.

    The file is written whole or not at all.

    Raises:
        DataError: as `check_target`.
    """
    write_kind = check_target(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}-{os.getpid()}")  # no artifact: it may be anywhere
    try:
        write_kind(staging, predictions)
        staging.replace(path)
    finally:
        staging.unlink(missing_ok=True)


def check_target(path: Path) -> Callable[[Path, pd.DataFrame], None]:
    """Check that a file can be written there, before anything is scored for it.

    Returns:
        The function that writes files with this ending.

    Raises:
        DataError: no function writes this ending, a folder has the name, or its own folder cannot
            be made or written to.
    """
    if path.suffix not in _KINDS:
        raise DataError("no such kind of file", seen=path, fix=f"end in {' or '.join(_KINDS)}")
    if path.is_dir():
        raise DataError("a folder has this name", where=path, fix="name a file with --out")
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir():
        raise DataError("not a folder", where=above, fix="name a file in a folder with --out")
    if not os.access(above, os.W_OK | os.X_OK):
        raise DataError("no permission to write", where=above, fix="name another --out")
    return _KINDS[path.suffix]


def _score(folder: Path, task: str, texts: pa.Table, machine: Machine) -> tuple[Task, np.ndarray]:
    """The task as the model was trained on it, and logits float32 `(rows, outputs)`."""
    from pipeline.model import scoring, tokenization
    from pipeline.runtime import choices, hardware

    processor = hardware.set_up(machine.model_copy(update=choices.values(machine)))
    model = saved_model.load(folder)
    packed = tokenization.tokenise(texts, model.tokenizer, model.manifest["training"]["max_length"])
    network = model.network.to(processor.device)
    return network.tasks[task], scoring.logits(network, task, packed, processor, f"predict {task}")


def _answers(task: Task, logits: np.ndarray) -> pd.DataFrame:
    """Prediction and probabilities of each row of logits `(rows, outputs)`."""
    from pipeline import metrics
    from pipeline.soft_labels import ensemble_rules

    predictions = metrics.predictions(task, logits)
    if task.regression:
        return pd.DataFrame({PREDICTION: predictions})
    names = [task.labels[label] for label in predictions]
    probabilities = pd.DataFrame(
        ensemble_rules.softmax(logits).astype("float32"),
        columns=[f"{PROBABILITY}{label}" for label in task.labels],
    )
    return pd.concat([pd.Series(names, name=PREDICTION, dtype=str), probabilities], axis=1)


def _write_parquet(path: Path, predictions: pd.DataFrame) -> None:
    predictions.to_parquet(path, index=False)


def _write_tsv(path: Path, predictions: pd.DataFrame) -> None:
    """Write without quotes: the texts come from such a file, so none has a tab or a line feed.

    Not by `to_csv`: without quotes it refuses a carriage return from Python 3.13 on, and that may
    be in a text.
    """
    columns = (_cells(predictions[name]) for name in predictions.columns)
    lines = ["\t".join(cells) for cells in zip(*columns, strict=True)]
    text = "\n".join(["\t".join(predictions.columns), *lines, ""])
    path.write_text(text, encoding="utf-8", newline="\n")


def _cells(column: pd.Series) -> pd.Series:
    return column.map("{:.6g}".format) if column.dtype.kind == "f" else column


_KINDS: Mapping[str, Callable[[Path, pd.DataFrame], None]] = {
    ".tsv": _write_tsv,
    ".parquet": _write_parquet,
}
