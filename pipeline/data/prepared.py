"""Read the prepared rows of all tasks from data/prepared."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from pipeline import paths
from pipeline.data import rows
from pipeline.data.rows import Rows, Splits
from pipeline.errors import DataError
from pipeline.params.sections import Params


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


def train_rows(prepared: Mapping[str, Splits]) -> dict[str, Rows]:
    """Train rows by task."""
    return {name: splits["train"] for name, splits in prepared.items()}
