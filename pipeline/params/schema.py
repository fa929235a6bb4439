"""Describe params.yaml: a JSON schema for editors, and a reference of all keys for readers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from pydantic.json_schema import GenerateJsonSchema

from pipeline.params.fields import SPELLINGS
from pipeline.params.sections import Params, Training
from pipeline.params.yaml_text import dotted, shown

DIALECT = GenerateJsonSchema.schema_dialect
_RANGE = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}
_TYPES = {"integer": "whole number", "number": "number", "string": "text", "null": "null"}
_LONGEST = 40  # characters of a default in a table
_INTRODUCTION = """# Parameters

All keys of params.yaml, written by `make reference` from the models in `pipeline/params`. No other
key is allowed. The sections' keys are all required; the default is the value in
`profiles/sample.yaml`, which is the committed params.yaml, and is left out here where it is long.
Under [Kinds of values](#kinds-of-values) a key with a default may be left out.

Editors with the YAML language server complete the keys by `params.schema.json`, which the comment
`yaml-language-server` in params.yaml names.
"""

Node = Mapping[str, Any]


class _WithoutTitles(GenerateJsonSchema):
    """The names of the keys are titles enough."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema() -> str:
    """The JSON schema of params.yaml, as text; editors complete keys by it and mark faults."""
    return json.dumps({"$schema": DIALECT, **_schema()}, indent=2, ensure_ascii=False) + "\n"


def reference(defaults: Mapping[str, Any]) -> str:
    """All keys in Markdown tables: one table per section, then one per kind of value.

    Args:
        defaults: values of a whole params file, shown with the keys of the sections.
    """
    schema = _schema()
    kinds: Mapping[str, Node] = schema["$defs"]
    parts = [_INTRODUCTION]
    expanded: set[str] = set()
    for section, node in schema["properties"].items():
        keys = list(_keys(node, (section,), defaults.get(section), kinds, expanded))
        parts.append(_part("##", section, _kind(node, kinds).get("description", ""), keys))
    parts.append("## Kinds of values\n")
    for name, kind in kinds.items():
        if name not in expanded:
            rows = [
                _row((key,), _described(key, node), _default(node))
                for key, node in kind["properties"].items()
            ]
            parts.append(_part("###", name, kind["description"], rows))
    return "\n".join(parts)


def _schema() -> dict[str, Any]:
    return Params.model_json_schema(schema_generator=_WithoutTitles)


def _keys(
    node: Node, path: tuple[str, ...], value: Any, kinds: Mapping[str, Node], expanded: set[str]
) -> Iterator[dict[str, str]]:
    """Rows of a section's keys; keys of a section inside it are in the same table.

    Args:
        node: schema of the value at the path.
        path: YAML path.
        value: default there.
        kinds: schemas by name.
        expanded: names of the kinds whose keys have rows here; they are added to it.
    """
    kind = _kind(node, kinds)
    if not kind:
        text = shown(value)
        yield _row(path, node, text if len(text) <= _LONGEST else "")
        return
    expanded.add(_name(node))
    for key, inner in kind["properties"].items():
        yield from _keys(inner, (*path, key), value[key], kinds, expanded)


def _kind(node: Node, kinds: Mapping[str, Node]) -> Node:
    return kinds[_name(node)] if "$ref" in node else {}


def _name(node: Node) -> str:
    return str(node["$ref"]).rpartition("/")[2]


def _row(path: tuple[str, ...], node: Node, default: str) -> dict[str, str]:
    return {
        "key": f"`{dotted(path)}`",
        "type": _type(node),
        "default": f"`{default}`" if default and default != "required" else default,
        "meaning": " ".join(str(node.get("description", "")).split()),
    }


def _default(node: Node) -> str:
    return shown(node["default"]) if "default" in node else "required"


def _described(key: str, node: Node) -> Node:
    """The schema of a key; a key that a task or member overrides means the same as in a section."""
    field = Training.model_fields.get(key)
    return {"description": field.description, **node} if field else node


def _part(level: str, name: str, description: str, rows: list[dict[str, str]]) -> str:
    table = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    head = f"{level} {name}\n"
    return "\n".join(
        [head, *([" ".join(description.split()) + "\n"] if description else []), table, ""]
    )


def _type(node: Node) -> str:
    """A phrase for the values that are allowed there."""
    for several in ("anyOf", "oneOf"):
        if several in node:
            return " or ".join(_type(part) for part in node[several])
    if "$ref" in node:
        return f"[{_name(node)}](#{_name(node).lower()})"
    if "const" in node:
        return f"`{shown(node['const'])}`"
    if "enum" in node:
        return ", ".join(f"`{shown(word)}`" for word in node["enum"])
    if "pattern" in node:
        return SPELLINGS[node["pattern"]]
    if node["type"] == "array":
        return f"list of {_type(node['items'])}"
    if node["type"] == "object":
        (inner,) = node.get("patternProperties", {"": node.get("additionalProperties")}).values()
        return f"names, each with {_type(inner)}"
    limits = [f"{words} {shown(node[key])}" for key, words in _RANGE.items() if key in node]
    return " ".join([_TYPES[node["type"]], " and ".join(limits)]).strip()
