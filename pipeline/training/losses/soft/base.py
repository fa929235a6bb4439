"""The interface of a soft loss, and the registry of all kinds.

Everywhere logits are `(batch, classes)`, targets are teachers' probabilities `(batch, classes)`
softened by the temperature T, and the result is `(batch,)`. A loss that softens the student has the
factor T^2, which keeps the gradient's size when T changes (arXiv 1503.02531, section 2.1).
"""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from pipeline.runtime.discovery import Registry


class SoftLoss(Protocol):
    """A loss of each row, against its soft target."""

    def __call__(
        self, logits: Tensor, targets: Tensor, classes: Tensor, temperature: float, settings: Any
    ) -> Tensor:
        """The loss of each row `(batch,)`.

        Args:
            logits: student's logits `(batch, classes)`.
            targets: soft targets `(batch, classes)`.
            classes: each row's target class, int64 `(batch,)`: the gold one where it is known, else
                the teachers' likeliest.
            temperature: T, above 0.
            settings: of this kind, as in params.yaml.
        """


SOFT_LOSSES: Registry[SoftLoss] = Registry(__package__ or "")


def centred(values: Tensor) -> Tensor:
    """Rows less their mean, `(batch, classes)`."""
    return values - values.mean(1, keepdim=True)
