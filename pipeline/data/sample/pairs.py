"""Types that the modules of entailment share: pairs of clauses by their relation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from pipeline.data.sample.sentences import World

Clauses = Mapping[str, tuple[tuple[str, str], ...]]
"""Relation (entailment, neutral, contradiction) -> pairs of premise and hypothesis."""

Phenomenon = Callable[[Random, World], Clauses]
"""One source of inference, such as negation; it has pairs of every relation."""
