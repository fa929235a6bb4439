"""Section `distillation`: the loss on soft labels, and matching of a teacher's features."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.params.fields import Count, Name, Section, contradiction
from pipeline.params.losses import SoftLoss

LayerPair = Annotated[list[Count], Field(min_length=2, max_length=2)]


class FeatureMatching(Section):
    """Distance of student layers from teacher layers."""

    weight: Annotated[float, Field(gt=0)]
    """Factor on this loss, added to the task's."""
    loss: Literal["mse", "cosine"]
    """Mean squared distance, or 1 minus the cosine."""
    layers: Literal["uniform"] | Annotated[list[LayerPair], Field(min_length=1)]
    """Pairs [student layer, teacher layer], counted from 1; uniform spreads them evenly."""


class Features(Section):
    """Transfer from inside one member, on the tasks that have teachers."""

    member: Name
    """The member whose inner states are matched."""
    hidden: FeatureMatching | None
    """Hidden states of tokens; a learnt projection where the widths differ."""
    attention: FeatureMatching | None
    """Attention probabilities, averaged over heads where their numbers differ."""

    @model_validator(mode="after")
    def _hidden_or_attention(self) -> Self:
        if self.hidden is None and self.attention is None:
            raise contradiction("hidden or attention must be given; null switches all of it off")
        return self


class Distillation(Section):
    """How hard and soft labels are combined."""

    hard_weight: Annotated[float, Field(ge=0, le=1)] | Literal["annealed"]
    """Weight of the hard loss; the soft loss has the rest. The paper's mean is 0.5; annealed
    raises it linearly from 0 to 1 over the training, as BAM (arXiv 1907.04829) does."""
    temperature: Annotated[float, Field(gt=0)]
    """Temperature of teachers and student in the soft loss, which is scaled by its square."""
    loss: SoftLoss
    """Loss on soft labels."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
    """Share of a hard label that is spread over all classes, in tasks without teachers. The
    baseline's are not: above 0, student and baseline differ by the smoothing there."""
    features: Features | None
    """Null learns from soft labels alone."""

    @model_validator(mode="after")
    def _temperature_counts(self) -> Self:
        if not self.loss.softens and self.temperature != 1.0:
            raise contradiction(
                f"loss {self.loss.kind} compares logits and knows no temperature; set it to 1.0, "
                f"not {self.temperature:g}"
            )
        return self
