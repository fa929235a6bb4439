"""Count the epochs of a baseline, by the student's epochs or by its steps."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline import paths
from pipeline.data import transfer_rows
from pipeline.data.prepared import read_prepared
from pipeline.data.rows import Splits
from pipeline.errors import DataError
from pipeline.params.sections import Params
from pipeline.runtime import artifacts
from pipeline.stage_registry import remake
from pipeline.training import task_passes
from pipeline.training.task_passes import TaskRows

EPOCHS = "epochs"


def write(budget: str, params: Params) -> None:
    """Write data/budgets/<budget>.json, the number of epochs that the baseline is trained.

    It is a file of its own so that further transfer rows retrain only the baseline whose epochs
    they change.

    Raises:
        DataError: rows are not prepared.
    """
    epochs = task_passes.baseline_epochs(budget, params, _rows(params, read_prepared(params)))
    artifacts.write_json(paths.budget(budget), {EPOCHS: epochs})


def read(budget: str) -> int:
    """The number of epochs of a baseline; 0 if it is not trained.

    Raises:
        DataError: the file is missing.
    """
    path = paths.budget(budget)
    try:
        epochs: int = artifacts.read_json(path)[EPOCHS]
    except FileNotFoundError:
        raise DataError("no number of epochs", where=path, fix=remake(path)) from None
    return epochs


def _rows(params: Params, prepared: Mapping[str, Splits]) -> dict[str, TaskRows]:
    """Rows that the student is trained on, as the trainer holds some of them out."""
    stopping = params.student.early_stopping
    share = 0.0 if stopping is None else stopping.share
    counts = {}
    for name, splits in prepared.items():
        known, whole = int(splits["train"].known.sum()), len(splits["train"])
        taught = name in params.teachers.tasks
        further = _transfer_rows(name) if taught and name in params.transfer else 0
        gold = known - round(share * known)
        counts[name] = TaskRows(gold, whole - known + further, taught)
    return counts


def _transfer_rows(task: str) -> int:
    rows = transfer_rows.read(task)
    return 0 if rows is None else len(rows)
