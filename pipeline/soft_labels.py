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
import pyarrow.compute as pc

from pipeline import ensemble, parquet, soft_label_checks
from pipeline.alignment import Origin, align, check_task, check_unique, locate
from pipeline.errors import SoftLabelError
from pipeline.logits import Logits
from pipeline.metrics import task_score
from pipeline.params.teachers import WHOLE
from pipeline.parquet import Floats
from pipeline.rows import TRANSFER, Rows
from pipeline.tasks import Task, part_of

SCHEMA_VERSION = 2
PREFIX = "logits_"
_OWN = ("rule", "weights", "temperatures", "folds", "members", "missing")
_KEYS = (*parquet.DESCRIPTION, *_OWN)


def schema(task: Task, members: Sequence[str]) -> pa.Schema:
    """Columns of a soft-label file."""
    vector = parquet.vector(task.outputs)
    columns = [pa.field(PREFIX + member, vector, nullable=False) for member in members]
    outcome = pa.field(_outcome(task), vector, nullable=False)
    return pa.schema([*parquet.key_fields(task), *columns, outcome])


@dataclass(frozen=True)
class SoftLabels(parquet.Described):
    """Soft labels of one task.

    Attributes:
        table: columns as in `schema`.
        metadata: schema_version, the task, rule, weights, temperatures, folds, members, missing.
        origin: the file, for errors.
    """

    origin: Origin

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
        return self._by_member("weights")

    @property
    def temperatures(self) -> list[float] | None:
        """Temperatures that calibrate the members, in their order, or None without calibration."""
        return self._by_member("temperatures")

    @property
    def folds(self) -> tuple[str, ...]:
        """Names of the folds of every member; `("all",)` if its one model has seen every row."""
        return tuple(self.metadata["folds"])

    @property
    def member_logits(self) -> Floats:
        """Every member's raw logits, `(members, rows, classes)`."""
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
            temperature: T of `ensemble.combine`, which multiplies with each member's own; a
                regression task's scores know no temperature.

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
        return self.combine(self.member_logits[:, at], temperature)

    def combine(self, logits: Floats, temperature: float = 1.0) -> Floats:
        """What rule, weights and calibration of this file make of members' logits.

        Args:
            logits: `(members, rows, classes)`, members in the order of the columns.
            temperature: as for `targets`.

        Returns:
            Probabilities `(rows, classes)`, or scores `(rows, 1)` of a regression task.

        Raises:
            SoftLabelError: rule, weights, calibration or temperature cannot be used.
        """
        if self.task.regression:
            return ensemble.combine_scores(logits, self.rule, self.weights)
        return ensemble.combine(logits, self.rule, self.weights, temperature, self.temperatures)

    def _by_member(self, key: str) -> list[float] | None:
        values = self.metadata[key]
        return None if values is None else [values[member] for member in self.members]


def write(
    path: Path,
    splits: Mapping[str, Rows],
    members: Mapping[str, Logits],
    rule: str,
    temperatures: Mapping[str, float] | None = None,
) -> None:
    """Make an ensemble's soft labels and write them; the same input gives the same bytes.

    Args:
        path: the file to write.
        splits: the prepared rows, all splits of one task, then those of split `transfer` if the
            members have labelled any.
        members: logits of every member, in the order wanted for the columns; each must hold
            exactly these rows, in any order.
        rule: one of `ensemble.RULES`.
        temperatures: temperature that calibrates each member, or None for no calibration.

    Raises:
        SoftLabelError: a member's logits are of other rows, another task or another label order,
            or of models of other folds than the first member's; rule or temperatures are unknown
            or cannot be used.
    """
    task = next(iter(splits.values())).task
    keys = parquet.keys(splits)
    values = [_member_values(keys, task, name, member) for name, member in members.items()]
    models = {name: dict(member.model) for name, member in members.items()}
    notes = {
        "rule": rule,
        "weights": _weights(task, models) if rule == "dev_weighted" else None,
        "temperatures": None if temperatures is None else dict(temperatures),
        "folds": _folds(next(iter(models.values()), {})),
        "members": models,
    }
    stacked = np.stack(values) if values else np.empty((0, len(keys), task.outputs), np.float32)
    columns = schema(task, list(members))
    fields = [columns.field(at) for at in range(len(columns) - 1)]
    raw = pa.table([*keys.columns, *map(parquet.column, values)], schema=pa.schema(fields))
    made = SoftLabels(raw, _metadata(task, notes), Origin(f"soft labels of {task.name}", path))
    _check_notes(made)
    outcome = parquet.column(made.combine(stacked))
    table = raw.append_column(columns.field(len(fields)), outcome)
    parquet.write(path, table, made.metadata)


def write_missing(path: Path, task: Task, rule: str) -> None:
    """Write a file without rows, for a task that the source does not have."""
    nothing: dict[str, Any] = {"rule": rule, "weights": None, "temperatures": None, "folds": []}
    metadata = _metadata(task, {**nothing, "members": {}, "missing": True})
    parquet.write(path, schema(task, []).empty_table(), metadata)


def read(path: Path, splits: Mapping[str, Rows] | None = None) -> SoftLabels:
    """Read soft labels and check all of them.

    Args:
        path: a file that `write` made.
        splits: the prepared rows that the file must be of, all splits of the task, or None to
            check the file in itself only. With split `transfer` the file must hold exactly its
            rows too; without it, transfer rows in the file are compared with nothing.

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
    _check_notes(found)
    parquet.check_columns(table, schema(found.task, found.members), path, mend)
    _check_rows(found, splits)
    _check_numbers(found)
    return found


def _outcome(task: Task) -> str:
    return "score" if task.regression else "probabilities"


def _member_values(keys: pa.Table, task: Task, name: str, member: Logits) -> Floats:
    origin = Origin(f"logits of teacher {name}", mend=f"dvc repro ensemble@{task.name}")
    if member.model["name"] != name:
        origin.refuse("they are of another member", member.model["name"])
    check_task(member.task, task, origin)
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


def _metadata(task: Task, notes: Mapping[str, Any]) -> dict[str, Any]:
    described = parquet.describe(task)
    return {"missing": False, "schema_version": SCHEMA_VERSION, **described, **notes}


def _folds(model: Mapping[str, Any]) -> list[str]:
    """Folds of a member; one that names none has seen all train rows."""
    return list(model.get("folds", [WHOLE]))


def _check_notes(found: SoftLabels) -> None:
    """What the metadata say of the members, of folds and of calibration."""
    models, origin = found.metadata["members"], found.origin
    soft_label_checks.check_members(found.members, found.metadata, origin)
    for name, model in models.items():
        if _folds(model) != list(found.folds):
            origin.refuse(f"teacher {name} is not of folds {list(found.folds)}", _folds(model))
    if found.temperatures is not None:
        soft_label_checks.check_calibration(found.task, found.folds, found.temperatures, origin)


def _check_rows(found: SoftLabels, splits: Mapping[str, Rows] | None) -> None:
    table, origin = found.table, found.origin
    check_unique(table["row_id"], origin)
    further = pc.equal(table["split"], TRANSFER)
    soft_label_checks.check_unlabelled(table.filter(further), origin)
    if splits is None:
        return
    for rows in splits.values():
        check_task(found.task, rows.task, origin)
    if found.missing != ("train" not in splits):
        had = "had no train rows" if found.missing else "had train rows"
        origin.refuse(f"they were made when the source {had}", sorted(splits))
    if not found.missing:
        known = table if TRANSFER in splits else table.filter(pc.invert(further))
        align(known, parquet.keys(splits), origin)


def _check_numbers(found: SoftLabels) -> None:
    if found.missing:
        return
    ids, origin = found.table["row_id"], found.origin
    for name in (*(PREFIX + member for member in found.members), _outcome(found.task)):
        parquet.check_finite(found.table, name, origin.where, origin.mend)
    outcome = found.probabilities
    if not found.task.regression:
        soft_label_checks.check_simplex(outcome, ids, origin)
    try:
        expected = found.combine(found.member_logits)
    except SoftLabelError as error:
        origin.refuse(error.what, error.seen)
    soft_label_checks.check_rule(found.rule, outcome, expected, ids, origin)
