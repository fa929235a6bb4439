"""The JSON schema accepts what the models accept, and the reference names and explains every key.

Run with: python -m pytest tests/pipeline/params/test_schema.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.params import file, profiles, schema
from scripts import params_reference

ROOT = Path(__file__).resolve().parents[3]
SCHEMA: dict[str, Any] = json.loads(schema.json_schema())


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    return SCHEMA["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node


def unknown(node: dict[str, Any], value: Any, path: str = "") -> Iterator[str]:
    """Keys of a value that the schema does not know or that it lacks."""
    node = resolved(node)
    if "anyOf" in node or not isinstance(value, dict):
        return
    if "oneOf" in node:
        tag = node["discriminator"]
        node = resolved({"$ref": tag["mapping"][value[tag["propertyName"]]]})
    for inner in node.get("patternProperties", {}).values():
        for key, part in value.items():
            yield from unknown(inner, part, f"{path}.{key}")
    if "properties" in node:
        yield from (f"{path}.{key}" for key in {*value} - {*node["properties"]})
        yield from (f"{path}.{key}: missing" for key in {*node.get("required", ())} - {*value})
        for key in {*value} & {*node["properties"]}:
            yield from unknown(node["properties"][key], value[key], f"{path}.{key}")


@pytest.mark.parametrize("name", ["sample", "glue-base", "glue-cpu", "paper"])
def test_the_schema_knows_the_keys_of_every_profile(name: str) -> None:
    values = profiles.values(name, folder=ROOT / "profiles")
    assert not list(unknown(SCHEMA, values))
    values["student"]["epoch"] = values["student"].pop("epochs")
    assert sorted(unknown(SCHEMA, values)) == [".student.epoch", ".student.epochs: missing"]


def test_ranges_words_and_meanings_reach_the_editor() -> None:
    student = SCHEMA["$defs"]["Student"]
    assert student["additionalProperties"] is False
    rate = student["properties"]["learning_rate"]
    assert (rate["exclusiveMinimum"], rate["exclusiveMaximum"]) == (0, 1)
    assert rate["description"].startswith("Highest rate")
    assert student["properties"]["optimizer"]["enum"] == ["adamw", "adamax"]


def rows(text: str) -> list[list[str]]:
    """Cells of the tables' rows: key, type, default, meaning."""
    lines = (line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `"))
    return [[cell.strip() for cell in line] for line in lines]


def test_the_reference_has_type_default_and_meaning_of_a_key() -> None:
    text = schema.reference(file.read_yaml(ROOT / "profiles" / "sample.yaml"))
    reference = {key: cells for key, *cells in rows(text)}
    assert reference["`data.retry.timeout`"] == [
        "number above 0",
        "`30.0`",
        "Seconds without a byte before a connection counts as broken.",
    ]
    assert reference["`tasks`"][0] == "names, each with [TaskParams](#taskparams)"
    assert reference["`student.optimizer`"][:2] == ["`adamw`, `adamax`", "`adamw`"]


def test_every_key_has_a_meaning_unless_it_has_one_value() -> None:
    text = schema.reference(file.read_yaml(ROOT / "profiles" / "sample.yaml"))
    assert len(rows(text)) > 150
    bare = [key for key, kind, _, meaning in rows(text) if not meaning and not kind.startswith("`")]
    assert bare == []


@pytest.mark.parametrize("name", ["params.schema.json", "params.md"])
def test_the_written_files_are_up_to_date(name: str) -> None:
    written = (ROOT / params_reference.FOLDER / name).read_text("utf-8")
    assert written == params_reference.texts(ROOT)[name], "run `make reference`"
