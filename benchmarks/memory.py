"""Peak memory of training against the bytes that model, optimizer and one batch need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from benchmarks import need
from benchmarks.figures import Figure, Findings, Options, Table
from benchmarks.job import Job, Kind
from benchmarks.rounds import Reading, race, run, seconds

TITLES: Mapping[Kind, str] = MappingProxyType({"minilm": "MiniLM-L6", "student": "2x128"})
MODES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "float32 by mkl": {"products": "mkl"},
        "float32 by auto": {"products": "auto"},
        "bfloat16": {"precision": "bfloat16"},
    }
)
ROWS = 320
EPOCHS = (1, 2, 4, 8)
"""Epochs of the growth after which the peak is shown."""
MANY: Mapping[str, Any] = MappingProxyType({"batch_size": 8, "max_length": 512})
"""Small batches of rows that are not cut: an epoch has as many lengths as batches."""
TARGET = 1.3
MIB = 2**20


def measure(options: Options) -> Findings:
    """Training MiniLM-L6 and a 2-layer 128-wide BERT in every mode, each in a fresh process."""
    rows = options.rows or ROWS
    jobs = {
        f"{title}, {mode}": Job("ours_remembering", kind, rows=rows, data=options.folder, **of)
        for kind, title in TITLES.items()
        for mode, of in MODES.items()
    }
    needs = {title: needed(job) for title, job in jobs.items()}
    readings = {title: race({title: job}, options.repeats)[title] for title, job in jobs.items()}
    figures = [
        Figure(
            f"peak memory over what is needed, {title}",
            "x",
            tuple(_own(reading) / sum(needs[title]) for reading in rounds),
            TARGET,
            "most",
        )
        for title, rounds in readings.items()
    ]
    table = Table(
        "MiB, first round",
        ("model", "imports", "with warm-up", "peak", "peak less warm-up", "state", "batch"),
        tuple(_row(title, readings[title][0], needs[title]) for title in jobs),
    )
    return Findings(figures, _SETTINGS, seconds(readings), [table, _growth(jobs)])


def needed(job: Job) -> tuple[int, int]:
    """Bytes of a model's state, and of the largest of its batches."""
    import numpy as np

    from benchmarks import models, workload
    from benchmarks.contestants import ours

    model = models.multi_task(models.classifier(job.model, job.seed))
    shape, lengths = models.shape_of(model), workload.of(job).tokens.lengths
    largest = max(
        need.batch(shape, len(rows), int(np.max(lengths[rows])), job.precision)
        for rows in ours.batches(lengths, job)
    )
    return need.state(shape, model.parameter_count(), job.precision), largest


def _growth(jobs: Mapping[str, Job]) -> Table:
    """Peaks after more and more epochs of many lengths; one run each."""
    rows = []
    for title, job in jobs.items():
        reading = run(replace(job, epochs=max(EPOCHS), **MANY))
        peaks = [reading.details["peak_bytes"][epoch - 1] for epoch in EPOCHS]
        rows.append((title, *(f"{peak / MIB:,.0f}" for peak in peaks)))
    return Table(
        "MiB at most after some epochs of rows of RTE's whole lengths, batches of 8, one run each",
        ("model", *(f"{epoch} epoch{'s'[: epoch > 1]}" for epoch in EPOCHS)),
        tuple(rows),
    )


def _own(reading: Reading) -> int:
    own: int = max(reading.details["peak_bytes"]) - reading.details["base_bytes"]
    return own


def _row(title: str, reading: Reading, needs: tuple[int, int]) -> tuple[str, ...]:
    details = reading.details
    sizes = (details["imported_bytes"], details["base_bytes"], max(details["peak_bytes"]))
    return (title, *(f"{size / MIB:,.0f}" for size in (*sizes, _own(reading), *needs)))


_SETTINGS = (
    "Rows of RTE's lengths cut at 128 tokens, batches of 32, one thread. Peak: the process's most "
    "resident bytes less those after imports and one step of a model of one 64-wide layer. "
    "Needed: 16 bytes a weight (weight, gradient, AdamW's two), in bfloat16 2 more for each that "
    "multiplies tokens; and for the largest batch layers x tokens x (width x (6 n + 10) + 2 n x "
    "inner width + (2 n + 1) x heads x length) bytes with products of n bytes, which the backward "
    "pass reads when nothing is computed twice."
)
