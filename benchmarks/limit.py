"""Rate of a training step as a share of the processor's rate in its matrix products alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.figures import Figure, Findings, Options, Table
from benchmarks.job import Job
from benchmarks.rounds import Reading, run

LENGTH = 64
STEPS = 6
"""Steps of one turn."""
TARGET = 70.0


def measure(options: Options) -> Findings:
    """MiniLM-L6 with one thread and with two."""
    readings = {threads: _reading(threads, options) for threads in (1, 2)}
    figures = [
        Figure(
            "share of the products' rate, MiniLM-L6, one thread, CPU seconds",
            "%",
            shares(readings[1].details["turns"], "cpu"),
            TARGET,
        ),
        Figure(
            "share of the products' rate, MiniLM-L6, two threads, wall seconds",
            "%",
            shares(readings[2].details["turns"], "wall"),
            TARGET,
        ),
    ]
    return Findings(figures, _SETTINGS, tables=[_rates(readings), _groups(readings[1])])


def shares(turns: Sequence[Mapping[str, Mapping[str, float]]], clock: str) -> tuple[float, ...]:
    """Percent of the products' rate that steps reach: both have the same FLOP."""
    return tuple(100 * turn["products"][clock] / turn["step"][clock] for turn in turns)


def _reading(threads: int, options: Options) -> Reading:
    return run(
        Job(
            "limit",
            "minilm",
            rows=32 * STEPS,
            length=LENGTH,
            threads=threads,
            repeats=options.repeats,
        )
    )


def _rates(readings: Mapping[int, Reading]) -> Table:
    """GFLOP a second of both, by clock; the median turn's."""
    rows = []
    for threads, reading in readings.items():
        for clock, title in (("cpu", "CPU"), ("wall", "wall")):
            rates = [_rate(reading, part, clock) for part in ("step", "products")]
            rows.append((f"{threads}", title, *(f"{rate:.1f}" for rate in rates)))
    return Table(
        "GFLOP a second, median",
        ("threads", "clock", "training step", "products alone"),
        tuple(rows),
    )


def _rate(reading: Reading, part: str, clock: str) -> float:
    from statistics import median

    taken = median(turn[part][clock] for turn in reading.details["turns"])
    rate: float = reading.details["flops"] / taken / 1e9
    return rate


def _groups(reading: Reading) -> Table:
    groups = reading.details["groups"]
    whole, steps = sum(groups.values()), reading.details["steps"]
    rows = tuple(
        (name, f"{1000 * taken / steps:,.0f}", f"{100 * taken / whole:.1f} %")
        for name, taken in groups.items()
    )
    title = "Where a step's time goes, one thread, under torch's profiler, which itself takes some"
    return Table(title, ("group", "wall ms a step", "share"), rows)


_SETTINGS = (
    f"MiniLM-L6, batches of 32 rows of {LENGTH} tokens, {STEPS} steps of `train` a turn, in turns "
    "with the same steps' matrix products alone, in one process. FLOP of a step: 6 x weights of "
    "the layers' linear parts x tokens, and 12 x layers x width x rows x length squared for "
    "attention. The products are all of these at the model's shapes, forward and both backward "
    "ones, every layer with operands of its own. The head reads the mean of all tokens."
)
