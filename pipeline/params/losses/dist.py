"""Settings of distillation by correlation."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.params.fields import contradiction
from pipeline.params.losses.base import SoftLossSettings


class Correlation(SoftLossSettings):
    """DIST (arXiv 2205.10536): Pearson correlation along classes and along rows."""

    kind: Literal["dist"]
    inter: Annotated[float, Field(ge=0)]
    """Weight of the correlation within each row; of two classes it only knows which is larger."""
    intra: Annotated[float, Field(ge=0)]
    """Weight of the correlation within each class over the batch."""

    @model_validator(mode="after")
    def _some_weight(self) -> Self:
        if self.inter == 0 == self.intra:
            raise contradiction("with inter 0 and intra 0 nothing is learnt from soft labels")
        return self
