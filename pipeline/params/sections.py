"""The sections of params.yaml, one model each; a key that is not here is refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from pipeline.params.definitions import Definition
from pipeline.params.encoders import Encoder
from pipeline.params.fields import (
    DEVICE,
    Commit,
    Count,
    Dropout,
    Name,
    Repo,
    Section,
    Seed,
    Text,
    Url,
    contradiction,
)

Rule = Literal["mean_probability", "mean_logit", "dev_weighted"]


class Official(Section):
    """Hosts of the published files; a mirror with the same layout can be named instead."""

    glue_url: Url
    """Folder that holds CoLA.zip, RTE.zip and the others."""
    senteval_url: Url
    """Folder that holds msr_paraphrase_train.txt and msr_paraphrase_test.txt."""


class Hub(Section):
    """The data set on the Hugging Face Hub; HF_ENDPOINT and HF_TOKEN are honoured."""

    repo: Repo
    revision: Commit
    """Commit of the data set, 40 hex digits."""


class Sample(Section):
    """The embedded generator that writes GLUE-like tasks from a hand-made grammar."""

    seed: Seed
    train: Annotated[int, Field(ge=20, le=2000)]
    """Rows of each task's train split; WNLI has a quarter, as the real one is small."""
    dev: Annotated[int, Field(ge=20, le=500)]
    test: Annotated[int, Field(ge=20, le=500)]
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
    folder: Text
    """Folder of the `local` source and of tasks of one's own."""
    sample: Sample
    official: Official
    hub: Hub
    retry: Retry
    cap_seed: Seed
    """Seed of the order in which row caps take rows."""


class Caps(Section):
    """Most rows to keep of each part of a task; null keeps all."""

    train: Count | None
    dev: Count | None
    test: Count | None


class TaskParams(Section):
    """One task: row caps, and a definition if it is not one of GLUE's."""

    rows: Caps
    custom: Definition | None = None


class Head(Section):
    """What sits between the encoder and the logits."""

    pooling: Literal["mean", "cls", "pooler"]
    """Mean of the token vectors, the [CLS] vector, or the encoder's own pooler."""
    dropout: Dropout


class Training(Section):
    """One training run."""

    epochs: Count
    batch_size: Count
    """Rows a step."""
    max_length: Annotated[int, Field(ge=8)]
    """Tokens kept of a row, special tokens included."""
    optimizer: Literal["adamw", "adamax"]
    learning_rate: Annotated[float, Field(gt=0, lt=1)]
    """Highest rate, reached after the warm-up; it falls linearly to 0."""
    weight_decay: Annotated[float, Field(ge=0)]
    warmup: Annotated[float, Field(ge=0, lt=1)]
    """Share of all steps in which the rate rises from 0."""
    clip_norm: Annotated[float, Field(gt=0)]
    """Largest norm of all gradients together."""


class Overrides(Section):
    """Training settings that a task or a member changes; what is not given stays."""

    epochs: Count | None = None
    batch_size: Count | None = None
    max_length: Annotated[int, Field(ge=8)] | None = None
    optimizer: Literal["adamw", "adamax"] | None = None
    learning_rate: Annotated[float, Field(gt=0, lt=1)] | None = None
    weight_decay: Annotated[float, Field(ge=0)] | None = None
    warmup: Annotated[float, Field(ge=0, lt=1)] | None = None
    clip_norm: Annotated[float, Field(gt=0)] | None = None

    def given(self) -> dict[str, Any]:
        """Only the training settings that were given."""
        return {k: v for k in Overrides.model_fields if (v := getattr(self, k)) is not None}


class Member(Overrides):
    """One member of every task's ensemble."""

    seed: Seed
    encoder: Encoder | None = None
    """Initial encoder; null takes `teachers.encoder`."""
    dropout: Dropout | None = None
    """Dropout inside the encoder; null takes `teachers.dropout`."""


class Teachers(Training):
    """The ensembles: every member is fine-tuned on every named task."""

    encoder: Encoder
    dropout: Dropout
    head: Head
    tasks: Annotated[dict[Name, Overrides], Field(min_length=1)]
    """Tasks that get teachers, with what differs there."""
    members: Annotated[dict[Name, Member], Field(min_length=1)]

    @model_validator(mode="after")
    def _members_differ(self) -> Self:
        names = list(self.members)
        for later, name in enumerate(names):
            for earlier in names[:later]:
                if self._settings(name) == self._settings(earlier):
                    raise contradiction(
                        f"members {earlier} and {name} have the same settings and the same seed "
                        f"({self.members[name].seed}), so they would be one teacher twice"
                    )
        return self

    def _settings(self, name: str) -> dict[str, Any]:
        """What tells one member from another, the section's own values filled in."""
        member = self.members[name]
        default = {field: getattr(self, field) for field in (*Overrides.model_fields, "dropout")}
        own = member.given() | ({} if member.dropout is None else {"dropout": member.dropout})
        return default | own | {"seed": member.seed, "encoder": member.encoder or self.encoder}

    def training(self, task: str, member: str) -> Training:
        """Settings of one teacher: the section's, then the task's, then the member's."""
        base = {name: getattr(self, name) for name in Training.model_fields}
        return Training(**{**base, **self.tasks[task].given(), **self.members[member].given()})


class Ensemble(Section):
    """How the members' logits become one soft label."""

    rule: Rule


class Student(Training):
    """The one multi-task model; the baseline is the same without soft labels."""

    seed: Seed
    encoder: Encoder
    dropout: Dropout
    head: Head


class Distillation(Section):
    """How hard and soft labels are combined."""

    hard_weight: Annotated[float, Field(ge=0, le=1)]
    """Weight of the hard loss; the soft loss has the rest. The paper's mean is 0.5."""
    temperature: Annotated[float, Field(gt=0)]
    """Temperature of teachers and student in the soft loss, which is scaled by its square."""


class Machine(Section):
    """The hardware; only the precision decides results, so changing the rest reruns nothing."""

    device: Annotated[str, StringConstraints(pattern=DEVICE)]
    precision: Literal["auto", "float32", "bfloat16", "float16"]
    threads: Literal["auto"] | Count
    """CPU threads of one stage; auto divides the physical cores among parallel stages."""
    labelling_tokens: Annotated[int, Field(ge=512)]
    """Tokens, padding included, that one forward pass holds when rows are scored."""


class Params(Section):
    """All of params.yaml."""

    data: Data
    tasks: Annotated[dict[Name, TaskParams], Field(min_length=1)]
    teachers: Teachers
    ensemble: Ensemble
    student: Student
    distillation: Distillation
    machine: Machine
