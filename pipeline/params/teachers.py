"""Sections `refinement`, `selection`, `teachers` and `ensemble`."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pipeline.params.encoders import Encoder
from pipeline.params.fields import Count, Dropout, Name, Names, Section, contradiction, different
from pipeline.params.heads import Head
from pipeline.params.rules import Rule
from pipeline.params.sampling import Sampling
from pipeline.params.training import (
    EarlyStopping,
    MultiTaskTraining,
    Overrides,
    Training,
    Variant,
)

WHOLE = "all"
"""The only fold of teachers that are trained on all train rows."""


class Refinement(MultiTaskTraining):
    """Multi-task models on hard labels, of which the best become the teachers' encoders."""

    candidates: dict[Name, Variant]
    """Models to train; {} for teachers that start straight from an encoder."""
    encoder: Encoder
    """Initial encoder of candidates that name none."""
    dropout: Dropout
    """Dropout inside the encoder."""
    head: Head
    """Head of a task that `heads` does not name."""
    heads: dict[Name, Head]
    """Heads of single tasks."""
    sampling: Sampling
    """How often each task is trained on."""

    @model_validator(mode="after")
    def _candidates_differ(self) -> Self:
        settings = {
            name: _filled(self, own) | {"start": own.encoder or self.encoder}
            for name, own in self.candidates.items()
        }
        _refuse_twins("candidates", "model", settings)
        return self

    def _stopping(self) -> list[EarlyStopping | None]:
        return [self.training(name).early_stopping for name in self.candidates]

    def training(self, candidate: str) -> Training:
        """Settings of one candidate: the section's, then its own."""
        base = {name: getattr(self, name) for name in Training.model_fields}
        return Training(**{**base, **self.candidates[candidate].given()})


class Selection(Section):
    """Which candidates become the encoders that teachers start from."""

    top: Count
    """How many are kept; a member names one by its rank, from 1."""
    tasks: Annotated[Names, AfterValidator(different)]
    """Tasks whose mean dev score decides."""


class Member(Variant):
    """One member of every task's ensemble."""

    refined: Count | None = None
    """Rank of the selected candidate whose encoder it starts from; null for `encoder`."""

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        if self.refined is not None and self.encoder is not None:
            raise contradiction(
                f"a member starts from `encoder` or from `refined: {self.refined}`, not from both"
            )
        return self


class TaughtTask(Overrides):
    """Settings that the teachers of one task override."""

    head: Head | None = None
    """Head of this task's teachers; null takes `teachers.head`."""


class Teachers(Training):
    """The ensembles: every member is fine-tuned on every named task."""

    encoder: Encoder
    """Initial encoder of members that name none."""
    dropout: Dropout
    """Dropout inside the encoder."""
    head: Head
    """Head of teachers whose task names none."""
    tasks: Annotated[dict[Name, TaughtTask], Field(min_length=1)]
    """Tasks that get teachers, with the settings that they override."""
    folds: list[Literal["all"] | Count]
    """[all] trains on all train rows; [1, 2, ..., n] trains every member n times, each time
    without one fold, and takes a train row's logits from the model that has not seen it."""
    members: Annotated[dict[Name, Member], Field(min_length=1)]
    """Members of every ensemble, with the settings that they override."""

    @property
    def cross_fitted(self) -> bool:
        """Whether train rows are labelled by models that have not seen them."""
        return self.folds != [WHOLE]

    @model_validator(mode="after")
    def _folds_count_up(self) -> Self:
        count = len(self.folds)
        if self.cross_fitted and (count < 2 or self.folds != list(range(1, count + 1))):
            raise contradiction(
                f"folds must be [all], or count up from 1 as in [1, 2, 3], not {self.folds}"
            )
        return self

    @model_validator(mode="after")
    def _members_differ(self) -> Self:
        settings = {name: self._settings(member) for name, member in self.members.items()}
        _refuse_twins("members", "teacher", settings)
        return self

    def _settings(self, member: Member) -> dict[str, Any]:
        return _filled(self, member) | {"start": self._start(member)}

    def _start(self, member: Member) -> Any:
        return member.refined or member.encoder or self.encoder

    def training(self, task: str, member: str) -> Training:
        """Settings of one teacher: the section's, then the task's, then the member's."""
        base = {name: getattr(self, name) for name in Training.model_fields}
        return Training(**{**base, **self.tasks[task].given(), **self.members[member].given()})


class Ensemble(Section):
    """How the members' logits become one soft label."""

    rule: Rule
    """Mean of probabilities (arXiv 1904.09482, Eq. 3) or of logits, or weights by dev scores."""
    members: Annotated[Literal["all"] | Names, AfterValidator(different)]
    """Members that count; the others are trained but left out."""
    calibration: Literal["none", "held_out"]
    """held_out divides each member's logits by a temperature fitted on the train rows that it
    has not seen, which needs folds."""


def _filled(section: Refinement | Teachers, own: Variant) -> dict[str, Any]:
    """All settings of a variant except its encoder, the section's values filled in."""
    default = {field: getattr(section, field) for field in (*Overrides.model_fields, "dropout")}
    overrides = own.given() | ({} if own.dropout is None else {"dropout": own.dropout})
    return default | overrides | {"seed": own.seed}


def _refuse_twins(kind: str, one: str, settings: Mapping[str, Mapping[str, Any]]) -> None:
    for earlier, later in combinations(settings, 2):
        if settings[earlier] == settings[later]:
            raise contradiction(
                f"{kind} {earlier} and {later} have the same settings and the same seed "
                f"({settings[later]['seed']}), so they would be one {one} twice"
            )
