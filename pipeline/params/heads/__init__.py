"""Settings of the heads, which turn the encoder's output into logits: one module per kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.params import kinds
from pipeline.params.heads.base import HeadSettings
from pipeline.runtime import discovery

KINDS = kinds.by_kind(discovery.subclasses(__name__, HeadSettings))  # type: ignore[type-abstract]
"""Settings of each kind of head by the word in params.yaml."""

if TYPE_CHECKING:
    Head = HeadSettings
else:
    Head = kinds.union(KINDS)
