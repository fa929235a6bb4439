"""Settings of the generated sample."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from pipeline.params.fields import Seed
from pipeline.params.sources.base import SourceSettings
from pipeline.tasks import Task, part_of


class Sample(SourceSettings):
    """The embedded generator that writes GLUE-like tasks from a hand-made grammar."""

    generated: ClassVar[bool] = True

    seed: Seed
    """Seed of all generated rows."""
    train: Annotated[int, Field(ge=20, le=2000)]
    """Rows of each task's train split; WNLI has a quarter, as the real one is small."""
    dev: Annotated[int, Field(ge=20, le=500)]
    """Rows of each dev split; WNLI has a quarter."""
    test: Annotated[int, Field(ge=20, le=500)]
    """Rows of each test split; WNLI has a quarter."""
    label_noise: Annotated[float, Field(ge=0, lt=0.5)]
    """Share of train rows whose label is replaced by a wrong one."""

    def rows(self, task: Task, split: str) -> int:
        """Rows of a split; WNLI has a quarter, as the real one is small."""
        part = part_of(split)
        rows: int = getattr(self, "test" if part == "ax" else part)
        return rows // 4 if task.name == "wnli" else rows
