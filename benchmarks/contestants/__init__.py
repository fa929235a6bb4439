"""The programs that are timed, by name, and the type of what each prepares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "ours": "ours:training",
        "ours_freely": "ours:training_freely",
        "ours_distilling": "ours:distilling",
        "ours_labelling": "ours:labelling",
        "ours_remembering": "ours:remembering",
        "limit": "ceiling:with_training",
        "products": "products:switched",
        "trainer_padded": "transformers:padded",
        "trainer_grouped": "transformers:grouped",
        "trainer_compiled": "transformers:compiled",
        "textbrewer_live": "textbrewer:live",
        "textbrewer_cached": "textbrewer:cached",
        "bare_forward": "forward:bare",
    }
)
"""Contestant -> module and function, which takes a `Job` and returns `Prepared`."""
OURS = frozenset({"ours", "ceiling", "products"})
"""Modules whose contestants start as a stage does."""


@dataclass(frozen=True)
class Prepared:
    """A contestant that has imported, built and warmed up everything.

    Attributes:
        run: the work that is timed; it may return details for the report.
        examples: rows times epochs that it passes through the model.
        rows: digest of the rows.
        weights: digest of the first weights.
        details: figures from before the run.
    """

    run: Callable[[], Mapping[str, Any] | None]
    examples: int
    rows: str
    weights: str
    details: Mapping[str, Any] = field(default_factory=dict)
