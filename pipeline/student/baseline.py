"""Train a baseline: the student on gold labels alone, for as many epochs or as many steps."""

from __future__ import annotations

import sys

from pipeline import paths
from pipeline.data import rows
from pipeline.data.prepared import read_prepared, train_rows
from pipeline.model import saved_model
from pipeline.params.sections import Params
from pipeline.runtime import artifact_lock, artifacts
from pipeline.student import budget as budgets
from pipeline.student import train
from pipeline.training import step_log

_NOTE = "the student takes no more steps than the baseline of its epochs, so no other is trained"


def baseline(budget: str, params: Params) -> None:
    """Train the baseline of one budget and write data/baseline/<budget>/.

    It differs from the student in loss, rows and, with budget `steps`, in the number of epochs,
    which its learning-rate schedule covers.

    Raises:
        DataError: rows are not prepared, or the number of epochs is not there.
        EncoderError: the initial encoder is not there, or does not fit.
        TrainingError: the loss is not finite.
    """
    epochs = budgets.read(budget)
    if not epochs:
        _leave_out(budget)
        return
    student = params.student.model_copy(update={"epochs": epochs})
    prepared = read_prepared(params)
    train.train(
        paths.baseline(budget),
        params.model_copy(update={"student": student}),
        prepared,
        train_rows(prepared),
    )


def _leave_out(budget: str) -> None:
    """Write the reason that there is no model, and an empty log for DVC's plot of losses."""
    print(f"baseline of budget {budget}: {_NOTE}", file=sys.stderr)
    with artifact_lock.lock_for_training(paths.baseline(budget)) as staging:
        with step_log.opened(staging.folder / saved_model.LOG, budget):
            pass
        artifacts.write_json(staging.folder / rows.MISSING, {"note": _NOTE})
