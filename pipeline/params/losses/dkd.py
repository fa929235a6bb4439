"""Settings of decoupled knowledge distillation."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.params.fields import contradiction
from pipeline.params.losses.base import SoftLossSettings


class Decoupled(SoftLossSettings):
    """DKD (arXiv 2203.08679): target class and the other classes apart."""

    kind: Literal["dkd"]
    alpha: Annotated[float, Field(ge=0)]
    """Weight of the target class part."""
    beta: Annotated[float, Field(ge=0)]
    """Weight of the other classes part, which is 0 in a task with two classes."""

    @model_validator(mode="after")
    def _some_weight(self) -> Self:
        if self.alpha == 0 == self.beta:
            raise contradiction("with alpha 0 and beta 0 nothing is learnt from soft labels")
        return self
