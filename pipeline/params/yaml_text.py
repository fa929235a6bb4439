"""Read YAML 1.2, write it back with its comments, and show single values in one line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.representer import RoundTripRepresenter

from pipeline.errors import ParamsError

_PLAIN = re.compile(r"[\w./+-]([\w./~+@ -]*[\w./~+@-])?")


def parse(text: str, where: object) -> Any:
    """Read YAML by version 1.2's rules, in which 2e-5 is a number and `no` a word.

    Raises:
        ParamsError: the text is not YAML; the error names line and column.
    """
    return _load(YAML(typ="safe", pure=True), text, where)


def parse_kept(text: str, where: object) -> Any:
    """Read YAML with its comments and layout, for `dump_kept`; raises what `parse` raises."""
    return _load(_keeping(), text, where)


def dump_kept(value: Any) -> str:
    """YAML text with comments and layout as read, and an empty line before each section."""
    stream = StringIO()
    _keeping().dump(value, stream)
    # A replaced mapping took the empty line after it along.
    return re.sub(r"(?m)^([^#\n].*)\n+(?=[a-z_]+:)", r"\1\n\n", stream.getvalue())


def _keeping() -> YAML:
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.preserve_quotes = True
    yaml.width = 4096
    return yaml


class _Representer(RoundTripRepresenter):
    """Writes null as a word: a key without a value looks like a mistake."""


_Representer.add_representer(
    type(None), lambda self, _: self.represent_scalar("tag:yaml.org,2002:null", "null")
)


def _load(yaml: YAML, text: str, where: object) -> Any:
    try:
        return yaml.load(text)
    except YAMLError as error:
        raise ParamsError("not readable as YAML", seen=_problem(error), where=where) from None


def _problem(error: YAMLError) -> str:
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return str(error).splitlines()[0]


def dotted(path: Iterable[Any]) -> str:
    """A YAML path as users write it: `teachers.members.m1`, `student.encoder.layers[0]`."""
    text = ""
    for key in path:
        plain = isinstance(key, str) and re.fullmatch(r"[\w-]+", key)
        text += f"[{key}]" if isinstance(key, int) else f".{key if plain else repr(key)}"
    return text.removeprefix(".")


def shown(value: Any) -> str:
    """A value in one line as YAML spells it: null, true, 1e-05, {seed: 4}."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case float() if not math.isfinite(value):
            return ".nan" if math.isnan(value) else f"{'-' * (value < 0)}.inf"
        case float():
            return repr(float(value))
        case str():
            return str(value) if _is_plain(value) else repr(str(value))
        case Mapping():
            return "{" + ", ".join(f"{shown(k)}: {shown(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(shown, value)) + "]"
    return str(value)


def _is_plain(text: str) -> bool:
    """Whether YAML reads the text, without quotes, as itself and not as a number or a null."""
    return bool(_PLAIN.fullmatch(text)) and bool(YAML(typ="safe", pure=True).load(text) == text)
