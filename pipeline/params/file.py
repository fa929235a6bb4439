"""Reading params.yaml: YAML 1.2, every fault at once, each with its YAML path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.errors import ParamsError
from pipeline.params.sections import Params
from pipeline.paths import PARAMS
from pipeline.tasks import GLUE


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
    if not path.exists():
        raise ParamsError(
            "no such file", where=path, mend="run from the project's root, or name a profile"
        )
    try:
        value = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise ParamsError("not readable as YAML", seen=str(error), where=path) from error
    if not isinstance(value, dict):
        raise ParamsError("not a mapping of sections", seen=value, where=path)
    return value


def check(values: Mapping[str, Any], where: object = PARAMS) -> Params:
    """Turn plain values into `Params`, or report every fault in one error.

    Raises:
        ParamsError: one line a fault, each with its YAML path.
    """
    try:
        params = Params.model_validate(values)
    except ValidationError as error:
        raise _report([_describe(fault, values) for fault in error.errors()], where) from None
    faults = list(_contradictions(params))
    if faults:
        raise _report(faults, where)
    return params


def _report(faults: list[str], where: object) -> ParamsError:
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    lines = "\n".join(f"  - {fault}" for fault in faults)
    return ParamsError(f"{count} in the parameters:\n{lines}", where=where)


def _describe(fault: Any, values: Mapping[str, Any]) -> str:
    keys = [key for key in fault["loc"] if _is_yaml_key(key, fault["loc"])]
    path = ".".join(map(str, keys))
    if fault["type"] == "missing":
        return f"{path}: missing"
    if fault["type"] == "extra_forbidden":
        return f"{path}: unknown key{_suggestion(keys, values)}"
    return f"{path}: {fault['msg'][0].lower()}{fault['msg'][1:]}, not {fault['input']!r}"


def _is_yaml_key(key: Any, loc: tuple[Any, ...]) -> bool:
    """Drop pydantic's own path elements: union members' tags and the mark of a dict key."""
    at = loc.index(key)
    tag = key in {"hub", "folder", "wheel", "random"} and at > 0 and loc[at - 1] == "encoder"
    brackets = isinstance(key, str) and any(c in key for c in "[]'(")
    return not tag and not brackets


def _suggestion(keys: list[Any], values: Mapping[str, Any]) -> str:
    """The known key nearest to a misspelt one, looked up in the model at the same place."""
    known = _known_keys(Params, keys[:-1])
    near = get_close_matches(str(keys[-1]), known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _known_keys(model: Any, keys: list[Any]) -> list[str]:
    for key in keys:
        fields = getattr(model, "model_fields", None)
        if fields is None or key not in fields:
            model = model if fields is None else None
            continue
        model = _inner(fields[key].annotation)
    return list(getattr(model, "model_fields", {}))


def _inner(annotation: Any) -> Any:
    """The section inside `Section`, `Section | None` or `dict[Name, Section]`."""
    if hasattr(annotation, "model_fields"):
        return annotation
    for part in reversed(getattr(annotation, "__args__", ())):
        if (found := _inner(part)) is not None:
            return found
    return None


def _contradictions(params: Params) -> Iterator[str]:
    """Faults that only show when sections are read together."""
    for name, task in params.tasks.items():
        if name not in GLUE and task.custom is None:
            yield f"tasks.{name}: not one of GLUE's ({', '.join(GLUE)}) and without a `custom`"
        if name in GLUE and task.custom is not None:
            yield f"tasks.{name}.custom: {name} is one of GLUE's; give your task another name"
    for name in params.teachers.tasks:
        if name not in params.tasks:
            yield (
                f"teachers.tasks.{name}: no such task under `tasks`; take it out too "
                f"(dvc exp run -S '~teachers.tasks.{name}')"
            )
