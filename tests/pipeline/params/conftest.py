"""The sample profile as plain values, changes to it, and the report on what is wrong then."""

from __future__ import annotations

import copy
import json
import re
import shlex
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ParamsError
from pipeline.params import file, yaml_text
from pipeline.params import overrides as overlay

SAMPLE = Path(__file__).resolve().parents[3] / "profiles" / "sample.yaml"
Values = dict[str, Any]


def put(values: Values, path: str, value: Any) -> Values:
    """The values with one changed, named by its keys with / between them."""
    *parents, last = path.split("/")
    mapping = values
    for key in parents:
        mapping = mapping[key]
    mapping[last] = value
    return values


def put_all(values: Values, changes: Mapping[str, Any]) -> Values:
    """The values with several changed, as by `put`."""
    for path, value in changes.items():
        put(values, path, json.loads(json.dumps(value)))  # a YAML alias would be one object twice
    return values


def commands(line: str) -> list[list[str]]:
    """The overrides of each command in a line of the report, as a shell reads them."""
    overrides = []
    for command in line.split("dvc exp run ")[1:]:
        words = re.match(r"(-S ('[^']*'|\"'\")+ ?)+", command)
        assert words, f"no -S in: {command}"
        overrides.append([word for word in shlex.split(words[0]) if word != "-S"])
    return overrides


def fixed(values: Values, overrides: list[str], folder: Path) -> list[Values]:
    """The values after a command, changed by `dvc exp run -S` and by our own `--set`."""
    from dvc.utils.hydra import apply_overrides

    path = folder / "params.yaml"
    path.write_text(yaml_text.dump_kept(values))
    apply_overrides(str(path), overrides)
    ours = copy.deepcopy(values)
    for override in overrides:
        overlay.change(ours, override)
    return [file.read_yaml(path), ours]


@cache
def sample() -> Values:
    """The sample profile, read once."""
    return file.read_yaml(SAMPLE)


@pytest.fixture
def values() -> Values:
    return copy.deepcopy(sample())


@pytest.fixture
def faults() -> Callable[[Values], list[str]]:
    """Lines of the report on values that cannot be used, without the leading dash."""

    def lines(values: Values) -> list[str]:
        with pytest.raises(ParamsError) as error:
            file.check(values)
        first, *rest = error.value.what.splitlines()
        assert first.split()[0] == str(len(rest))
        return [line.removeprefix("  - ") for line in rest]

    return lines
