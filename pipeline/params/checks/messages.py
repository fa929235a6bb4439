"""Write each fault of a params file as one line: where, what is wrong, and the value seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from pipeline.params.fields import SPELLINGS
from pipeline.params.yaml_text import dotted, shown

Path = tuple[Any, ...]
Fault = Mapping[str, Any]

_TAGS = ("source", "kind")
"""Keys whose value names the kind of a mapping."""

_PHRASES: dict[str, Callable[[dict[str, Any]], str]] = {
    "string_pattern_mismatch": lambda c: SPELLINGS.get(c["pattern"], f"like {c['pattern']}"),
    "string_too_short": lambda _: "text that is not empty",
    "string_type": lambda _: "text",
    "int_type": lambda _: "a whole number",
    "float_type": lambda _: "a number",
    "finite_number": lambda _: "a finite number",
    "greater_than": lambda c: f"above {c['gt']:g}",
    "greater_than_equal": lambda c: f"at least {c['ge']:g}",
    "less_than": lambda c: f"below {c['lt']:g}",
    "less_than_equal": lambda c: f"at most {c['le']:g}",
    "model_type": lambda _: "a mapping of settings",
    "model_attributes_type": lambda _: "a mapping of settings",
    "dict_type": lambda _: "a mapping of names",
    "list_type": lambda _: "a list",
}
"""A phrase for the wanted value, by pydantic's type of error; for all but lists of words."""


def describe(error: ValidationError, model: type[BaseModel], values: Any) -> list[str]:
    """One line per fault, in the order of the sections, each with its YAML path."""
    grouped: dict[Path, list[Fault]] = {}
    for fault in error.errors(include_url=False):
        grouped.setdefault(_yaml_path(fault, values), []).append(fault)
    _drop_echoes(grouped, model, values)
    return [_line(path, faults, model, values) for path, faults in grouped.items()]


def near(word: Any, known: Any) -> str:
    """The known word nearest to a misspelt one, as the end of a sentence, or nothing."""
    close = get_close_matches(str(word), [str(name) for name in known], n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _yaml_path(fault: Fault, values: Any) -> Path:
    """The fault's path without pydantic's own elements (tags of unions, marks of dict keys)."""
    keys, here = [], values
    for key in fault["loc"]:
        is_place = isinstance(here, list) and isinstance(key, int)
        if is_place or (isinstance(here, Mapping) and key in here):
            keys.append(key)
            here = here[key]
    if fault["type"] == "missing":
        keys.append(fault["loc"][-1])
    if fault["type"].startswith("union_tag"):
        keys.append(_quoted(fault["ctx"]["discriminator"])[0])
    return tuple(keys)


def _drop_echoes(grouped: dict[Path, list[Fault]], model: type[BaseModel], values: Any) -> None:
    """Leave out what only repeats another line.

    A list that may also be a word fails as a word too; a misspelt key is missing as well.
    """
    for path, faults in list(grouped.items()):
        inner = any(other[: len(path)] == path for other in grouped if len(other) > len(path))
        if inner and all(fault["type"] == "literal_error" for fault in faults):
            del grouped[path]
        elif faults[0]["type"] == "extra_forbidden":
            known = _keys_at(model, path[:-1], values)
            for meant in get_close_matches(str(path[-1]), known, n=1):
                grouped.pop((*path[:-1], meant), None)


def _line(path: Path, faults: list[Fault], model: type[BaseModel], values: Any) -> str:
    # An empty list may be where a word is allowed: the list is what was meant.
    fault = next((fault for fault in faults if fault["type"] == "too_short"), faults[0])
    where = dotted(path)
    match fault["type"]:
        case "missing":
            return f"{where}: missing"
        case "extra_forbidden":
            return f"{where}: unknown key{_suggestion(model, path, values)}"
        case "too_short":
            return f"{where}: empty, needs at least one entry"
        case "contradiction":
            return f"{where}: {fault['msg']}"
        case "union_tag_not_found":
            kinds = [_tag_of(kind) for kind in _kinds_at(model, path[:-1], values)]
            return f"{where}: missing; one of {_joined_by_or(kinds)}"
    return f"{where}: {_requirement(faults)}"


def _requirement(faults: list[Fault]) -> str:
    wanted = [wish for fault in faults for wish in _expected(fault)]
    seen = faults[0]["input"]
    if faults[0]["type"] == "union_tag_invalid":
        seen = faults[0]["ctx"]["tag"]
    subject = "the name must be" if faults[0]["loc"][-1] == "[key]" else "must be"
    meant = near(seen, _words(faults)) if isinstance(seen, str) else ""
    return f"{subject} {_joined_by_or(list(dict.fromkeys(wanted)))}, not {shown(seen)}{meant}"


def _words(faults: list[Fault]) -> list[str]:
    """The allowed words, if the value must be one of several."""
    contexts = [fault.get("ctx", {}) for fault in faults]
    return [w for c in contexts for w in _quoted(c.get("expected", c.get("expected_tags", "")))]


def _expected(fault: Fault) -> list[str]:
    if words := _words([fault]):
        return words
    phrase = _PHRASES.get(fault["type"])
    return [phrase(fault.get("ctx", {})) if phrase else f"valid ({fault['msg']})"]


def _suggestion(model: type[BaseModel], path: Path, values: Any) -> str:
    """A near key at the same place, else the same key at another place."""
    if close := near(path[-1], _keys_at(model, path[:-1], values)):
        return close
    homes = [dotted(home) for home in _sections_with(model, path[-1])]
    return f"; {path[-1]} belongs to {_joined_by_or(homes)}" if homes else ""


def _sections_with(model: type[BaseModel], key: Any) -> Iterator[Path]:
    """Top sections that know a key."""
    for name, field in model.model_fields.items():
        if any(key in kind.model_fields for kind in _direct(field.annotation)):
            yield (name,)


def _keys_at(model: type[BaseModel], path: Path, values: Any) -> list[str]:
    """Keys that the models know at a YAML path, in their order."""
    kinds = _kinds_at(model, path, values)
    return list(dict.fromkeys(key for kind in kinds for key in kind.model_fields))


def _kinds_at(model: type[BaseModel], path: Path, values: Any) -> list[type[BaseModel]]:
    """Models that are allowed at a YAML path; of a tagged union the one that is named there."""
    kinds, annotation, here = [model], None, values
    for key in path:
        here = here.get(key) if isinstance(here, Mapping) else None
        fields = [kind.model_fields[key] for kind in kinds if key in kind.model_fields]
        annotation = fields[0].annotation if fields else _value_of(annotation)
        kinds = [kind for kind in _direct(annotation) if _fits(kind, here)]
    return kinds


def _value_of(annotation: Any) -> Any:
    """Annotation of a dict's values."""
    return get_args(annotation)[-1] if getattr(annotation, "__origin__", None) is dict else None


def _direct(annotation: Any) -> list[type[BaseModel]]:
    """Models in `Model`, `Model | None` or an annotated union, not those inside a dict."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if annotation is None or getattr(annotation, "__origin__", None) in (dict, list):
        return []
    return [kind for part in get_args(annotation) for kind in _direct(part)]


def _fits(kind: type[BaseModel], here: Any) -> bool:
    if not isinstance(here, Mapping) or not _tag_of(kind):
        return True
    tags = [here[key] for key in _TAGS if key in here and key in kind.model_fields]
    return not tags or _tag_of(kind) in tags


def _tag_of(kind: type[BaseModel]) -> str:
    """Value of the key that names this member of a tagged union; empty for other models."""
    fields = [kind.model_fields[key] for key in _TAGS if key in kind.model_fields]
    words = get_args(fields[0].annotation) if fields else ()
    return str(words[0]) if len(words) == 1 else ""


def _quoted(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text)


def _joined_by_or(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
