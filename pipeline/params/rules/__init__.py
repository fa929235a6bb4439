"""Settings of the ensemble rules, which combine members' logits: one module per rule.

A rule is written as a word, or as a mapping with its kind and its settings if it has any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Union

from pipeline.params import kinds
from pipeline.params.rules.base import RuleSettings
from pipeline.runtime import discovery

KINDS = kinds.by_kind(discovery.subclasses(__name__, RuleSettings))
"""Settings of each rule by the word in params.yaml."""
WORDS = tuple(kind for kind, model in KINDS.items() if len(model.model_fields) == 1)
"""Rules without settings of their own: the word is enough."""

Written = str | Mapping[str, Any]

if TYPE_CHECKING:
    Rule = str | RuleSettings
else:
    _WITH_SETTINGS = {kind: model for kind, model in KINDS.items() if kind not in WORDS}
    Rule = Literal[WORDS]
    if _WITH_SETTINGS:
        Rule = Union[Rule, kinds.union(_WITH_SETTINGS)]  # noqa: UP007


def settings(rule: Written) -> RuleSettings:
    """Settings of a rule as it is written in params.yaml and in soft labels.

    Raises:
        KeyError: no such rule.
        ValidationError: its settings cannot be used.
    """
    values = {"kind": rule} if isinstance(rule, str) else dict(rule)
    return KINDS[values.get("kind", "")].model_validate(values)


def name(rule: Written) -> str:
    """The word for a rule."""
    return str(rule if isinstance(rule, str) else rule.get("kind"))


def written(rule: Rule) -> Written:
    """A rule as it is written in soft labels: a word if that is enough."""
    if isinstance(rule, str):
        return rule
    values = rule.model_dump(mode="json")
    return rule.kind if len(values) == 1 else values
