"""Read and write soft labels as Parquet: every member's logits and the combined probabilities.

The schema is described in docs/reference/soft-labels.md; a change of it raises `SCHEMA_VERSION`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import paths
from pipeline.data import row_tables
from pipeline.data.parquet_file import ParquetFile
from pipeline.data.row_join import (
    Origin,
    align,
    check_task,
    check_unique,
    in_step,
    locate,
    plainly_unique,
)
from pipeline.data.row_tables import Floats, key_batches
from pipeline.data.rows import TRANSFER, Rows
from pipeline.errors import SoftLabelError
from pipeline.metrics import task_score
from pipeline.params import rules
from pipeline.runtime.memory_mapped import MappedBuffer
from pipeline.soft_labels import checks, ensemble_rules
from pipeline.soft_labels.logits import Logits
from pipeline.soft_labels.rules.base import WeightedRule
from pipeline.soft_labels.schema import (
    KEYS,
    SCHEMA_VERSION,
    SoftLabels,
    check_metadata,
    check_numbers,
    folds,
    schema,
)
from pipeline.stage_registry import remake
from pipeline.tasks import Task, part_of


def write(
    path: Path,
    splits: Mapping[str, Rows],
    members: Mapping[str, Logits],
    rule: rules.Written,
    temperatures: Mapping[str, float] | None = None,
) -> None:
    """Combine members' logits into soft labels and write them; same input, same bytes.

    Args:
        path: the file to write.
        splits: the prepared rows, all splits of one task, then those of split `transfer` if the
            members have scored any.
        members: logits of every member, in the order of the columns; each must have exactly
            these rows, in any order.
        rule: as in params.yaml.
        temperatures: temperature that calibrates each member, or None for no calibration.

    Raises:
        SoftLabelError: a member's logits are of other rows, another task or another label order,
            or of models of other folds than the first member's; rule or temperatures are unknown
            or cannot be used.
    """
    task = next(iter(splits.values())).task
    keys = row_tables.keys(splits)
    values = [_member_values(keys, task, name, member) for name, member in members.items()]
    columns = schema(task, list(members))
    inputs = pa.schema([columns.field(at) for at in range(len(columns) - 1)])
    table = pa.table([*keys.columns, *map(row_tables.column, values)], schema=inputs)
    metadata = _metadata(task, _notes(task, members, rule, temperatures))
    labels = SoftLabels(table, metadata, Origin(f"soft labels of {task.name}", path))
    check_metadata(labels)
    stacked = np.stack(values) if values else np.empty((0, len(keys), task.outputs), np.float32)
    combined = row_tables.column(labels.combine(stacked))
    whole = table.append_column(columns.field(len(inputs)), combined)
    row_tables.write(path, whole, labels.metadata)


def write_missing(path: Path, task: Task, rule: rules.Written) -> None:
    """Write a file without rows, for a task that the source lacks."""
    nothing: dict[str, Any] = {"rule": rule, "weights": None, "temperatures": None, "folds": []}
    metadata = _metadata(task, {**nothing, "members": {}, "missing": True})
    row_tables.write(path, schema(task, []).empty_table(), metadata)


def read(path: Path, splits: Mapping[str, Rows] | None = None) -> SoftLabels:
    """Read soft labels and check every row.

    Args:
        path: a file that `write` made.
        splits: the prepared rows that the file must be of, all splits of the task, or None to
            check the file in itself only. With split `transfer` the file must have exactly its
            rows too; without it, transfer rows in the file are not compared.

    Raises:
        SoftLabelError: the file is missing, of another version, task or label order; a row is
            unknown, missing, there twice, or has another text or label; a number is NaN or
            infinite; probabilities do not add up to 1, or differ from the rule applied to the
            logits. The error names the first such row.
    """
    opened, head = _open(path)
    _check_rows(opened, head, splits)
    return replace(head, table=pa.concat_tables(part.table for part in _parts(opened, head)))


def read_targets(
    path: Path, splits: Mapping[str, Rows], learnt: Collection[str], temperature: float
) -> Floats:
    """Read soft targets a batch of rows at a time, and check all soft labels as `read` does.

    A file in the order of the prepared rows, as written by `write`, is compared row by row.
    For one in another order, the ids are kept in memory.

    Args:
        path: a file that `write` made.
        splits: the prepared rows, as for `read`.
        learnt: names of the splits whose targets are wanted.
        temperature: as for `SoftLabels.targets`.

    Returns:
        Targets of the rows of `learnt`, in the order of `splits`, `(rows, classes)`, or scores
        `(rows, 1)` of a regression task; read-only and memory-mapped if they are many.

    Raises:
        SoftLabelError: as for `read`, or the temperature is not above 0.
    """
    opened, head = _open(path)
    in_order = _check_rows(opened, head, splits)
    buffer = MappedBuffer(np.float32, head.task.outputs)
    for part in _parts(opened, head):
        rows = np.flatnonzero(_among(part.table, learnt))
        buffer.append(part.combine(part.member_logits[:, rows], temperature))
    targets = buffer.array()
    if in_order:
        return targets
    keys = pa.concat_tables(_keys(opened, head))
    wanted = row_tables.keys({name: rows for name, rows in splits.items() if name in learnt})
    row_ids = keys.filter(_among(keys, learnt))["row_id"]
    return targets[locate(wanted["row_id"], row_ids, head.origin)]


def _open(path: Path) -> tuple[ParquetFile, SoftLabels]:
    """The open file, and its metadata as soft labels without rows."""
    fix = remake(paths.soft_labels(path.stem))
    what = "soft-label file"
    opened = row_tables.open_versioned(path, SCHEMA_VERSION, what, fix, KEYS)
    origin = Origin(f"soft labels of {opened.metadata['task']}", path, fix)
    head = SoftLabels(opened.schema.empty_table(), opened.metadata, origin)
    check_metadata(head)
    row_tables.check_types(opened.schema, schema(head.task, head.members), path, fix)
    return opened, head


def _keys(opened: ParquetFile, head: SoftLabels) -> Iterator[pa.Table]:
    """The key columns, checked in themselves, a batch at a time."""
    names = [field.name for field in row_tables.key_fields(head.task)]
    for part in _batches(opened, head, names):
        transfer = pc.equal(part["split"], TRANSFER)
        checks.check_unlabelled(part.filter(transfer), head.origin)
        yield part


def _parts(opened: ParquetFile, head: SoftLabels) -> Iterator[SoftLabels]:
    """All soft labels, their numbers checked, a batch at a time."""
    for table in _batches(opened, head, opened.schema.names):
        part = replace(head, table=table)
        check_numbers(part)
        yield part


def _batches(opened: ParquetFile, head: SoftLabels, names: Sequence[str]) -> Iterator[pa.Table]:
    fix, expected = head.origin.fix, schema(head.task, head.members)
    with row_tables.readable(opened.path, fix):
        for part in opened.batches(names):
            row_tables.check_nulls(part, expected, opened.path, fix)
            yield part


def _among(table: pa.Table, splits: Collection[str]) -> np.ndarray:
    """Whether each row is of one of some splits, bool `(rows,)`."""
    flags = pc.is_in(table["split"], value_set=pa.array(splits, pa.string()))
    return np.asarray(flags.to_numpy(), bool)


def _member_values(keys: pa.Table, task: Task, name: str, member: Logits) -> Floats:
    origin = Origin(f"logits of teacher {name}", fix=remake(paths.soft_labels(task.name)))
    if member.model["name"] != name:
        origin.refuse("they are of another member", member.model["name"])
    check_task(member.task, task, origin)
    return member.values[align(member.table, keys, origin)]


def _notes(
    task: Task,
    members: Mapping[str, Logits],
    rule: rules.Written,
    temperatures: Mapping[str, float] | None,
) -> dict[str, Any]:
    """The metadata on how the soft labels are made."""
    models = {name: dict(member.model) for name, member in members.items()}
    return {
        "rule": rule,
        "weights": _weights(task, models, rule),
        "temperatures": None if temperatures is None else dict(temperatures),
        "folds": folds(next(iter(models.values()), {})),
        "members": models,
    }


def _weights(
    task: Task, models: Mapping[str, Mapping[str, Any]], rule: rules.Written
) -> dict[str, float] | None:
    """Weights by member; None for a rule that has none."""
    chosen = ensemble_rules.of(rule)
    if not isinstance(chosen, WeightedRule):
        return None
    for name, model in models.items():
        if not any(part_of(split) == "dev" for split in model.get("dev", {})):
            raise SoftLabelError(
                f"{rules.name(rule)} needs each member's dev metrics",
                seen=f"teacher {name} has none: {task.name} has no dev split",
                fix="set ensemble.rule to mean_probability",
            )
    return chosen.weights({n: task_score(task, model["dev"]) for n, model in models.items()})


def _metadata(task: Task, notes: Mapping[str, Any]) -> dict[str, Any]:
    described = row_tables.describe(task)
    return {"missing": False, "schema_version": SCHEMA_VERSION, **described, **notes}


def _check_rows(opened: ParquetFile, head: SoftLabels, splits: Mapping[str, Rows] | None) -> bool:
    """Refuse other rows than those of `splits`; return whether the order is the same."""
    origin = head.origin
    for rows in (splits or {}).values():
        check_task(head.task, rows.task, origin)
    if splits is not None and head.missing != ("train" not in splits):
        had = "had no train rows" if head.missing else "had train rows"
        origin.refuse(f"they were made when the source {had}", sorted(splits))
    if splits and plainly_unique(splits) and in_step(_keys(opened, head), key_batches(splits)):
        return True
    table = pa.concat_tables(_keys(opened, head))
    check_unique(table["row_id"], origin)
    if splits is not None and not head.missing:
        known = table.filter(pc.not_equal(table["split"], TRANSFER))
        align(table if TRANSFER in splits else known, row_tables.keys(splits), origin)
    return False
