"""The base of the settings of all ensemble rules."""

from __future__ import annotations

from pipeline.params.fields import Section


class RuleSettings(Section):
    """Settings of an ensemble rule: base of all kinds."""

    kind: str
