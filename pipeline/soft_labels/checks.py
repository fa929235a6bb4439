"""The checks that `store.read` runs on a soft-label file; checks of rows: data/row_join.py."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.data.row_join import Origin
from pipeline.data.row_tables import Floats
from pipeline.tasks import Task

SUM_TOLERANCE = 1e-5
"""Largest difference of a row's sum from 1; float32 rounding causes about 1e-7 per class."""

RULE_TOLERANCE = 1e-6
"""Largest difference between a soft label and the rule applied to the logits.

Absolute below 1 and relative above it. Probabilities are stored as float32, at most 6e-8 from the
float64 result; the `exp` of another machine adds less than that.
"""


def check_members(columns: Collection[str], metadata: Mapping[str, Any], origin: Origin) -> None:
    """Refuse a file whose columns, weights or temperatures are not of the members it names.

    Args:
        columns: members that have a column.
        metadata: members, weights and temperatures by member; the latter two may be None.
        origin: the file.

    Raises:
        SoftLabelError: names the members on both sides.
    """
    listed = sorted(metadata["members"])
    if sorted(columns) != listed:
        origin.refuse(f"columns of {sorted(columns)}, but metadata of {listed}")
    for key in ("weights", "temperatures"):
        values = metadata[key]
        if values is not None and sorted(values) != listed:
            origin.refuse(f"{key} of {sorted(values)}, but metadata of {listed}")


def check_calibration(
    task: Task, folds: Collection[str], temperatures: Sequence[float], origin: Origin
) -> None:
    """Refuse temperatures that cannot have been fitted on held-out train rows of classes.

    Args:
        task: the task.
        folds: names of the members' folds.
        temperatures: one per member.
        origin: the file.

    Raises:
        SoftLabelError: shows the temperatures.
    """
    if task.regression:
        origin.refuse("scores know no temperature", temperatures)
    if len(folds) < 2:
        origin.refuse("without folds no train row is unseen to fit a temperature on", temperatures)
    if not all(math.isfinite(value) and value > 0 for value in temperatures):
        origin.refuse("a member's temperature is not above 0 and finite", temperatures)


def check_unlabelled(transfer: pa.Table, origin: Origin) -> None:
    """Refuse transfer rows that have a gold label: the student learns their soft labels only.

    Args:
        transfer: rows of split `transfer`, with the columns `row_id` and `label`.
        origin: the file.

    Raises:
        SoftLabelError: names the first row.
    """
    with_label = transfer.filter(transfer["label"].is_valid())
    if with_label.num_rows:
        origin.refuse("a transfer row has a gold label", with_label["row_id"][0].as_py())


def check_simplex(values: Floats, ids: pa.ChunkedArray, origin: Origin) -> None:
    """Refuse rows that are not probabilities: a negative value, or a sum that is not 1.

    Args:
        values: probabilities `(rows, classes)`.
        ids: ids of the rows.
        origin: the file.

    Raises:
        SoftLabelError: names the first row.
    """
    _refuse_first((values < 0).any(axis=1), values, ids, "a probability is negative", origin)
    invalid = np.abs(values.sum(axis=1, dtype=np.float64) - 1.0) > SUM_TOLERANCE
    _refuse_first(invalid, values, ids, "probabilities do not add up to 1", origin)


def check_rule(
    rule: str, values: Floats, expected: Floats, ids: pa.ChunkedArray, origin: Origin
) -> None:
    """Refuse soft labels that differ from the rule applied to the members' logits.

    Args:
        rule: the rule named in the file.
        values: probabilities or scores in the file, `(rows, classes)`.
        expected: the same, computed from the logits in the file.
        ids: ids of the rows.
        origin: the file.

    Raises:
        SoftLabelError: names the first row.
    """
    allowed = RULE_TOLERANCE * np.maximum(1.0, np.abs(expected))
    invalid = (np.abs(values - expected) > allowed).any(axis=1)
    fault = f"the soft label is not what {rule} makes of the members' logits"
    _refuse_first(invalid, values, ids, fault, origin)


def _refuse_first(
    invalid: Any, values: Floats, ids: pa.ChunkedArray, fault: str, origin: Origin
) -> None:
    if invalid.any():
        row = int(np.argmax(invalid))
        origin.refuse(fault, f"{ids[row].as_py()}: {values[row].tolist()}")
