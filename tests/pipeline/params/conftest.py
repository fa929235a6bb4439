"""Settings to spoil: the sample profile as plain values, and one line of its report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ParamsError
from pipeline.params import file

SAMPLE = Path(__file__).resolve().parents[3] / "profiles" / "sample.yaml"
Values = dict[str, Any]


def put(values: Values, path: str, value: Any) -> Values:
    """The values with one changed, named by its keys with / between them."""
    *parents, last = path.split("/")
    here = values
    for key in parents:
        here = here[key]
    here[last] = value
    return values


@pytest.fixture
def values() -> dict[str, Any]:
    return file.read_yaml(SAMPLE)


@pytest.fixture
def faults() -> Callable[[dict[str, Any]], list[str]]:
    """Lines of the report on spoilt values, without the leading dash."""

    def lines(spoilt: dict[str, Any]) -> list[str]:
        with pytest.raises(ParamsError) as caught:
            file.check(spoilt)
        first, *rest = caught.value.what.splitlines()
        assert first.split()[0] == str(len(rest))
        return [line.removeprefix("  - ") for line in rest]

    return lines
