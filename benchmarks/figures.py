"""Figures of a benchmark: one value a round, their median and range, and the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal

from benchmarks.rounds import Reading
from benchmarks.stopwatch import Clock


@dataclass(frozen=True)
class Options:
    """Options of the command line.

    Attributes:
        repeats: rounds.
        data: GLUE folder in the published layout; None for rows of random tokens.
        rows: rows of each contestant; None for what the benchmark sets.
    """

    repeats: int
    data: Path | None = None
    rows: int | None = None

    @property
    def folder(self) -> str | None:
        """The GLUE folder as a job has it."""
        return None if self.data is None else str(self.data)


@dataclass(frozen=True)
class Figure:
    """One thing that is measured.

    Attributes:
        name: what it is.
        unit: x for a ratio, % for a share.
        values: one a round, or the only one.
        target: what it should reach.
        bound: whether the target is the least or the most.
    """

    name: str
    unit: Literal["x", "%"]
    values: tuple[float, ...]
    target: float
    bound: Literal["least", "most"] = "least"

    @property
    def median(self) -> float:
        """Middle of the values."""
        return median(self.values)

    @property
    def met(self) -> bool:
        """Whether the median is on the target's right side."""
        if self.bound == "least":
            return self.median >= self.target
        return self.median <= self.target

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "unit": self.unit,
            "values": [round(value, 4) for value in self.values],
            "median": round(self.median, 4),
            "min": round(min(self.values), 4),
            "max": round(max(self.values), 4),
            "target": self.target,
            "bound": self.bound,
            "met": self.met,
        }


@dataclass(frozen=True)
class Table:
    """Further numbers, printed below the figures."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"title": self.title, "columns": list(self.columns), "rows": list(self.rows)}


@dataclass(frozen=True)
class Findings:
    """Result of a benchmark.

    Attributes:
        figures: against their targets.
        settings: what was run, for the reader.
        readings: CPU and wall seconds of every contestant, by label, one a round.
        tables: further numbers.
    """

    figures: Sequence[Figure]
    settings: str
    readings: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    tables: Sequence[Table] = ()


def ratios(
    slower: Sequence[Reading], ours: Sequence[Reading], clock: Clock = "cpu"
) -> tuple[float, ...]:
    """How many times the seconds of ours the other one took, round by round.

    Rows and epochs are the same, so it is also the ratio of examples a second.

    Args:
        slower: the other contestant's readings.
        ours: this project's, of the same rounds.
        clock: which seconds are compared.
    """
    return tuple(
        other.seconds(clock) / own.seconds(clock) for other, own in zip(slower, ours, strict=True)
    )
