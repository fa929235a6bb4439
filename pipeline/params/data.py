"""Sections `data`, `tasks` and `transfer`: sources of rows, row caps, rows without labels."""

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
    """Where the files come from: one of the kinds under `sources`."""
    folder: Text
    """Folder of the `local` source and of custom tasks."""
    sources: Sources
    """Settings of each kind of source."""
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
    """Train rows."""
    dev: Count | None
    """Rows of each dev split."""
    test: Count | None
    """Rows of each test split, MNLI's AX included."""


class TaskParams(Section):
    """One task: row caps, and a definition if it is not one of GLUE's."""

    rows: Caps
    """Row caps."""
    custom: CustomTask | None = None
    """Definition of a custom task; null for one of GLUE's."""


class Transfer(Section):
    """Rows without a label that teachers score; only the student learns from their soft labels."""

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
