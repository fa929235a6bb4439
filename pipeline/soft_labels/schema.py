"""Soft labels in memory: columns, metadata, targets, and checks of metadata and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.data import row_tables
from pipeline.data.row_join import Origin, locate
from pipeline.data.row_tables import Floats
from pipeline.errors import SoftLabelError
from pipeline.params import rules
from pipeline.params.teachers import WHOLE
from pipeline.soft_labels import checks, ensemble_rules
from pipeline.tasks import Task

SCHEMA_VERSION = 2
PREFIX = "logits_"
KEYS = (*row_tables.DESCRIPTION, "rule", "weights", "temperatures", "folds", "members", "missing")


def schema(task: Task, members: Sequence[str]) -> pa.Schema:
    """Columns of a soft-label file."""
    vector = row_tables.vector(task.outputs)
    columns = [pa.field(PREFIX + member, vector, nullable=False) for member in members]
    outcome = pa.field(_outcome(task), vector, nullable=False)
    return pa.schema([*row_tables.key_fields(task), *columns, outcome])


@dataclass(frozen=True)
class SoftLabels(row_tables.Described):
    """Soft labels of one task.

    Attributes:
        table: columns as in `schema`.
        metadata: schema_version, the task, rule, weights, temperatures, folds, members, missing.
        origin: the file, for errors.
    """

    origin: Origin

    @property
    def missing(self) -> bool:
        """Whether the source lacks the task; the file has no rows then."""
        return bool(self.metadata["missing"])

    @property
    def rule(self) -> str:
        """Name of the ensemble rule that made the soft labels."""
        return rules.name(self.metadata["rule"])

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
        """Names of the folds; `("all",)` if a member is one model trained on every train row."""
        return tuple(self.metadata["folds"])

    @property
    def member_logits(self) -> Floats:
        """Every member's raw logits, `(members, rows, classes)`."""
        width = self.task.outputs
        parts = [row_tables.matrix(self.table[PREFIX + member], width) for member in self.members]
        return np.stack(parts) if parts else np.empty((0, len(self), width), np.float32)

    @property
    def probabilities(self) -> Floats:
        """The soft labels at T = 1, `(rows, classes)`; for a regression task scores `(rows, 1)`."""
        return row_tables.matrix(self.table[_outcome(self.task)], self.task.outputs)

    def targets(
        self, row_ids: Sequence[str], text_hashes: Sequence[str], temperature: float = 1.0
    ) -> Floats:
        """Compute soft targets of the named rows from the members' logits.

        Call it once per split, not per batch: each call indexes the whole file.

        Args:
            row_ids: ids of the rows, in the order wanted.
            text_hashes: hash of each row's text, as prepared.
            temperature: T of `ensemble_rules.combine`, multiplied with each member's own; the
                scores of a regression task have no temperature.

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
        """Combine members' logits by the rule, weights and temperatures of this file.

        Args:
            logits: `(members, rows, classes)`, members in the order of the columns.
            temperature: as for `targets`.

        Returns:
            Probabilities `(rows, classes)`, or scores `(rows, 1)` of a regression task.

        Raises:
            SoftLabelError: rule, weights, calibration or temperature cannot be used.
        """
        if self.task.regression:
            return ensemble_rules.combine_scores(logits, self.metadata["rule"], self.weights)
        return ensemble_rules.combine(
            logits, self.metadata["rule"], self.weights, temperature, self.temperatures
        )

    def _by_member(self, key: str) -> list[float] | None:
        values = self.metadata[key]
        return None if values is None else [values[member] for member in self.members]


def check_metadata(labels: SoftLabels) -> None:
    """Refuse metadata that contradict each other on members, folds or calibration.

    Raises:
        SoftLabelError: names the contradiction.
    """
    models, origin = labels.metadata["members"], labels.origin
    checks.check_members(labels.members, labels.metadata, origin)
    for name, model in models.items():
        if folds(model) != list(labels.folds):
            origin.refuse(f"teacher {name} is not of folds {list(labels.folds)}", folds(model))
    if labels.temperatures is not None:
        checks.check_calibration(labels.task, labels.folds, labels.temperatures, origin)


def check_numbers(labels: SoftLabels) -> None:
    """Refuse numbers that are not finite, and soft labels that differ from the rule's.

    Raises:
        SoftLabelError: names the first row.
    """
    if labels.missing:
        return
    ids, origin = labels.table["row_id"], labels.origin
    for name in (*(PREFIX + member for member in labels.members), _outcome(labels.task)):
        row_tables.check_finite(labels.table, name, origin.where, origin.fix)
    values = labels.probabilities
    if not labels.task.regression:
        checks.check_simplex(values, ids, origin)
    try:
        expected = labels.combine(labels.member_logits)
    except SoftLabelError as error:
        origin.refuse(error.what, error.seen)
    checks.check_rule(labels.rule, values, expected, ids, origin)


def folds(model: Mapping[str, Any]) -> list[str]:
    """Names of a member's folds; without them the model was trained on all train rows."""
    return list(model.get("folds", [WHOLE]))


def _outcome(task: Task) -> str:
    return "score" if task.regression else "probabilities"
