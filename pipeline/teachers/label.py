"""Score the transfer rows of a task with one teacher."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import paths
from pipeline.data import rows, transfer_rows
from pipeline.data.rows import Rows
from pipeline.errors import SavedModelError
from pipeline.model import saved_model
from pipeline.params.machine import Machine
from pipeline.runtime import artifacts
from pipeline.stage_registry import remake

if TYPE_CHECKING:
    import numpy as np


def label(task: str, member: str, fold: str, machine: Machine) -> None:
    """Score one task's transfer rows and write data/logits/<task>/<member>/<fold>/transfer/.

    The rows are cut to the length that the teacher was trained with. Without a teacher or without
    transfer rows, the folder holds only missing.json.

    Args:
        task: the task.
        member: the teacher's name.
        fold: the fold that it was not trained on, or `all`.
        machine: section `machine` of params.yaml.

    Raises:
        DataError: the task has not been prepared.
        SavedModelError: the teacher's folder is not whole, or it was trained on another task.
        SoftLabelError: a logit is not finite.
    """
    folder = paths.teacher(task, member, fold)
    transfer = transfer_rows.read(task)
    target = paths.transfer_logits(task, member, fold)
    with artifacts.new_folder(target.parent) as staging:
        if transfer is None or (folder / rows.MISSING).exists():
            lack = "transfer rows" if transfer is None else "teacher"
            note = f"{task}: no {lack}, nothing to label"
            print(note, file=sys.stderr)
            artifacts.write_json(staging / rows.MISSING, {"task": task, "note": note})
            return
        _write(staging / target.name, folder, transfer, machine)


def _write(path: Path, folder: Path, transfer: Rows, machine: Machine) -> None:
    from pipeline.soft_labels import logits

    scored, manifest = _score(folder, transfer, machine)
    logits.write(path, {rows.TRANSFER: transfer}, {rows.TRANSFER: scored}, manifest)


def _score(folder: Path, transfer: Rows, machine: Machine) -> tuple[np.ndarray, Mapping[str, Any]]:
    """Logits float32 `(rows, outputs)` and the teacher's manifest."""
    from pipeline.model import scoring, tokenization
    from pipeline.runtime import hardware

    device_settings = hardware.set_up(machine)
    teacher = saved_model.load(folder)
    _check_task(folder, teacher.network.tasks, transfer)
    network = teacher.network.to(device_settings.device)
    length = teacher.manifest["training"]["max_length"]
    packed = tokenization.tokenise(transfer, teacher.tokenizer, length)
    task = transfer.task.name
    title = f"label {task} {teacher.manifest['name']}"
    return scoring.logits(network, task, packed, device_settings, title), teacher.manifest


def _check_task(folder: Path, taught: Mapping[str, Any], transfer: Rows) -> None:
    task = transfer.task
    if task.name not in taught or taught[task.name].labels != task.labels:
        raise SavedModelError(
            f"the teacher was not taught {task.name} with these classes",
            seen={name: list(known.labels) for name, known in taught.items()},
            where=folder,
            fix=remake(folder),
        )
