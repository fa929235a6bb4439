"""Read params.yaml by YAML 1.2, and report every fault at once, each with its YAML path."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.errors import ParamsError
from pipeline.params import yaml_text
from pipeline.params.checks import cross_section, messages
from pipeline.params.sections import Params
from pipeline.paths import PARAMS


def load(path: Path = PARAMS) -> Params:
    """Read and check a params file.

    Raises:
        ParamsError: the file is missing, is not YAML, or holds values that cannot be used.
    """
    return check(read_yaml(path), where=path)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a mapping by YAML 1.2's rules, in which 2e-5 is a number and `no` a word.

    Raises:
        ParamsError: the file is missing or is not a YAML mapping.
    """
    value = yaml_text.parse(read_text(path), path)
    if not isinstance(value, dict):
        raise ParamsError("not a mapping of sections", seen=yaml_text.shown(value), where=path)
    return value


def read_text(path: Path) -> str:
    """Text of a params file or a profile.

    Raises:
        ParamsError: the file is missing or is not UTF-8.
    """
    if not path.is_file():
        raise ParamsError(
            "no such file",
            where=path,
            fix="run from the project's root; `python -m stages.profile apply sample` writes one",
        )
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParamsError("not UTF-8 text", seen=str(error), where=path) from None


def check(values: Mapping[str, Any], where: object = PARAMS) -> Params:
    """Turn plain values into `Params`, or report every fault in one error.

    Raises:
        ParamsError: one line per fault, each with its YAML path.
    """
    lines = list(cross_section.find(values))
    try:
        params = Params.model_validate(values)
    except ValidationError as error:
        lines = [*messages.describe(error, Params, values), *lines]
    if lines:
        raise report(lines, where)
    return params


def report(lines: list[str], where: object = PARAMS) -> ParamsError:
    """The error that reports all faults, one per line."""
    count = "1 fault" if len(lines) == 1 else f"{len(lines)} faults"
    text = "\n".join(f"  - {line}" for line in lines)
    return ParamsError(f"{count} in the parameters:\n{text}", where=where)
