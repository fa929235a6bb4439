"""Soft labels as Parquet: every member's logits and what the ensemble makes of them.

The schema is described in docs/soft-labels.md; a change of it raises `SCHEMA_VERSION`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline import ensemble, parquet, soft_label_checks
from pipeline.alignment import Origin, align, check_unique, locate
from pipeline.errors import SoftLabelError
from pipeline.logits import Logits
from pipeline.metrics import task_score
from pipeline.parquet import Floats
from pipeline.rows import Rows
from pipeline.tasks import Task, part_of

SCHEMA_VERSION = 1
PREFIX = "logits_"
_KEYS = (*parquet.DESCRIPTION, "rule", "weights", "members", "missing")


def schema(task: Task, members: Sequence[str]) -> pa.Schema:
    """Columns of a soft-label file."""
    vector = parquet.vector(task.outputs)
    columns = [pa.field(PREFIX + member, vector, nullable=False) for member in members]
    outcome = pa.field(_outcome(task), vector, nullable=False)
    return pa.schema([*parquet.key_fields(task), *columns, outcome])


@dataclass(frozen=True)
class SoftLabels:
    """Soft labels of one task.

    Attributes:
        table: columns as in `schema`.
        metadata: schema_version, the task, rule, weights, members, missing.
        origin: the file, for errors.
    """

    table: pa.Table
    metadata: Mapping[str, Any]
    origin: Origin

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def task(self) -> Task:
        """The task as the file describes it; its `rows` are the splits in the file."""
        return parquet.described(self.metadata, self.table)

    @property
    def missing(self) -> bool:
        """Whether the source has no such task, so that nobody labelled anything."""
        return bool(self.metadata["missing"])

    @property
    def rule(self) -> str:
        """Ensemble rule that made the soft labels."""
        return str(self.metadata["rule"])

    @property
    def members(self) -> tuple[str, ...]:
        """Names of the members, in the order of the columns."""
        names = self.table.schema.names
        return tuple(name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX))

    @property
    def weights(self) -> list[float] | None:
        """Weights of the members, in their order, or None if the rule has none."""
        weights = self.metadata["weights"]
        return None if weights is None else [weights[member] for member in self.members]

    @property
    def member_logits(self) -> Floats:
        """Every member's logits, `(members, rows, classes)`."""
        width = self.task.outputs
        parts = [parquet.matrix(self.table[PREFIX + member], width) for member in self.members]
        return np.stack(parts) if parts else np.empty((0, len(self), width), np.float32)

    @property
    def probabilities(self) -> Floats:
        """The soft labels at T = 1, `(rows, classes)`; for a regression task scores `(rows, 1)`."""
        return parquet.matrix(self.table[_outcome(self.task)], self.task.outputs)

    def targets(
        self, row_ids: Sequence[str], text_hashes: Sequence[str], temperature: float = 1.0
    ) -> Floats:
        """Soft targets of the named rows, made anew from the members' logits.

        Call it once a split, not once a batch: each call indexes the whole file.

        Args:
            row_ids: ids of the rows, in the order wanted.
            text_hashes: hash of each row's text, as prepared.
            temperature: T of `ensemble.combine`; a regression task's scores know no temperature.

        Returns:
            Probabilities `(rows, classes)`, or scores `(rows, 1)` of a regression task.

        Raises:
            SoftLabelError: a row has no soft label or was labelled as another text, or the
                temperature is not above 0.
        """
        wanted = pa.chunked_array([pa.array(row_ids, pa.string())])
        at = locate(wanted, self.table["row_id"], self.origin)
        hashes = self.table["text_hash"].take(pa.array(at)).to_pylist()
        for row, has, should in zip(row_ids, hashes, text_hashes, strict=True):
            if has != should:
                self.origin.refuse("a row was labelled as another text", f"{row}: {has}, {should}")
        picked = self.member_logits[:, at]
        return _combine(self.task, picked, self.rule, self.weights, temperature)


def write(path: Path, splits: Mapping[str, Rows], members: Mapping[str, Logits], rule: str) -> None:
    """Make an ensemble's soft labels and write them; the same input gives the same bytes.

    Args:
        path: the file to write.
        splits: the prepared rows, all splits of one task.
        members: logits of every member, in the order wanted for the columns; each must hold
            exactly the prepared rows, in any order.
        rule: one of `ensemble.RULES`.

    Raises:
        SoftLabelError: a member's logits are of other rows, another task or another label order;
            the rule is unknown or cannot be used.
    """
    task = next(iter(splits.values())).task
    keys = parquet.keys(splits)
    values = [_member_values(keys, task, name, member) for name, member in members.items()]
    models = {name: dict(member.model) for name, member in members.items()}
    weights = _weights(task, models) if rule == "dev_weighted" else None
    stacked = np.stack(values) if values else np.empty((0, len(keys), task.outputs), np.float32)
    shares = None if weights is None else list(weights.values())
    outcome = _combine(task, stacked, rule, shares, 1.0)
    columns = [parquet.column(part) for part in [*values, outcome]]
    table = pa.table([*keys.columns, *columns], schema=schema(task, list(members)))
    _save(path, table, task, {"rule": rule, "weights": weights, "members": models})


def write_missing(path: Path, task: Task, rule: str) -> None:
    """Write a file without rows, for a task that the source does not have."""
    nothing: dict[str, Any] = {"rule": rule, "weights": None, "members": {}, "missing": True}
    _save(path, schema(task, []).empty_table(), task, nothing)


def read(path: Path, splits: Mapping[str, Rows] | None = None) -> SoftLabels:
    """Read soft labels and check all of them.

    Args:
        path: a file that `write` made.
        splits: the prepared rows that the file must be of, all splits of the task, or None to
            check the file in itself only.

    Raises:
        SoftLabelError: the file is missing, of another version, task or label order; a row is
            unknown, missing, there twice, or has another text or label; a number is NaN or
            infinite; probabilities do not add up to 1, or are not what the rule makes of the
            logits. The first offender is named.
    """
    mend = f"dvc repro ensemble@{path.stem}"
    what = "soft-label file"
    table, metadata = parquet.read_versioned(path, SCHEMA_VERSION, what, mend, _KEYS)
    found = SoftLabels(table, metadata, Origin(f"soft labels of {metadata['task']}", path, mend))
    _check_members(found)
    parquet.check_columns(table, schema(found.task, found.members), path, mend)
    if splits is None:
        check_unique(table["row_id"], found.origin)
    else:
        _check_rows(found, splits)
    _check_numbers(found)
    return found


def _outcome(task: Task) -> str:
    return "score" if task.regression else "probabilities"


def _combine(
    task: Task, stacked: Floats, rule: str, weights: Sequence[float] | None, temperature: float
) -> Floats:
    if task.regression:
        return ensemble.combine_scores(stacked, rule, weights)
    return ensemble.combine(stacked, rule, weights, temperature)


def _member_values(keys: pa.Table, task: Task, name: str, member: Logits) -> Floats:
    origin = Origin(f"logits of teacher {name}", mend=f"dvc repro teach@{task.name}-{name}")
    if member.model["name"] != name:
        origin.refuse("they are of another member", member.model["name"])
    _check_task(member.task, task, origin)
    return member.values[align(member.table, keys, origin)]


def _weights(task: Task, models: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    for name, model in models.items():
        if not any(part_of(split) == "dev" for split in model.get("dev", {})):
            raise SoftLabelError(
                "dev_weighted needs each member's dev metrics",
                seen=f"teacher {name} has none: {task.name} has no dev split",
                mend="set ensemble.rule to mean_probability",
            )
    return ensemble.dev_weights({n: task_score(task, model["dev"]) for n, model in models.items()})


def _save(path: Path, table: pa.Table, task: Task, notes: Mapping[str, Any]) -> None:
    described = parquet.describe(task)
    metadata = {"missing": False, "schema_version": SCHEMA_VERSION, **described, **notes}
    parquet.write(path, table, metadata)


def _check_members(found: SoftLabels) -> None:
    listed = sorted(found.metadata["members"])
    if sorted(found.members) != listed:
        found.origin.refuse(f"columns of {sorted(found.members)}, but metadata of {listed}")
    weights = found.metadata["weights"]
    if weights is not None and sorted(weights) != listed:
        found.origin.refuse(f"weights of {sorted(weights)}, but metadata of {listed}")


def _check_task(found: Task, expected: Task, origin: Origin) -> None:
    if found.name != expected.name:
        origin.refuse(f"they are of another task than {expected.name}", found.name)
    if found.labels != expected.labels:
        origin.refuse(f"label order is not {list(expected.labels)}", list(found.labels))


def _check_rows(found: SoftLabels, splits: Mapping[str, Rows]) -> None:
    for rows in splits.values():
        _check_task(found.task, rows.task, found.origin)
    if found.missing != ("train" not in splits):
        had = "had no train rows" if found.missing else "had train rows"
        found.origin.refuse(f"they were made when the source {had}", sorted(splits))
    if found.missing:
        return
    align(found.table, parquet.keys(splits), found.origin)


def _check_numbers(found: SoftLabels) -> None:
    if found.missing:
        return
    ids, origin, stacked = found.table["row_id"], found.origin, found.member_logits
    for name in (*(PREFIX + member for member in found.members), _outcome(found.task)):
        parquet.check_finite(found.table, name, origin.where, origin.mend)
    outcome = found.probabilities
    if not found.task.regression:
        soft_label_checks.check_simplex(outcome, ids, origin)
    try:
        expected = _combine(found.task, stacked, found.rule, found.weights, 1.0)
    except SoftLabelError as error:
        origin.refuse(error.what, error.seen)
    soft_label_checks.check_rule(found.rule, outcome, expected, ids, origin)
