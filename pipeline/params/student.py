"""Sections `student`, `baseline` and `tuning`: the student, what it must beat, single tasks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pipeline.params.encoders import Encoder
from pipeline.params.fields import Dropout, Name, Section, Seed, different
from pipeline.params.heads import Head
from pipeline.params.sampling import Sampling
from pipeline.params.training import MultiTaskTraining, Overrides, Training


class Student(MultiTaskTraining):
    """The one multi-task model; the baseline is the same without soft labels."""

    seed: Seed
    """Seed of new heads, dropout and the order of rows."""
    encoder: Encoder
    """Initial encoder."""
    dropout: Dropout
    """Dropout inside the encoder."""
    head: Head
    """Head of a task that `heads` does not name."""
    heads: dict[Name, Head]
    """Heads of single tasks."""
    sampling: Sampling
    """How often each task is trained on."""
    task_weights: dict[Name, Annotated[float, Field(gt=0)]]
    """Factors on the losses of tasks; 1 for a task that is not named."""


class Baseline(Section):
    """Models like the student on gold labels alone; the stronger one is compared with it."""

    budgets: Annotated[
        list[Literal["epochs", "steps"]], Field(min_length=1), AfterValidator(different)
    ]
    """How long each is trained: for as many epochs as the student, or for as many steps, which
    transfer rows make more; then its epochs are the fewest that take no fewer steps."""


class Tuning(Training):
    """Fine-tuning of the trained student on single tasks, with hard labels."""

    seed: Seed
    """Seed of new heads, dropout and the order of rows."""
    tasks: dict[Name, Overrides]
    """Tasks to fine-tune on, with the settings that they override; {} for none."""

    def training(self, task: str) -> Training:
        """Settings of one task: the section's, then the task's."""
        base = {name: getattr(self, name) for name in Training.model_fields}
        return Training(**{**base, **self.tasks[task].given()})
