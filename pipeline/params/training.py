"""Settings of one training run, and those that a task, a member or a candidate overrides."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pipeline.params.encoders import Encoder
from pipeline.params.fields import (
    Count,
    Dropout,
    Names,
    Section,
    Seed,
    contradiction,
    different,
)


class EarlyStopping(Section):
    """Stop when the score on rows held out of train stops rising; dev and test rows are unused."""

    share: Annotated[float, Field(gt=0, lt=1)]
    """Share of each task's train rows that is held out and not trained on."""
    patience: Count
    """Epochs without a better mean task score before training stops; the best epoch is kept."""


class BestEpoch(Section):
    """Keep the epoch with the best dev score, as the authors do; it flatters dev figures."""

    tasks: Annotated[Names, AfterValidator(different)]
    """Tasks whose mean dev score decides, of those that are trained on."""


class Training(Section):
    """One training run."""

    epochs: Count
    """Passes over the train rows."""
    batch_size: Count
    """Rows of a batch."""
    max_length: Annotated[int, Field(ge=8)]
    """Tokens kept of a row, special tokens included."""
    optimizer: Literal["adamw", "adamax"]
    """AdamW (arXiv 1711.05101) or Adamax (arXiv 1412.6980), which the paper uses."""
    learning_rate: Annotated[float, Field(gt=0, lt=1)]
    """Highest rate, reached after the warm-up; it falls linearly to 0."""
    weight_decay: Annotated[float, Field(ge=0)]
    """Decay of weight matrices by each step, times the rate; biases and norms have none."""
    warmup: Annotated[float, Field(ge=0, lt=1)]
    """Share of all steps in which the rate rises from 0."""
    clip_norm: Annotated[float, Field(gt=0)]
    """Largest norm of all gradients together."""
    accumulation: Count
    """Batches of one task whose gradients make one step."""
    batches: Literal["by_length", "fixed"]
    """by_length: rows of similar length, packed anew in each epoch. fixed: packed at random before
    the first epoch and the same in all, as in Algorithm 1 of arXiv 1904.09482."""
    layer_decay: Annotated[float, Field(gt=0, le=1)]
    """Factor on the rate for each layer further below the heads (ELECTRA, BAM); 1 for none."""
    early_stopping: EarlyStopping | None
    """Null trains all epochs."""


class MultiTaskTraining(Training):
    """One training run on all tasks."""

    best_epoch: BestEpoch | None
    """Null keeps the last epoch, or the one that early stopping keeps."""

    @model_validator(mode="after")
    def _one_choice_of_the_epoch(self) -> Self:
        if self.best_epoch is not None and any(self._stopping()):
            raise contradiction(
                "best_epoch and early_stopping both choose the epoch; set one of them to null"
            )
        return self

    def _stopping(self) -> list[EarlyStopping | None]:
        """Early stopping of every model that is trained by these settings."""
        return [self.early_stopping]


class Overrides(Section):
    """Training settings that a task or a member overrides; the others stay as in the section."""

    epochs: Count | None = None
    batch_size: Count | None = None
    max_length: Annotated[int, Field(ge=8)] | None = None
    optimizer: Literal["adamw", "adamax"] | None = None
    learning_rate: Annotated[float, Field(gt=0, lt=1)] | None = None
    weight_decay: Annotated[float, Field(ge=0)] | None = None
    warmup: Annotated[float, Field(ge=0, lt=1)] | None = None
    clip_norm: Annotated[float, Field(gt=0)] | None = None
    accumulation: Count | None = None
    batches: Literal["by_length", "fixed"] | None = None
    layer_decay: Annotated[float, Field(gt=0, le=1)] | None = None
    early_stopping: EarlyStopping | None = None

    def given(self) -> dict[str, Any]:
        """The training settings that are written; null is one for early stopping alone."""
        settings = {k: v for k in Overrides.model_fields if (v := getattr(self, k)) is not None}
        off = "early_stopping" in self.model_fields_set and self.early_stopping is None
        return settings | ({"early_stopping": None} if off else {})


class Variant(Overrides):
    """One of several models that are trained alike except for the settings written here."""

    seed: Seed
    """Seed of new heads, dropout and the order of rows."""
    encoder: Encoder | None = None
    """Initial encoder; null takes the section's."""
    dropout: Dropout | None = None
    """Dropout inside the encoder; null takes the section's."""
