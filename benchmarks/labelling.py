"""Labelling rows against the encoder's bare forward pass."""

from __future__ import annotations

import sys
from dataclasses import replace

from benchmarks.figures import Figure, Findings, Options, Table, ratios
from benchmarks.job import PRECISIONS, Job, Precision
from benchmarks.rounds import race, run, seconds

ROWS = 640
SIZES = (8, 16, 32, 64, 128)
"""Rows of a batch among which the best for the bare pass is searched."""
TARGET = 95.0


def measure(options: Options) -> Findings:
    """MiniLM-L6, one thread, in float32 and in bfloat16."""
    figures, readings, rates = [], {}, {}
    for precision in PRECISIONS:
        bare = _job("bare_forward", precision, options)
        rates[precision] = [_rate(replace(bare, batch_size=size)) for size in SIZES]
        best = SIZES[rates[precision].index(max(rates[precision]))]
        jobs = {
            f"ours, {precision}": _job("ours_labelling", precision, options),
            f"bare forward pass, {precision}": replace(bare, batch_size=best),
        }
        ours, bare_pass = (rounds := race(jobs, options.repeats)).values()
        readings.update(rounds)
        share = tuple(100 * ratio for ratio in ratios(bare_pass, ours))
        name = f"rows a CPU-second, {precision}, of the encoder's bare forward pass"
        figures.append(Figure(name, "%", share, TARGET))
    table = Table(
        "Bare forward pass by rows of a batch, rows a CPU-second, one run each",
        ("rows of a batch", *PRECISIONS),
        tuple(
            (str(size), *(f"{rates[precision][place]:,.1f}" for precision in PRECISIONS))
            for place, size in enumerate(SIZES)
        ),
    )
    return Findings(figures, _SETTINGS, seconds(readings), [table])


_SETTINGS = (
    "MiniLM-L6 on rows of RTE's lengths cut at 128 tokens, one thread. The bare pass has its "
    "batches padded beforehand, sorted by length and of the size that was fastest, and has "
    "transformers' attention; ours reads, pads, scores and puts the logits in the order of the "
    "rows. Its head reads the mean of the tokens. Both multiply by the library that "
    "`machine.products: auto` takes."
)


def _job(contestant: str, precision: Precision, options: Options) -> Job:
    rows = options.rows or ROWS
    return Job(contestant, "minilm", rows=rows, precision=precision, data=options.folder)


def _rate(job: Job) -> float:
    reading = run(job)
    rate = reading.examples / reading.cpu_seconds
    print(
        f"bare pass, {job.precision}, {job.batch_size} rows a batch: {rate:,.1f} a CPU-second",
        file=sys.stderr,
    )
    return rate
