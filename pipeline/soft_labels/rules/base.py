"""The interface of an ensemble rule, and the registry of all rules."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.runtime.discovery import Registry

Doubles = npt.NDArray[np.float64]


class EnsembleRule(ABC):
    """An ensemble rule: base of all kinds.

    Args:
        settings: of the rule's kind, as in params.yaml.

    Attributes:
        caution: a sentence for the results page on how the rule biases figures; "" for none.
    """

    caution = ""

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    @abstractmethod
    def probabilities(
        self, logits: npt.NDArray[Any], shares: Doubles, temperature: float
    ) -> Doubles:
        """Class probabilities `(rows, classes)`, each row adding up to 1.

        Args:
            logits: `(members, rows, classes)`, all finite.
            shares: weights of the members `(members,)`, all the same unless it is a
                `WeightedRule`.
            temperature: T, which every member's logits are divided by.
        """

    def scores(self, scores: npt.NDArray[Any], shares: Doubles) -> Doubles:
        """Scores `(rows, 1)` of regression models `(members, rows, 1)`: their weighted mean."""
        return mean(scores, shares)


class WeightedRule(EnsembleRule):
    """A rule that weighs the members by their dev scores."""

    @abstractmethod
    def weights(self, dev: Mapping[str, float]) -> dict[str, float]:
        """Weights of the members, adding up to 1.

        Args:
            dev: dev score of each member, a fraction.
        """


RULES: Registry[type[EnsembleRule]] = Registry(__package__ or "")


def mean(values: npt.NDArray[Any], shares: Doubles) -> Doubles:
    """Weighted mean over the first axis, the same to the last bit in any order of members.

    Sorting before the sum makes it so: float addition depends on its order.
    """
    weighted: Doubles = np.sort(values * shares[:, None, None], axis=0).sum(axis=0)
    return weighted
