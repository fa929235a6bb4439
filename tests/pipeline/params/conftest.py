"""Settings to spoil: the sample profile as plain values, and one line of its report."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
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
    here = values
    for key in parents:
        here = here[key]
    here[last] = value
    return values


def changes(line: str) -> list[list[str]]:
    """What each command in a line of the report changes, as a shell reads it."""
    found = []
    for command in line.split("dvc exp run ")[1:]:
        words = re.match(r"(-S ('[^']*'|\"'\")+ ?)+", command)
        assert words, f"no -S in: {command}"
        found.append([word for word in shlex.split(words[0]) if word != "-S"])
    return found


def fix(values: Values, overrides: list[str], folder: Path) -> list[Values]:
    """The values after a command, changed by `dvc exp run -S` and by our own `--set`."""
    from dvc.utils.hydra import apply_overrides

    path = folder / "params.yaml"
    path.write_text(text := yaml_text.dump_kept(values))
    apply_overrides(str(path), overrides)
    ours = yaml_text.parse_kept(text, path)
    for override in overrides:
        overlay.change(ours, override)
    return [file.read_yaml(path), yaml_text.parse(yaml_text.dump_kept(ours), path)]


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
