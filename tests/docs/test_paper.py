"""Every module, setting and value on docs/paper.md is that of the code and of profile `paper`.

Run with: python -m pytest tests/docs/test_paper.py
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.params import file, profiles
from pipeline.params.sections import Params

ROOT = Path(__file__).resolve().parents[2]
PROFILES = ROOT / "profiles"
PAGE = (ROOT / "docs" / "paper.md").read_text("utf-8")
QUOTED = sorted(set(re.findall(r"`([^`\n]+)`", PAGE)))
SECTIONS = "|".join([*Params.model_fields, r"\*"])
CODE = [words for words in QUOTED if re.fullmatch(r"pipeline(\.\w+)+", words)]
CHANGES = [words for words in QUOTED if re.match(rf"\+?({SECTIONS})[\w.]*=", words)]
SETTINGS = [
    words
    for words in QUOTED
    if re.match(rf"({SECTIONS})(\.\w+)*(: |$)", words) and words not in Params.model_fields
]
TRAININGS = ("refinement", "teachers", "student", "tuning")
KEPT = {"train", "dev", "test", "revision", "labelling_tokens", "shards"}
"""Keys that are no choice of the paper's: all rows are kept, encoders are pinned."""


@pytest.fixture(scope="module")
def profile() -> Any:
    """The values of profile `paper`, those of the base included."""
    return profiles.as_written("paper", (), PROFILES)


def named() -> dict[str, Any]:
    """Value on the page by path, `*` expanded; `...` for a path without a value."""
    found = {}
    for words in SETTINGS:
        path, colon, text = words.partition(": ")
        value = YAML(typ="safe").load(f"value: {text}")["value"] if colon else ...
        sections = TRAININGS if path.startswith("*") else [path.partition(".")[0]]
        rest = path.partition(".")[2]
        found |= {f"{section}.{rest}".rstrip("."): value for section in sections}
    return found


def leaves(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from leaves(child, f"{path}.{key}" if path else key)
    else:
        yield path


def test_the_page_names_what_is_tested() -> None:
    assert len(CODE) > 30
    assert len(named()) > 60
    assert len(CHANGES) >= 7


@pytest.mark.parametrize("name", CODE)
def test_code_is_there(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    found = getattr(importlib.import_module(module), attribute)
    assert found.__module__ == module, f"it is of {found.__module__}"
    assert found.__doc__


@pytest.mark.parametrize(("path", "value"), named().items())
def test_a_setting_has_its_value_in_the_profile(profile: Any, path: str, value: Any) -> None:
    for key in path.split("."):
        profile = profile[key]
    assert value is ... or (profile, type(profile)) == (value, type(value))


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_can_be_made_to_the_profile(profile: Any, change: str) -> None:
    changed = profiles.as_written("paper", (change,), PROFILES)
    assert changed != profile
    file.check(changed)


def test_every_key_of_the_profile_is_on_the_page() -> None:
    """By its last word: what one section has is not repeated for the others."""
    words = set(re.findall(r"\w+", " ".join(SETTINGS)))
    keys = {path.rpartition(".")[2] for path in leaves(file.read_yaml(PROFILES / "paper.yaml"))}
    assert keys - words == KEPT
