"""Predictions: what a trained model says of texts of one's own, from one file to another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    """Texts of a tab-separated file with a header line.

    Args:
        path: columns `sentence1` and, for pairs, `sentence2`; for a task of one's own, those that
            its definition names. Other columns are not read.
        task: the task's name.
        params: says how tasks of one's own are laid out.

    Returns:
        `sentence1` and `sentence2` (null where the task has one text), a row a line.

    Raises:
        DataError: no such file, no such task, or the file lacks a column or is damaged.
    """
    if not path.is_file():
        raise DataError("no such file of texts", where=path, fix="name a tab-separated file")
    custom = params.tasks[task].custom if task in params.tasks else None
    known = layouts.task_of(task, custom)
    columns = _TEXTS[: 1 + known.pair] if known.glue else layouts.layout_of(task, custom).texts
    return readers.texts(path, known, columns).select(list(_TEXTS))


def predict(folder: Path, task: str, texts: pa.Table, machine: Machine) -> pa.Table:
    """What a model says of texts, in their order.

    Args:
        folder: a trained model: data/student, data/tuned/<task>, a teacher's folder.
        task: a task that it was trained on.
        texts: columns `sentence1` and, for pairs, `sentence2`.
        machine: section `machine` of params.yaml.

    Returns:
        The texts; `prediction`, the class's name, or the score cut to the task's range; for
        classes `probability_<class>`, the softmax of the logits, a column each.

    Raises:
        CheckpointError: there is no whole model in the folder.
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
    known, logits = _score(folder, task, texts, machine)
    own = texts.select(list(_TEXTS[: 1 + known.pair]))
    for name, column in _columns(known, logits).items():
        own = own.append_column(name, pa.array(column))
    return own


def write(path: Path, table: pa.Table) -> None:
    """Write predictions as Parquet or as tab-separated text, which the ending decides.

    The file is there whole or not at all.

    Raises:
        DataError: as `check_target`.
    """
    kind = check_target(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}-{os.getpid()}")  # no artifact: it may lie anywhere
    try:
        kind(staging, table)
        staging.replace(path)
    finally:
        staging.unlink(missing_ok=True)


def check_target(path: Path) -> Callable[[Path, pa.Table], None]:
    """See that a file can be written there, before anything is scored for it.

    Returns:
        What writes a file with this ending.

    Raises:
        DataError: nothing does, a folder has the name, or no file can be put beside it.
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
    """The task as the model knows it, and logits float32 `(rows, outputs)`."""
    from pipeline.model import scoring, tokenization
    from pipeline.runtime import hardware

    chosen = hardware.set_up(machine)
    model = saved_model.load(folder)
    packed = tokenization.tokenise(texts, model.tokenizer, model.manifest["training"]["max_length"])
    network = model.network.to(chosen.device)
    return network.tasks[task], scoring.logits(network, task, packed, chosen, f"predict {task}")


def _columns(task: Task, logits: np.ndarray) -> Mapping[str, Any]:
    from pipeline import metrics
    from pipeline.soft_labels import ensemble_rules

    said = metrics.predictions(task, logits)
    if task.regression:
        return {PREDICTION: said}
    likely = ensemble_rules.softmax(logits).astype("float32")
    found = {f"{PROBABILITY}{name}": likely[:, at] for at, name in enumerate(task.labels)}
    return {PREDICTION: [task.labels[at] for at in said], **found}


def _parquet(path: Path, table: pa.Table) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, path)


def _tsv(path: Path, table: pa.Table) -> None:
    """No quoting: the texts come from such a file, so none has a tab or a line end."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(_line(table.schema.names))
        file.writelines(_line(row.values()) for row in table.to_pylist())


def _line(cells: Iterable[Any]) -> str:
    shown = (f"{cell:.6g}" if isinstance(cell, float) else str(cell) for cell in cells)
    return "\t".join(shown) + "\n"


_KINDS: Mapping[str, Callable[[Path, pa.Table], None]] = {".tsv": _tsv, ".parquet": _parquet}
