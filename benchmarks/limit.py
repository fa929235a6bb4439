"""Rate of a training step as a share of the processor's best rate in matrix products alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from benchmarks import stopwatch
from benchmarks.figures import Figure, Findings, Options, Table
from benchmarks.job import PRECISIONS, Job, Precision
from benchmarks.rounds import Reading, run
from benchmarks.stopwatch import Clock

LENGTH = 64
STEPS = 6
"""Steps of one turn."""
TARGETS: Mapping[Precision, float] = {"float32": 60.0, "bfloat16": 50.0}
THREADS = {1: "one thread, CPU seconds", 2: "two threads, wall seconds"}
STEP = "training step"

Rates = Mapping[str, Mapping[Clock, float]]
"""GFLOP a second of the step and of products alone, by clock."""


def measure(options: Options) -> Findings:
    """MiniLM-L6 with one thread and with two, in float32 and in bfloat16."""
    readings = {threads: _reading(threads, options) for threads in THREADS}
    figures = [
        Figure(
            f"share of the products' best rate, MiniLM-L6, {precision}, {title}",
            "%",
            shares(_turns(readings[threads], precision), stopwatch.of_threads(threads)),
            TARGETS[precision],
        )
        for precision in PRECISIONS
        for threads, title in THREADS.items()
    ]
    tables = [_rates(readings, precision) for precision in PRECISIONS]
    return Findings(figures, _SETTINGS, tables=[*tables, _groups(readings[1])])


def ceiling(turns: Sequence[Rates], clock: Clock) -> str:
    """The products alone that have the highest median rate."""
    alone = [name for name in turns[0] if name != STEP]
    return max(alone, key=lambda name: _median(turns, name, clock))


def shares(turns: Sequence[Rates], clock: Clock) -> tuple[float, ...]:
    """Percent of the ceiling's rate that the step reaches, turn by turn."""
    best = ceiling(turns, clock)
    return tuple(100 * turn[STEP][clock] / turn[best][clock] for turn in turns)


def _median(turns: Sequence[Rates], name: str, clock: Clock) -> float:
    return median(turn[name][clock] for turn in turns)


def _reading(threads: int, options: Options) -> Reading:
    rows = options.rows or 32 * STEPS
    return run(
        Job("limit", "minilm", rows=rows, length=LENGTH, threads=threads, repeats=options.repeats)
    )


def _turns(reading: Reading, precision: Precision) -> list[Rates]:
    return [turn[precision] for turn in reading.details["turns"]]


def _rates(readings: Mapping[int, Reading], precision: Precision) -> Table:
    """The median turn's rate of everything, by threads; the ceiling's in bold."""
    columns = {}
    for threads, reading in readings.items():
        turns, clock = _turns(reading, precision), stopwatch.of_threads(threads)
        best = ceiling(turns, clock)
        for name in turns[0]:
            cell = f"{_median(turns, name, clock):.1f}"
            columns[name, threads] = f"**{cell}**" if name == best else cell
    names = dict.fromkeys(name for name, _ in columns)
    return Table(
        f"GFLOP a second in {precision}, median; the ceiling is in bold",
        ("what", *THREADS.values()),
        tuple((name, *(columns[name, threads] for threads in readings)) for name in names),
    )


def _groups(reading: Reading) -> Table:
    """Milliseconds and share of every group of operators, the largest of float32 first."""
    groups, steps = reading.details["groups"], reading.details["steps"]
    whole = {precision: sum(groups[precision].values()) for precision in PRECISIONS}
    rows = []
    for name in groups["float32"]:
        cells = []
        for precision in PRECISIONS:
            taken = groups[precision].get(name, 0.0)
            cells += [f"{1000 * taken / steps:,.0f}", f"{100 * taken / whole[precision]:.1f} %"]
        rows.append((name, *cells))
    title = "Where a step's time goes, one thread, under torch's profiler, which itself takes some"
    columns = [f"{precision}, {what}" for precision in PRECISIONS for what in ("wall ms", "share")]
    return Table(title, ("group", *columns), tuple(rows))


_SETTINGS = (
    f"MiniLM-L6 with a head on the mean of its tokens, batches of 32 rows of {LENGTH} tokens, "
    f"{STEPS} steps of `train` a turn, in turns with products alone of as many FLOP, in one "
    "process. FLOP of a step: 6 x weights of the layers' linear parts x tokens, and 12 x layers x "
    "width x rows x length squared for attention. The ceiling is the fastest of all products "
    "alone: by MKL and oneDNN through torch and by OpenBLAS through numpy, in bfloat16 by oneDNN; "
    "those of the step at its shapes, forward and both backward ones, every layer with operands of "
    "its own, and those of 2048 x 2048 matrices. With two threads each multiplies for itself."
)
