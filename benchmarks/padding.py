"""Share of padding in training batches, on the lengths of every GLUE task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from benchmarks.figures import Figure, Findings, Options, Table
from benchmarks.job import Job

TARGET = 5.0


def measure(options: Options) -> Findings:
    """Batches of one epoch of every task, one seed a round, and what others would pad."""
    from pipeline.tasks import GLUE

    figures, rows = [], []
    for task in GLUE.values():
        job = Job(
            "ours", "student", task=task.name, rows=options.rows, threads=2, data=options.folder
        )
        lengths = _lengths(job)
        rounds = tuple(_ours(lengths, replace(job, seed=n)) for n in range(options.repeats))
        figures.append(Figure(f"padding, {task.title}", "%", rounds, TARGET, "most"))
        shares = (median(rounds), *others(lengths, job))
        rows.append((task.title, f"{len(lengths):,}", *(f"{percent:.1f} %" for percent in shares)))
    columns = ("task", "rows", "ours", "sorted", "drawn at random", "padded to 128")
    title = (
        "Padding among all tokens of an epoch; sorted: all rows by length, nothing left to "
        "chance; drawn at random: padded to the longest of the batch"
    )
    return Findings(figures, _SETTINGS, tables=[Table(title, columns, tuple(rows))])


def others(lengths: np.ndarray, job: Job) -> tuple[float, float, float]:
    """Percent of padding of rows sorted by length, drawn at random, and padded to one length.

    Args:
        lengths: tokens of each row `(rows,)`.
        job: batch size, longest row and seed.
    """
    drawn = np.random.default_rng(job.seed).permutation(len(lengths))
    cuts = range(job.batch_size, len(lengths), job.batch_size)
    in_order, at_random = (
        share(lengths, np.split(order, cuts)) for order in (np.argsort(lengths), drawn)
    )
    return in_order, at_random, 100 * (1 - float(lengths.mean()) / job.max_length)


def _lengths(job: Job) -> np.ndarray:
    from benchmarks import workload

    if job.folder is not None:
        return workload.of(job).tokens.lengths
    return workload.row_lengths(job, np.random.default_rng(job.seed))


def _ours(lengths: np.ndarray, job: Job) -> float:
    from benchmarks.contestants import ours

    return share(lengths, ours.batches(lengths, job))


def share(lengths: np.ndarray, batches: Sequence[np.ndarray]) -> float:
    """Percent of all tokens that are padding when batches are padded to their longest row.

    Args:
        lengths: tokens of each row `(rows,)`.
        batches: positions of each batch's rows `(batch,)`.
    """
    padded = sum(len(batch) * int(lengths[batch].max()) for batch in batches)
    real = sum(int(lengths[batch].sum()) for batch in batches)
    return 100 * (1 - real / padded)


_SETTINGS = (
    "GLUE's train rows cut at 128 tokens, batches of 32 in two shards, as two cores have it; one "
    "epoch a round, each with its own seed."
)
