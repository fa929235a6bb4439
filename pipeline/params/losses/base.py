"""The base of the settings of all soft losses."""

from __future__ import annotations

from typing import ClassVar

from pipeline.params.fields import Section


class SoftLossSettings(Section):
    """Settings of a soft loss: base of all kinds."""

    softens: ClassVar[bool] = True
    """Whether the loss softens the student by the temperature."""

    kind: str
