"""The base of heads' settings: what a kind must say of itself."""

from __future__ import annotations

from typing import Literal

import pytest

from pipeline.params.heads.base import HeadSettings


class Nothing(HeadSettings):
    kind: Literal["nothing"]


def test_a_kind_that_does_not_count_its_weights_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="weights"):
        Nothing.model_validate({"kind": "nothing"})
