"""Count the steps, tokens and weights of each run, a process that DVC starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from types import MappingProxyType

import numpy as np

from pipeline.params import sections
from pipeline.params.encoders import Encoder
from pipeline.params.heads import Head
from pipeline.params.sampling import MergedSampling, Sampling
from pipeline.planning import encoder_shapes, row_lengths
from pipeline.planning.cost import NOTHING, Load, Training
from pipeline.planning.dataset_sizes import DatasetSize
from pipeline.planning.encoder_shapes import Shape
from pipeline.training import task_passes, task_sampling
from pipeline.training.task_passes import TaskRows

MERGED = MergedSampling(kind="merged")


@dataclass(frozen=True)
class Job:
    """A run as the parameters define it.

    Attributes:
        name: its stage as DVC names it, such as teach@rte-m1-all.
        encoder: its initial encoder, or one of the same shape.
        heads: heads by task.
        settings: of its training, or of the teacher that it scores with.
        train: labelled rows to train on, by task; empty if the run only scores.
        further: rows without a label to train on, by task.
        taught: tasks whose soft labels are learnt.
        scored: rows to score once the model is trained, by task.
        watched: those of them that are scored after every epoch too, by task.
        sampling: how often each task is trained on.
        guide: encoder of the teacher whose inner states are matched, and the tasks that have one.
        eager: whether attention probabilities are matched, and so kept.
    """

    name: str
    encoder: Encoder
    heads: Mapping[str, Head]
    settings: sections.Training
    train: Mapping[str, float]
    scored: Mapping[str, float]
    further: Mapping[str, float] = field(default_factory=dict)
    taught: frozenset[str] = frozenset()
    watched: Mapping[str, float] = field(default_factory=dict)
    sampling: Sampling = MERGED
    guide: tuple[Encoder, frozenset[str]] | None = None
    eager: bool = False

    @property
    def rows(self) -> dict[str, TaskRows]:
        """Rows that it trains on by task, without those that early stopping holds out."""
        held_out = _held_out(self)
        return {
            task: TaskRows(
                round(number - held_out[task]),
                round(self.further.get(task, 0)),
                task in self.taught,
            )
            for task, number in self.train.items()
        }


@dataclass(frozen=True)
class Run:
    """A job with its counted work.

    Attributes:
        job: the run's definition.
        shape: its encoder; None if it is not known.
        weights: number of weights of encoder and heads.
        trained: training by task; empty if it only scores.
        scored: rows that are scored, those of every epoch's end included.
        guide: encoder of a teacher whose inner states are matched, and the rows it sees.
        widened: rows of a batch, extra pairs of its head included, for each row.
        unknown: the reason that it cannot be counted; "" if it can.
    """

    job: Job
    shape: Shape | None
    weights: int
    trained: Mapping[str, Training]
    scored: Load
    guide: tuple[Shape, Load] | None = None
    widened: float = 1.0
    unknown: str = ""

    @property
    def stage(self) -> str:
        """The stage without its instance."""
        return self.job.name.partition("@")[0]

    @property
    def steps(self) -> int:
        """Steps of the optimizer."""
        return round(sum(work.steps for work in self.trained.values()))

    @property
    def tokens(self) -> float:
        """Tokens of all epochs, padding included."""
        return sum(work.load.tokens for work in self.trained.values())


def count(job: Job, known: Mapping[str, DatasetSize | None]) -> Run:
    """Count a job.

    Args:
        job: the run.
        known: sizes by task; None where nothing is known.
    """
    shape = encoder_shapes.of(job.encoder)
    amounts = {name: amount for name, amount in known.items() if amount is not None}
    unknown = _unknown(job, shape, amounts)
    if unknown or shape is None:
        return Run(job, shape, 0, {}, NOTHING, unknown=unknown)
    held_out = _held_out(job)
    sizes = {task: n - held_out[task] + job.further.get(task, 0) for task, n in job.train.items()}
    passes = task_passes.passes(job.sampling, job.rows)
    rank = {task: 1 + head.extra_pairs for task, head in job.heads.items()}
    trained = {
        task: replace(work, load=work.load.times(rank[task]))
        for task, work in training(sizes, amounts, job.settings, job.sampling, passes).items()
    }
    return Run(
        job,
        shape,
        weights(job, amounts, shape),
        trained,
        _scored(job, held_out, amounts),
        _guide(job, trained),
        max((rank[task] for task in trained), default=1.0),
    )


def training(
    sizes: Mapping[str, float],
    amounts: Mapping[str, DatasetSize],
    settings: sections.Training,
    sampling: Sampling = MERGED,
    passes: Mapping[str, Fraction] = MappingProxyType({}),
) -> dict[str, Training]:
    """Training by task over all epochs, in the steps that pipeline/training/task_sampling.py makes.

    Args:
        sizes: rows that are trained on, by task.
        amounts: how long they are.
        settings: batch size, accumulation, epochs, lengths.
        sampling: how often each task is trained on; a randomly drawn task gets its expected share.
        passes: passes over a task's rows in an epoch, 1 for a task that is not there.
    """
    counts = {task: round(size) for task, size in sizes.items() if round(size)}
    whole = task_sampling.steps_per_epoch(counts, settings)
    by_task = {}
    for task, number in counts.items():
        steps = task_sampling.steps_per_epoch({task: number}, settings)
        # How often the task's rows are gone through.
        times = task_sampling.steps({task: number}, settings, passes) / steps
        if not isinstance(sampling, MergedSampling):
            times *= task_sampling.chances(counts, sampling)[task] * whole / steps
        load = _load(amounts[task].lengths, number, settings)
        batches = -(-number // settings.batch_size)
        by_task[task] = Training(load.times(times), batches * times, steps * times)
    return by_task


def _load(lengths: np.ndarray, rows: int, settings: sections.Training) -> Load:
    if settings.batches == "by_length":
        return row_lengths.load(lengths, rows, settings.max_length)
    batch_size = min(settings.batch_size, rows)
    return row_lengths.load_at_random(lengths, rows, settings.max_length, batch_size)


def weights(job: Job, amounts: Mapping[str, DatasetSize], shape: Shape) -> int:
    """Number of weights of encoder and heads, as MultiTaskModel.parameter_count has it."""
    pooler = any(head.uses_pooler for head in job.heads.values())
    heads = (head.weights(shape.hidden, amounts[task].task) for task, head in job.heads.items())
    return shape.parameters(pooler) + sum(heads)


def _unknown(job: Job, shape: Shape | None, amounts: Mapping[str, DatasetSize]) -> str:
    if lacking := [task for task in job.heads if task not in amounts]:
        return f"rows of {', '.join(lacking)} are not known before `dvc repro prepare`"
    if shape is None:
        name = getattr(job.encoder, "repo", None) or getattr(job.encoder, "path", "the encoder")
        return f"the shape of {name} is not known on this machine"
    return ""


def _held_out(job: Job) -> dict[str, int]:
    stopping = job.settings.early_stopping
    share = 0.0 if stopping is None else stopping.share
    return {task: round(share * size) for task, size in job.train.items()}


def _scored(job: Job, held_out: Mapping[str, int], amounts: Mapping[str, DatasetSize]) -> Load:
    epochs, length = job.settings.epochs, job.settings.max_length
    each = {task: held_out.get(task, 0) + job.watched.get(task, 0) for task in job.scored}
    return total(
        row_lengths.load(amounts[task].lengths, rows + epochs * each[task], length)
        for task, rows in job.scored.items()
    )


def _guide(job: Job, trained: Mapping[str, Training]) -> tuple[Shape, Load] | None:
    if job.guide is None or (shape := encoder_shapes.of(job.guide[0])) is None:
        return None
    return shape, total(work.load for task, work in trained.items() if task in job.guide[1])


def total(loads: Iterable[Load]) -> Load:
    """All loads together."""
    result = NOTHING
    for load in loads:
        result = result.plus(load)
    return result
