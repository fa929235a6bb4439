"""This project's training, distillation and labelling as contestants."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import models, peak, workload
from benchmarks.contestants import Prepared
from benchmarks.job import TEACHER, TEACHERS, Job
from benchmarks.workload import Workload
from pipeline.model import batching, scoring
from pipeline.model.multitask import MultiTaskModel
from pipeline.params import machine
from pipeline.params.distillation import Distillation
from pipeline.params.losses.cross_entropy import CrossEntropy
from pipeline.runtime import hardware
from pipeline.runtime.hardware import Hardware
from pipeline.training.losses.objective import TrainingSet
from pipeline.training.run import Run
from pipeline.training.trainer import train

_HALVES = Distillation(
    hard_weight=0.5,
    temperature=1.0,
    loss=CrossEntropy(kind="cross_entropy"),
    scale=1.0,
    label_smoothing=0.0,
    features=None,
)


def training(job: Job) -> Prepared:
    """Training on gold labels."""
    machine, rows = hardware_of(job), workload.of(job)
    fit(_model(job), rows.first(min(len(rows.labels), job.warmup * job.batch_size)), job, machine)
    model = _model(job)
    return Prepared(
        lambda: fit(model, rows, job, machine),
        len(rows.labels) * job.epochs,
        rows.digest,
        models.digest(model),
    )


def training_freely(job: Job) -> Prepared:
    """As `training`, but operations need not give the same bytes every time."""
    prepared = training(job)
    torch.use_deterministic_algorithms(False)
    return prepared


def distilling(job: Job) -> Prepared:
    """Labelling by three teachers, then training on hard and soft labels."""
    machine, rows = hardware_of(job), workload.of(job)
    teachers = [
        models.multi_task(models.classifier(TEACHER, job.seed + 1 + number, job.task), job.task)
        for number in range(TEACHERS)
    ]
    model, first = _model(job), rows.first(min(len(rows.labels), job.batch_size))
    fit(_model(job), first, job, machine, soft_labels(teachers, first, job, machine))

    def run() -> None:
        fit(model, rows, job, machine, soft_labels(teachers, rows, job, machine))

    examples = len(rows.labels) * job.epochs
    return Prepared(run, examples, rows.digest, models.digest(model))


def labelling(job: Job) -> Prepared:
    """Logits of every row by one trained model."""
    machine, rows = hardware_of(job), workload.of(job)
    model = _model(job)
    first = rows.first(min(len(rows.labels), job.warmup * job.batch_size))
    scoring.logits(model, job.task, first.tokens, machine, "warm-up")

    def run() -> None:
        scoring.logits(model, job.task, rows.tokens, machine, "labelling")

    return Prepared(run, len(rows.labels), rows.digest, models.digest(model))


def remembering(job: Job) -> Prepared:
    """As `training`, with the process's memory before there is a model and after every epoch.

    Warmed up on a model of one narrow layer and two rows, so that the libraries' code is loaded.
    Each epoch is a training of its own and draws its own batches.
    """
    machine, rows = hardware_of(job), workload.of(job)
    imported = peak.resident()
    speck = models.multi_task(models.classifier("speck", job.seed, job.task), job.task)
    fit(speck, rows.first(2), job, machine)
    del speck
    base = peak.resident()
    model = _model(job)

    def run() -> dict[str, Any]:
        peaks = []
        for epoch in range(job.epochs):
            fit(model, rows, replace(job, epochs=1, seed=job.seed + epoch), machine)
            peaks.append(peak.highest())
        return {"peak_bytes": peaks}

    details = {"imported_bytes": imported, "base_bytes": base}
    examples = len(rows.labels) * job.epochs
    return Prepared(run, examples, rows.digest, models.digest(model), details)


def hardware_of(job: Job) -> Hardware:
    """The machine as a stage sets it up, on the job's device and with its settings."""
    settings = models.defaults().machine
    values = {
        "device": job.device,
        "precision": job.precision,
        "products": job.products,
        "labelling_tokens": job.labelling_tokens,
        "threads": job.threads,
        "shards": job.threads,
    }
    return hardware.set_up(machine.Machine(**{**settings.model_dump(), **values}))


def fit(
    model: MultiTaskModel,
    rows: Workload,
    job: Job,
    machine: Hardware,
    targets: np.ndarray | None = None,
) -> None:
    """Train a model as the stages do.

    Args:
        model: trained in place.
        rows: all of its rows.
        job: settings and seed.
        machine: as of `hardware_of`.
        targets: soft labels `(rows, classes)`; None for gold labels alone.
    """
    sets = {job.task: TrainingSet(rows.tokens, rows.labels, targets)}
    with tempfile.TemporaryDirectory() as folder:
        run = Run(
            title="benchmark",
            settings=job.recipe,
            seed=job.seed,
            log=Path(folder) / "log.csv",
            distillation=None if targets is None else _HALVES,
        )
        train(model, sets, run, machine)


def soft_labels(
    teachers: Sequence[MultiTaskModel], rows: Workload, job: Job, machine: Hardware
) -> np.ndarray:
    """Mean probabilities of the teachers, float32 `(rows, classes)` (arXiv 1904.09482, Eq. 3)."""
    from scipy.special import softmax

    logits = [
        scoring.logits(teacher, job.task, rows.tokens, machine, "labelling") for teacher in teachers
    ]
    mean: np.ndarray = softmax(np.stack(logits), axis=2).mean(0)
    return mean.astype(np.float32)


def batches(rows: np.ndarray, job: Job) -> list[np.ndarray]:
    """Shards of one epoch's batches, as positions of rows of these lengths `(rows,)`."""
    random = np.random.default_rng(job.seed)
    groups = batching.groups(rows, np.arange(len(rows)), job.batch_size, 1, random)
    whole = [batch for group in groups for batch in group]
    return [shard for batch in whole for shard in batching.cut(rows, batch, job.threads)]


def _model(job: Job) -> MultiTaskModel:
    model = models.multi_task(models.classifier(job.model, job.seed, job.task), job.task)
    return model.to(job.device)
