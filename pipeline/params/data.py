"""Where rows come from: sources, caps, and further rows that nobody has labelled."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.params.custom_tasks import CustomTask
from pipeline.params.fields import (
    Count,
    FileName,
    Section,
    Seed,
    Text,
    contradiction,
)
from pipeline.params.sources import KINDS, SourceName, Sources
from pipeline.params.sources.base import SourceSettings


class Retry(Section):
    """What a download does when the connection breaks."""

    attempts: Count
    """Tries for each file before giving up."""
    backoff: Annotated[float, Field(ge=0)]
    """Seconds before the second try; doubled for each one after."""
    timeout: Annotated[float, Field(gt=0)]
    """Seconds without a byte before a connection counts as broken."""


class Data(Section):
    """Where the task files come from."""

    source: SourceName
    folder: Text
    """Folder of the `local` source and of tasks of one's own."""
    sources: Sources
    retry: Retry
    cap_seed: Seed
    """Seed of the order in which row caps take rows."""

    @model_validator(mode="after")
    def _source_has_settings(self) -> Self:
        if KINDS[self.source].model_fields and getattr(self.sources, self.source) is None:
            raise contradiction(f"source {self.source} needs its settings, sources.{self.source}")
        return self

    @property
    def settings(self) -> SourceSettings:
        """Settings of the source that is taken."""
        return getattr(self.sources, self.source, None) or KINDS[self.source]()


class Caps(Section):
    """Most rows to keep of each part of a task; null keeps all."""

    train: Count | None
    dev: Count | None
    test: Count | None


class TaskParams(Section):
    """One task: row caps, and a definition if it is not one of GLUE's."""

    rows: Caps
    custom: CustomTask | None = None


class Transfer(Section):
    """Further rows of a task that teachers label and only the student learns from, softly."""

    source: Literal["rest", "test", "file"]
    """Train rows beyond the row cap, the unlabelled test split, or data/texts/<file>."""
    rows: Count | None
    """Most rows to take; null takes all."""
    file: FileName | None = None
    """A file with a header line, columns as the task's texts, in data/texts."""

    @model_validator(mode="after")
    def _file_if_asked_for(self) -> Self:
        if (self.source == "file") != (self.file is not None):
            raise contradiction(
                "source file needs `file`, a name in data/texts"
                if self.source == "file"
                else f"`file` is for source file, not for source {self.source}"
            )
        return self
