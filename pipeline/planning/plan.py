"""Plan a params file: list every run that trains or scores, in the order of the stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.data import folds
from pipeline.errors import ParamsError
from pipeline.params.encoders import Encoder
from pipeline.params.sections import Params
from pipeline.params.teachers import WHOLE
from pipeline.params.training import BestEpoch
from pipeline.planning import dataset_sizes, encoder_shapes, stage_runs
from pipeline.planning.dataset_sizes import DatasetSize
from pipeline.planning.stage_runs import Job, Run
from pipeline.training import task_passes


@dataclass(frozen=True)
class Plan:
    """All runs that train or score, and the sizes of the tasks.

    Attributes:
        runs: in the order of the stages.
        amounts: rows of each task; None for a task of unknown size.
        params: the parameters.
    """

    runs: list[Run]
    amounts: Mapping[str, DatasetSize | None]
    params: Params


def of(params: Params) -> Plan:
    """Plan a params file.

    Raises:
        ParamsError: no task has train rows.
        DataError: a prepared file cannot be read.
        EncoderError: the package of an encoder is missing.
    """
    sizes = dataset_sizes.read(params)
    if all(amount is not None and not amount.of("train") for amount in sizes.values()):
        raise ParamsError("no task has train rows at the source", where="tasks in params.yaml")
    return Plan(count(params, sizes), sizes, params)


def count(params: Params, sizes: Mapping[str, DatasetSize | None]) -> list[Run]:
    """All runs, in the order of the stages, counted with these sizes of tasks."""
    return [stage_runs.count(job, sizes) for job in _jobs(params, sizes)]


def start(member: str, params: Params) -> Encoder:
    """A member's encoder; of candidates the largest, as none is selected yet."""
    own, section = params.teachers.members[member], params.refinement
    if own.refined is None:
        return own.encoder or params.teachers.encoder
    candidates = section.candidates.values()
    starts = [candidate.encoder or section.encoder for candidate in candidates]
    return max(starts, key=_size)


def _jobs(params: Params, sizes: Mapping[str, DatasetSize | None]) -> Iterator[Job]:
    for candidate in params.refinement.candidates:
        yield _refine(candidate, params, sizes)
    teachers = params.teachers
    for task in teachers.tasks:
        for member in teachers.members:
            for fold, rows in _train_rows_by_fold(sizes[task], params).items():
                yield _teach(task, member, fold, rows, params, sizes)
    for task in (name for name in teachers.tasks if name in params.transfer):
        for member in teachers.members:
            for fold in folds.names(teachers.folds):
                yield _label(task, member, fold, params, sizes)
    student = _distil(params, sizes)
    yield student
    yield from _baselines(student, params, sizes)
    for task in params.tuning.tasks:
        yield _tune(task, params, sizes)


def _refine(candidate: str, params: Params, sizes: Mapping[str, DatasetSize | None]) -> Job:
    section = params.refinement
    return Job(
        f"refine@{candidate}",
        section.candidates[candidate].encoder or section.encoder,
        {task: section.heads.get(task, section.head) for task in _trained_tasks(sizes)},
        section.training(candidate),
        train=_rows(sizes, "train"),
        scored=_rows(sizes, "dev"),
        watched=_watched(sizes, section.best_epoch),
        sampling=section.sampling,
    )


def _teach(
    task: str,
    member: str,
    fold: str,
    rows: float,
    params: Params,
    sizes: Mapping[str, DatasetSize | None],
) -> Job:
    teachers = params.teachers
    return Job(
        f"teach@{task}-{member}-{fold}",
        start(member, params),
        {task: teachers.tasks[task].head or teachers.head},
        teachers.training(task, member),
        train={task: rows},
        scored=_rows({task: sizes[task]}, "train", "dev", "test", "ax"),
    )


def _label(
    task: str, member: str, fold: str, params: Params, sizes: Mapping[str, DatasetSize | None]
) -> Job:
    teachers, amount = params.teachers, sizes[task]
    return Job(
        f"label@{task}-{member}-{fold}",
        start(member, params),
        {task: teachers.tasks[task].head or teachers.head},
        teachers.training(task, member),
        train={},
        scored={task: 0 if amount is None else amount.transfer},
    )


def _student(name: str, params: Params, sizes: Mapping[str, DatasetSize | None]) -> Job:
    student = params.student
    return Job(
        name,
        student.encoder,
        {task: student.heads.get(task, student.head) for task in _trained_tasks(sizes)},
        student,
        train=_rows(sizes, "train"),
        scored=_rows(sizes, "dev", "test", "ax"),
        watched=_watched(sizes, student.best_epoch),
        sampling=student.sampling,
    )


def _distil(params: Params, sizes: Mapping[str, DatasetSize | None]) -> Job:
    job, features = _student("distil", params, sizes), params.distillation.features
    further = {task: amount.transfer for task, amount in sizes.items() if amount is not None}
    taught = frozenset(params.teachers.tasks)
    guide = None if features is None else (start(features.member, params), taught)
    eager = features is not None and features.attention is not None
    learnt = {"further": further, "taught": taught, "guide": guide, "eager": eager}
    return Job(**{**vars(job), **learnt})


def _baselines(
    student: Job, params: Params, sizes: Mapping[str, DatasetSize | None]
) -> Iterator[Job]:
    """Those that are trained: none takes the student's steps where its epochs are enough."""
    for budget in params.baseline.budgets:
        if epochs := task_passes.baseline_epochs(budget, params, student.rows):
            job = _student(f"baseline@{budget}", params, sizes)
            settings = params.student.model_copy(update={"epochs": epochs})
            yield Job(**{**vars(job), "settings": settings})


def _tune(task: str, params: Params, sizes: Mapping[str, DatasetSize | None]) -> Job:
    student = params.student
    return Job(
        f"tune@{task}",
        student.encoder,
        {task: student.heads.get(task, student.head)},
        params.tuning.training(task),
        train=_rows({task: sizes[task]}, "train"),
        scored=_rows({task: sizes[task]}, "dev", "test", "ax"),
    )


def _trained_tasks(sizes: Mapping[str, DatasetSize | None]) -> list[str]:
    """Tasks that are not known to lack train rows: the others are left out of training."""
    return [task for task, amount in sizes.items() if amount is None or amount.of("train")]


def _rows(sizes: Mapping[str, DatasetSize | None], *parts: str) -> dict[str, float]:
    return {
        task: amount.of(*parts)
        for task, amount in sizes.items()
        if amount is not None and amount.of("train")
    }


def _watched(
    sizes: Mapping[str, DatasetSize | None], best_epoch: BestEpoch | None
) -> dict[str, float]:
    """Dev rows that are scored after every epoch, to choose the best one."""
    tasks = [] if best_epoch is None else best_epoch.tasks
    return {task: rows for task, rows in _rows(sizes, "dev").items() if task in tasks}


def _train_rows_by_fold(amount: DatasetSize | None, params: Params) -> dict[str, float]:
    """Train rows of each fold's teacher; a fair share where the rows are not prepared."""
    names = folds.names(params.teachers.folds)
    rows, count = (0 if amount is None else amount.of("train")), len(names)
    if names == [WHOLE]:
        return {WHOLE: rows}
    if amount is None or amount.train is None:
        return dict.fromkeys(names, rows * (1 - 1 / count))
    left_out = np.bincount(folds.held_out(amount.train, count), minlength=count + 1)
    return {name: rows - int(left_out[int(name)]) for name in names}


def _size(encoder: Encoder) -> int:
    shape = encoder_shapes.of(encoder)
    return 0 if shape is None else shape.parameters(pooler=True)
