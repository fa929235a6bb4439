"""Train and score by MKL, by the library of `machine.products: auto` and in bfloat16, in turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.special import softmax

from benchmarks import models, stopwatch, workload
from benchmarks.contestants import Prepared, ours
from benchmarks.job import Job
from benchmarks.products import DEFAULT
from benchmarks.workload import Workload
from pipeline.model import scoring
from pipeline.model.multitask import MultiTaskModel

AUTO, NARROW = "auto", "bfloat16"
_MODES: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        DEFAULT: {"products": "mkl", "precision": "float32"},
        AUTO: {"products": "auto", "precision": "float32"},
        NARROW: {"products": "auto", "precision": "bfloat16"},
    }
)


def switched(job: Job) -> Prepared:
    """Turns of an epoch and of scoring in each mode; details have their seconds.

    The model that is scored is not trained, so that its logits differ by the products alone.
    """
    rows, jobs = workload.of(job), {mode: replace(job, **of) for mode, of in _MODES.items()}
    trained, scored = (
        models.multi_task(models.classifier(job.model, job.seed, job.task), job.task) for _ in "ab"
    )
    digest, first = models.digest(trained), rows.first(min(len(rows.labels), job.batch_size))
    for mode in jobs:
        _turn(trained, scored, first, jobs[mode])

    def run() -> dict[str, Any]:
        logits: dict[str, np.ndarray] = {}
        turns = []
        for _ in range(job.repeats):
            turn = {}
            for mode in jobs:
                turn[mode], logits[mode] = _turn(trained, scored, rows, jobs[mode])
            turns.append(turn)
        return {
            "turns": turns,
            "differences": {mode: difference(logits[DEFAULT], logits[mode]) for mode in jobs},
            "library": ours.hardware_of(jobs[AUTO]).products,
        }

    return Prepared(run, len(rows.labels) * job.repeats, rows.digest, digest)


def difference(one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """Largest difference of a logit and of a probability; both have logits `(rows, classes)`."""
    return {
        "logit": float(np.abs(one - other).max()),
        "probability": float(np.abs(softmax(one, axis=1) - softmax(other, axis=1)).max()),
    }


def _turn(
    trained: MultiTaskModel, scored: MultiTaskModel, rows: Workload, job: Job
) -> tuple[dict[str, dict[stopwatch.Clock, float]], np.ndarray]:
    """Seconds of an epoch and of scoring, and the logits."""
    machine = ours.hardware_of(job)
    logits: list[np.ndarray] = []
    training = stopwatch.seconds(lambda: ours.fit(trained, rows, job, machine))
    score = stopwatch.seconds(
        lambda: logits.append(scoring.logits(scored, job.task, rows.tokens, machine, "scoring"))
    )
    return {"training": training, "scoring": score}, logits[0]
