"""Distillation from three teachers against TextBrewer's MultiTeacherDistiller."""

from __future__ import annotations

from benchmarks.figures import Figure, Findings, Options, ratios
from benchmarks.job import Job
from benchmarks.rounds import race, seconds

ROWS = 320
EPOCHS = 3


def measure(options: Options) -> Findings:
    """Three teachers of MiniLM-L6, a student of every second of its layers."""
    readings = race(
        {
            "ours, labelling included": _job("ours_distilling", options),
            "TextBrewer, cached logits": _job("textbrewer_cached", options),
            "TextBrewer, live teachers": _job("textbrewer_live", options),
        },
        options.repeats,
    )
    ours, cached, live = readings.values()
    figures = [
        Figure(
            "examples a CPU-second against TextBrewer with cached logits",
            "x",
            ratios(cached, ours),
            2.2,
        ),
        Figure(
            "examples a CPU-second against TextBrewer with live teachers",
            "x",
            ratios(live, ours),
            4.5,
        ),
    ]
    return Findings(figures, _SETTINGS, seconds(readings))


_SETTINGS = (
    f"{EPOCHS} epochs over rows of RTE's lengths cut at 128 tokens, batches of 32, one thread, "
    "float32, half hard and half soft loss; heads read the mean of the tokens. The student is "
    "every second layer of MiniLM-L6. Three teachers, each a whole MiniLM-L6, label every row once "
    "in ours and in TextBrewer's cached mode, which is part of the time, and at every step in its "
    "live mode. TextBrewer gets batches drawn at random, padded to their longest row, and the "
    "fused AdamW. It averages logits, ours probabilities."
)


def _job(contestant: str, options: Options) -> Job:
    rows = options.rows or ROWS
    return Job(contestant, "minilm3", rows=rows, epochs=EPOCHS, data=options.folder)
