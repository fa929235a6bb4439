"""Labelling rows against the encoder's bare forward pass."""

from __future__ import annotations

import sys
from dataclasses import replace

from benchmarks.figures import Figure, Findings, Options, Table, ratios
from benchmarks.job import Job
from benchmarks.rounds import race, run, seconds

ROWS = 640
SIZES = (8, 16, 32, 64, 128)
"""Rows of a batch among which the best for the bare pass is searched."""


def measure(options: Options) -> Findings:
    """MiniLM-L6, one thread."""
    rows = options.rows or ROWS
    bare = Job("bare_forward", "minilm", rows=rows, data=options.folder)
    searched = {size: _rate(replace(bare, batch_size=size)) for size in SIZES}
    best = max(searched, key=lambda size: searched[size])
    readings = race(
        {
            "ours": replace(bare, contestant="ours_labelling"),
            "bare forward pass": replace(bare, batch_size=best),
        },
        options.repeats,
    )
    ours, bare_pass = readings.values()
    share = tuple(100 * ratio for ratio in ratios(bare_pass, ours))
    figure = Figure("rows a CPU-second, of the encoder's bare forward pass", "%", share, 95.0)
    table = Table(
        "Bare forward pass by rows of a batch, one run each",
        ("rows of a batch", "rows a CPU-second"),
        tuple((str(size), f"{rate:,.1f}") for size, rate in searched.items()),
    )
    return Findings([figure], _SETTINGS, seconds(readings), [table])


_SETTINGS = (
    "MiniLM-L6 on rows of RTE's lengths cut at 128 tokens, one thread. The bare pass has its "
    "batches padded beforehand, sorted by length and of the size that was fastest; ours reads, "
    "pads, scores and puts the logits in the order of the rows. Its head reads the mean of all "
    "tokens."
)


def _rate(job: Job) -> float:
    reading = run(job)
    rate = reading.examples / reading.cpu_seconds
    print(f"bare pass, {job.batch_size} rows a batch: {rate:,.1f} a CPU-second", file=sys.stderr)
    return rate
