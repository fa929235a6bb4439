"""Sections `data`, `tasks` and `transfer`: sources of rows, row caps, rows without labels."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.params.custom_tasks import CustomTask
from pipeline.params.fields import (
    Commit,
    Count,
    FileName,
    Repo,
    Section,
    Seed,
    Text,
    Url,
    contradiction,
)


class Official(Section):
    """Hosts of the published files; a mirror with the same layout can be named instead."""

    glue_url: Url
    """Folder that holds CoLA.zip, RTE.zip and the others."""
    senteval_url: Url
    """Folder that holds msr_paraphrase_train.txt and msr_paraphrase_test.txt."""


class Hub(Section):
    """The data set on the Hugging Face Hub; HF_ENDPOINT and HF_TOKEN are honoured."""

    repo: Repo
    """Name of the data set's repository."""
    revision: Commit
    """Commit of the data set, 40 hex digits."""


class Sample(Section):
    """The embedded generator that writes GLUE-like tasks from a hand-made grammar."""

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

    source: Literal["sample", "local", "official", "hub"]
    """The generator, a folder, the published files, or the Hugging Face Hub."""
    folder: Text
    """Folder of the `local` source and of custom tasks."""
    sample: Sample
    official: Official
    hub: Hub
    retry: Retry
    cap_seed: Seed
    """Seed of the order in which row caps take rows."""


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
