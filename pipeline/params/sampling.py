"""How often a multi-task model is trained on each of its tasks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.fields import Name, Section


class MergedSampling(Section):
    """All batches of all tasks, merged and shuffled (arXiv 1904.09482, Algorithm 1)."""

    kind: Literal["merged"]
    passes: Literal["auto"] | dict[Name, Annotated[float, Field(gt=0)]] = "auto"
    """Passes over a task's rows in an epoch, 1 for a task that is not named; 2.5 are two passes and
    a half, cut at a whole step. `auto` is 1, and (T + X) / T for tasks without teachers where those
    with teachers have T rows with a gold label and X transfer rows: as many passes as a baseline of
    the student's steps makes."""


class PowerSampling(Section):
    """Chance of a task in proportion to its size to the power alpha."""

    kind: Literal["power"]
    alpha: Annotated[float, Field(ge=0, le=1)]
    """1 is proportional, 0 uniform; BAM (arXiv 1907.04829) has 0.75."""


class TemperatureSampling(Section):
    """Chance of a task in proportion to its size to the power 1 / temperature."""

    kind: Literal["temperature"]
    temperature: Annotated[float, Field(ge=1)]
    """1 is proportional to size; the higher, the nearer to uniform."""


class UniformSampling(Section):
    """The same chance for every task."""

    kind: Literal["uniform"]


class WeightedSampling(Section):
    """Chances in proportion to given weights."""

    kind: Literal["weights"]
    weights: Annotated[dict[Name, Annotated[float, Field(gt=0)]], Field(min_length=1)]
    """One for every task."""


Sampling = Annotated[
    MergedSampling | PowerSampling | TemperatureSampling | UniformSampling | WeightedSampling,
    Field(discriminator="kind"),
]
