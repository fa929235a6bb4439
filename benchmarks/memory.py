"""Peak memory of training against the bytes that model, optimizer and one batch need."""

from __future__ import annotations

from benchmarks import need
from benchmarks.figures import Figure, Findings, Options, Table
from benchmarks.job import Job, Kind
from benchmarks.rounds import Reading, race, seconds

TITLES: dict[Kind, str] = {"minilm": "MiniLM-L6", "student": "2x128"}
ROWS = 320
MIB = 2**20


def measure(options: Options) -> Findings:
    """Training MiniLM-L6 and a 2-layer 128-wide BERT, each in a fresh process."""
    jobs = {
        TITLES[kind]: Job("ours_remembering", kind, rows=options.rows or ROWS, data=options.folder)
        for kind in TITLES
    }
    needs = {title: needed(job) for title, job in jobs.items()}
    readings = {title: race({title: job}, options.repeats)[title] for title, job in jobs.items()}
    figures = [
        Figure(
            f"peak memory over what is needed, {title}",
            "x",
            tuple(_own(reading) / sum(needs[title]) for reading in rounds),
            1.3,
            "most",
        )
        for title, rounds in readings.items()
    ]
    table = Table(
        "MiB, first round",
        ("model", "imports", "with warm-up", "peak", "peak less warm-up", "state", "batch"),
        tuple(_row(title, readings[title][0], needs[title]) for title in jobs),
    )
    return Findings(figures, _SETTINGS, seconds(readings), [table])


def needed(job: Job) -> tuple[int, int]:
    """Bytes of a model's state, and of the largest of its batches."""
    import numpy as np

    from benchmarks import models, workload
    from benchmarks.contestants import ours
    from benchmarks.contestants.ceiling import shape_of

    model = models.multi_task(models.classifier(job.model, job.seed))
    shape = shape_of(model.encoder.config.to_dict())
    lengths = workload.of(job).tokens.lengths
    largest = max(
        need.batch(shape, len(rows), int(np.max(lengths[rows])))
        for rows in ours.batches(lengths, job)
    )
    return need.state(model.parameter_count()), largest


def _own(reading: Reading) -> int:
    own: int = reading.details["peak_bytes"] - reading.details["base_bytes"]
    return own


def _row(title: str, reading: Reading, needs: tuple[int, int]) -> tuple[str, ...]:
    keys = ("imported_bytes", "base_bytes", "peak_bytes")
    numbers = (*(reading.details[key] for key in keys), _own(reading), *needs)
    return (title, *(f"{number / MIB:,.0f}" for number in numbers))


_SETTINGS = (
    "Rows of RTE's lengths cut at 128 tokens, batches of 32, one thread. Peak: the process's most "
    "resident bytes less those after imports and one step of a model of one 64-wide layer. "
    "Needed: 16 bytes a weight (weight, gradient, AdamW's two) and, for the largest batch, layers "
    "x tokens x (4 x (8 x width + 2 x inner width) + 2 x width + 9 x heads x length) bytes, which "
    "the backward pass reads when nothing is computed twice."
)
