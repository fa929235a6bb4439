"""Read the prepared rows of all tasks from data/prepared."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from pipeline import paths
from pipeline.data import rows
from pipeline.data.rows import Rows, Splits
from pipeline.errors import DataError
from pipeline.params.sections import Params
from pipeline.params.training import BestEpoch
from pipeline.tasks import part_of


def read_prepared(params: Params) -> dict[str, Splits]:
    """Prepared rows of every task that has train rows, in the order of params.yaml.

    Raises:
        DataError: a task is not prepared, or no task has train rows.
    """
    prepared: dict[str, Splits] = {}
    for name in params.tasks:
        folder = paths.prepared(name)
        if rows.absent(folder):
            print(f"{name}: no train rows at the source, left out", file=sys.stderr)
        else:
            prepared[name] = rows.read_splits(folder)
    if not prepared:
        raise DataError("no task has train rows", where=paths.DATA / "prepared")
    return prepared


def dev_rows(prepared: Mapping[str, Splits], best_epoch: BestEpoch | None) -> dict[str, Splits]:
    """Dev splits of the tasks by which a model's best epoch is chosen; {} where none is.

    Raises:
        DataError: such a task has no train or no dev rows.
    """
    chosen: dict[str, Splits] = {}
    for name in [] if best_epoch is None else best_epoch.tasks:
        splits = prepared.get(name, {})
        chosen[name] = {key: rows for key, rows in splits.items() if part_of(key) == "dev"}
        if not chosen[name]:
            raise DataError(
                f"the best epoch cannot be chosen by {name}: the source has no train rows or no "
                "dev rows of it",
                where="best_epoch.tasks in params.yaml",
                fix=f"take {name} out of best_epoch.tasks, or set best_epoch to null",
            )
    return chosen


def train_rows(prepared: Mapping[str, Splits]) -> dict[str, Rows]:
    """Train rows by task."""
    return {name: splits["train"] for name, splits in prepared.items()}
