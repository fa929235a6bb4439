"""Training and scoring by the library of `auto` and in bfloat16, against float32 by MKL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from types import MappingProxyType
from typing import NamedTuple

from benchmarks import stopwatch
from benchmarks.figures import Figure, Findings, Options, Table
from benchmarks.job import Job, Kind
from benchmarks.rounds import Reading, run
from benchmarks.stopwatch import Clock

DEFAULT = "mkl"
NO_SLOWER = 0.98
THREADS = {1: "one thread, CPU seconds", 2: "two threads, wall seconds"}

Turn = Mapping[str, Mapping[str, Mapping[Clock, float]]]
"""Seconds by mode, what is done, and clock."""


class Model(NamedTuple):
    """One model that is trained and scores rows.

    Attributes:
        title: its name.
        rows: of an epoch.
        targets: of training, by mode.
    """

    title: str
    rows: int
    targets: Mapping[str, float]


MODELS: Mapping[Kind, Model] = MappingProxyType(
    {
        "minilm": Model("MiniLM-L6", 192, {"auto": 1.7, "bfloat16": 2.5}),
        "student": Model("2x128", 960, {"auto": 1.5, "bfloat16": NO_SLOWER}),
    }
)


def measure(options: Options) -> Findings:
    """MiniLM-L6 and a 2-layer 128-wide BERT, each with one thread and with two."""
    readings = {
        (kind, threads): run(_job(kind, threads, options)) for kind in MODELS for threads in THREADS
    }
    figures = [
        figure for (kind, threads), of in readings.items() for figure in _figures(kind, threads, of)
    ]
    rows = [row for (kind, threads), of in readings.items() for row in _rows(kind, threads, of)]
    title = "Rows a second, median, and the largest differences from mkl"
    table = Table(title, _COLUMNS, tuple(rows))
    return Findings(figures, _SETTINGS, tables=[table])


def gains(turns: Sequence[Turn], mode: str, what: str, clock: Clock) -> tuple[float, ...]:
    """How many times as fast a mode is as float32 by MKL, turn by turn."""
    return tuple(turn[DEFAULT][what][clock] / turn[mode][what][clock] for turn in turns)


def _job(kind: Kind, threads: int, options: Options) -> Job:
    return Job(
        "products",
        kind,
        rows=options.rows or MODELS[kind].rows,
        threads=threads,
        repeats=options.repeats,
        data=options.folder,
    )


def _figures(kind: Kind, threads: int, reading: Reading) -> Iterator[Figure]:
    """Gains of training and of scoring; where `auto` is MKL itself, it need not win."""
    details, model = reading.details, MODELS[kind]
    for mode, target in model.targets.items():
        wins = mode != "auto" or details["library"] != DEFAULT
        for what, goal in (("training", target if wins else NO_SLOWER), ("scoring", NO_SLOWER)):
            name = f"{what}, {model.title}, {mode} against {DEFAULT}, {THREADS[threads]}"
            values = gains(details["turns"], mode, what, stopwatch.of_threads(threads))
            yield Figure(name, "x", values, goal)


_COLUMNS = ("model", "threads", "mode", "training", "scoring", "of a logit", "of a probability")


def _rows(kind: Kind, threads: int, reading: Reading) -> Iterator[tuple[str, ...]]:
    turns, clock = reading.details["turns"], stopwatch.of_threads(threads)
    rows = reading.examples / len(turns)
    for mode, difference in reading.details["differences"].items():
        seconds = [median(turn[mode][what][clock] for turn in turns) for what in _DONE]
        yield (
            MODELS[kind].title,
            str(threads),
            f"{mode}: {reading.details['library']}" if mode == "auto" else mode,
            *(f"{rows / taken:,.1f}" for taken in seconds),
            *(f"{difference[of]:.1e}" for of in ("logit", "probability")),
        )


_DONE = ("training", "scoring")
_SETTINGS = (
    "Rows of RTE's lengths cut at 128 tokens, batches of 32: in turns an epoch of training and the "
    "scoring of the same rows, all in one process. mkl: float32 by torch's default; auto: float32 "
    "by the library that `machine.products: auto` takes; bfloat16. Differences are those of a "
    "model that is not trained, with a random head."
)
