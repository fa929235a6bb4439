"""Join the logits of one ensemble member over its folds, and fit its temperature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from pipeline import metrics, paths
from pipeline.data import folds, row_tables
from pipeline.data.row_join import Origin, align, check_task
from pipeline.data.row_tables import Floats
from pipeline.data.rows import TRANSFER, Rows, Splits
from pipeline.errors import SoftLabelError
from pipeline.soft_labels import calibration, logits
from pipeline.soft_labels.logits import Logits
from pipeline.stage_registry import output, remake
from pipeline.tasks import part_of

# Keys of a manifest that are its fold's.
_OF_THE_FOLD = ("fold", "seen", "weights_sha256", "dev", "trained", "held_out")
_SHARED = ("encoder", "training")  # keys on which the manifests of all folds must agree


def read(task: str, name: str, names: Sequence[str], splits: Splits) -> Logits:
    """One member's logits of one task, joined over its folds.

    Args:
        task: the task's name.
        name: name of the member.
        names: names of the folds; each has a teacher.
        splits: the prepared rows, and those of split `transfer` if the task has any.

    Raises:
        SoftLabelError: a file is missing or damaged, or is not of these rows, member or folds.
    """
    parts = {fold: logits.read(paths.prepared_logits(task, name, fold)) for fold in names}
    if TRANSFER not in splits:
        return join(name, parts, splits)
    labelled = {fold: logits.read(paths.transfer_logits(task, name, fold)) for fold in names}
    return join(name, parts, splits, labelled)


def join(
    name: str,
    parts: Mapping[str, Logits],
    splits: Splits,
    labelled: Mapping[str, Logits] = MappingProxyType({}),
) -> Logits:
    """Join the logits of one member's models of all folds (cross-fitting).

    A train row gets its logits from the one model that was not trained on it; a row of any other
    split gets the mean of all models' logits. The single fold `all` has its model's logits.

    Args:
        name: the member's name.
        parts: by name of fold, logits of its model for all prepared rows.
        splits: the prepared rows, and those of split `transfer` if there are any.
        labelled: by name of fold, the same models' logits for the rows of split `transfer`.

    Returns:
        Logits of the rows of `splits`, in their order. `model` is the manifest that all folds
        share, with the dev metrics of the mean logits and, under `by_fold`, the rest by fold.

    Raises:
        SoftLabelError: logits of other rows or of another task, or a model of another member or
            fold, of other settings, or trained on other rows than those outside its fold.
    """
    prepared = {split: rows for split, rows in splits.items() if split != TRANSFER}
    stacked = _stack("teach", name, parts, prepared)
    fold_of_row = folds.held_out(prepared["train"], len(parts))
    _check_manifests(name, parts, prepared["train"], fold_of_row)
    joined = _mean(stacked)
    if len(parts) > 1:
        train = np.flatnonzero(row_tables.keys(prepared)["split"].to_numpy() == "train")
        joined[train] = stacked[fold_of_row - 1, train]
    manifest = _manifest(parts, prepared, joined)
    if TRANSFER in splits:
        prepared[TRANSFER] = splits[TRANSFER]
        transfer = _transfer(name, parts, labelled, splits[TRANSFER])
        joined = np.concatenate([joined, transfer])
    task = prepared["train"].task
    return Logits(logits.tabulate(prepared, joined), logits.describe(task, manifest))


def temperatures(members: Mapping[str, Logits]) -> dict[str, float] | None:
    """Each member's temperature, fitted on its logits of the train rows.

    Args:
        members: joined logits by name, of models that were not trained on the rows they score.

    Returns:
        Temperatures by member; None for a regression task, whose scores have no temperature.
    """
    if any(member.task.regression for member in members.values()):
        return None
    train = {name: member.split("train") for name, member in members.items()}
    return {
        name: calibration.fit_temperature(member.values, member.table["label"].to_numpy())
        for name, member in train.items()
    }


def _origin(stage: str, task: str, name: str, fold: str) -> Origin:
    what = f"logits of teacher {name}, fold {fold}"
    return Origin(what, fix=remake(output(stage, task=task, member=name, fold=fold)))


def _check_manifests(
    name: str, parts: Mapping[str, Logits], train: Rows, fold_of_row: folds.Folds
) -> None:
    names = list(parts)
    first = parts[names[0]].model
    for fold, part in parts.items():
        origin, manifest = _origin("teach", train.task.name, name, fold), part.model
        seen = folds.fingerprint(folds.outside(train, fold, fold_of_row))
        expected = {"name": name, "fold": fold, "folds": names, "seen": seen}
        for key, value in expected.items():
            if manifest.get(key) != value:
                origin.refuse(_FAULTS[key].format(value), manifest.get(key))
        for key in _SHARED:
            if manifest.get(key) != first.get(key):
                origin.refuse(f"another {key} than that of fold {names[0]}", manifest.get(key))


_FAULTS = {
    "name": "the model is not of member {}",
    "fold": "the model is not that of fold {}",
    "folds": "the model was trained for other folds than {}",
    "seen": "the model was not trained on the rows outside its fold, {}",
}


def _stack(stage: str, name: str, parts: Mapping[str, Logits], splits: Splits) -> Floats:
    """Logits of every fold's model, `(folds, rows, classes)`, rows as in `splits`."""
    keys, task = row_tables.keys(splits), next(iter(splits.values())).task
    values = []
    for fold, part in parts.items():
        origin = _origin(stage, task.name, name, fold)
        check_task(part.task, task, origin)
        values.append(part.values[align(part.table, keys, origin)])
    return np.stack(values)


def _mean(stacked: Floats) -> Floats:
    mean: Floats = stacked.mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


def _transfer(
    name: str, parts: Mapping[str, Logits], labelled: Mapping[str, Logits], rows: Rows
) -> Floats:
    """Mean logits of the transfer rows, `(rows, classes)`."""
    if list(labelled) != list(parts):
        raise SoftLabelError(
            f"transfer rows must be labelled by the models of folds {list(parts)}",
            seen=list(labelled),
        )
    for fold in labelled:
        weights, expected = (of[fold].model.get("weights_sha256") for of in (labelled, parts))
        if weights != expected:
            fault = f"the transfer rows were labelled by another model than {expected}"
            _origin("label", rows.task.name, name, fold).refuse(fault, weights)
    return _mean(_stack("label", name, labelled, {TRANSFER: rows}))


def _manifest(parts: Mapping[str, Logits], prepared: Splits, joined: Floats) -> dict[str, Any]:
    """Manifest of the only model; or the part that all folds share, with the rest in `by_fold`."""
    manifests = {fold: dict(part.model) for fold, part in parts.items()}
    first = next(iter(manifests.values()))
    if len(manifests) == 1:
        return first
    shared = {key: value for key, value in first.items() if key not in _OF_THE_FOLD}
    return {
        **shared,
        "dev": _dev(prepared, joined),
        "by_fold": {
            fold: {key: value for key, value in manifest.items() if shared.get(key) != value}
            for fold, manifest in manifests.items()
        },
    }


def _dev(prepared: Splits, joined: Floats) -> dict[str, dict[str, float]]:
    """Metrics of every dev split, as fractions."""
    scores, start = {}, 0
    for split, rows in prepared.items():
        if part_of(split) == "dev":
            scores[split] = metrics.scores(
                rows.task, rows.labels, joined[start : start + len(rows)]
            )
        start += len(rows)
    return scores
