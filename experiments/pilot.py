"""Try a setting of the student on a slice of train that nobody learns from; dev stays untouched.

Run it where teachers and soft labels are up to date: a quarter of the transfer rows of each task
with teachers is kept back, with the gold labels that nobody has seen, and the student learns those
tasks from the rest.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
import pyarrow as pa

from experiments.run import PROFILE
from pipeline import metrics, paths
from pipeline.data import rows, transfer_rows
from pipeline.data.formats import layouts
from pipeline.data.formats import readers as splits
from pipeline.data.prepared import read_prepared
from pipeline.data.rows import Rows
from pipeline.errors import DataError, PipelineError
from pipeline.params import file, profiles
from pipeline.params.sections import Params
from pipeline.soft_labels import logits
from pipeline.student import distil, feature_teachers
from pipeline.student import train as student
from pipeline.training import task_passes
from pipeline.training.task_passes import TaskRows

KEPT_BACK = 0.25
BUDGETS = ("epochs", "steps")
_DEV = "dev"


def lines(profile: str, changes: Sequence[str], baseline: str | None) -> list[str]:
    """Run a profile with changes and return the scores: one line per task, one of the means.

    Raises:
        PipelineError: the profile, a change or the baseline's budget cannot be used; rows or soft
            labels are not there.
    """
    if baseline not in (None, *BUDGETS):
        fix = f"choose from {', '.join(BUDGETS)}"
        raise PipelineError("no such budget", seen=baseline, where="--baseline", fix=fix)
    params = file.check(profiles.values(profile, changes))
    require(params, profile)
    return run(params, baseline)


def require(params: Params, profile: str) -> None:
    """Check that the pilot's inputs exist; params.yaml may be of another profile.

    Raises:
        DataError: rows or soft labels are not there.
    """
    taught = params.teachers.tasks
    needed = [paths.prepared(task) for task in params.tasks]
    needed += [of(task) for of in (paths.transfer, paths.soft_labels) for task in taught]
    if gone := [path for path in needed if not path.exists()]:
        folder = " DATA=FOLDER" if profile == PROFILE else ""
        fix = f"make repro PROFILE={profile}{folder}"
        raise DataError(
            f"rows or soft labels of profile {profile} are not made yet", where=gone[0], fix=fix
        )


def run(params: Params, baseline: str | None) -> list[str]:
    """Train on the tasks with teachers and score the rows that were kept back.

    Args:
        params: all parameters.
        baseline: None for the student; `epochs` or `steps` for a model on gold labels alone that
            trains for as many epochs, or for as many steps, as the student.

    Raises:
        PipelineError: rows or soft labels are not there.
    """
    available = read_prepared(params)
    prepared, training, targets, ensemble, counts = {}, {}, {}, {}, {}
    stopping = params.student.early_stopping
    share = 0.0 if stopping is None else stopping.share  # of gold rows, which nobody trains on
    for task in params.teachers.tasks:
        further = transfer_rows.read(task)
        if further is None:
            raise DataError("no transfer rows to keep back", seen=task, fix="make repro")
        known = distil.read_targets(task, available[task], further, params)
        train, kept = len(available[task]["train"]), _kept_back(len(further))
        judged = with_gold(task, further.where(kept), params)
        prepared[task] = {"train": available[task]["train"], _DEV: judged}
        ensemble[task] = _score(known[train:][kept], judged)
        training[task] = available[task]["train"]
        counts[task] = TaskRows(train - round(share * train), int((~kept).sum()), taught=True)
        if baseline is None:
            training[task] = rows.concatenate(training[task], further.where(~kept))
            targets[task] = np.concatenate([known[:train], known[train:][~kept]])
    if baseline is not None:
        epochs = task_passes.baseline_epochs(baseline, params, counts) or params.student.epochs
        own = params.student.model_copy(update={"epochs": epochs})
        params = params.model_copy(update={"student": own})
    with tempfile.TemporaryDirectory() as folder:
        settings = None if baseline else params.distillation
        teachers = {} if baseline else feature_teachers.load(params, targets)
        target = Path(folder) / "student"
        student.train(target, params, prepared, training, settings, targets, teachers)
        scores = {task: _student_score(target, task, prepared[task][_DEV]) for task in training}
    return [*_lines(scores, ensemble)]


def with_gold(task: str, unlabelled: Rows, params: Params) -> Rows:
    """Transfer rows of a task with the labels that its train file has for them."""
    custom = params.tasks[task].custom
    raw = splits.read(paths.raw(task), task)
    readers = splits.readers(raw, layouts.task_of(task, custom), layouts.layout_of(task, custom))
    table = unlabelled.table
    gold = readers["train"]()["label"].combine_chunks().take(table["index"].combine_chunks())
    place = table.schema.get_field_index("label")
    table = table.set_column(place, table.schema.field(place), pa.chunked_array([gold]))
    return Rows(table, {**unlabelled.metadata, "split": _DEV})


def _kept_back(count: int) -> np.ndarray:
    """A random quarter, the same at every call, bool `(count,)`."""
    kept = np.zeros(count, bool)
    kept[np.random.default_rng(0).permutation(count)[: int(KEPT_BACK * count)]] = True
    return kept


def _student_score(folder: Path, task: str, judged: Rows) -> float:
    return _score(logits.read(paths.task_logits(folder, task)).values, judged)


def _score(values: np.ndarray, judged: Rows) -> float:
    """GLUE's score of a task in percent, the mean of its metrics."""
    return 100 * fmean(metrics.scores(judged.task, judged.labels, values).values())


def _lines(scores: Mapping[str, float], ensemble: Mapping[str, float]) -> list[str]:
    lines = [f"{task}: {scores[task]:.1f}, ensemble {ensemble[task]:.1f}" for task in scores]
    means = (fmean(by_task.values()) for by_task in (scores, ensemble))
    return [*lines, "mean: {:.2f}, ensemble {:.2f}".format(*means)]
