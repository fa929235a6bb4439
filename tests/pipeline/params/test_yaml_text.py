"""YAML text: single values in one line, paths, and comments that survive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.params import yaml_text

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (3, "3"),
        (1e-5, "1e-05"),
        (float("-inf"), "-.inf"),
        ("a b", "a b"),
        ("no", "no"),
        ("null", "'null'"),
        ("1e5", "'1e5'"),
        ("0.1.0", "0.1.0"),
        ("a: b", "'a: b'"),
        ("", "''"),
        ({"seed": 4, "encoder": None}, "{seed: 4, encoder: null}"),
        ([2, "x"], "[2, x]"),
    ],
)
def test_shown(value: Any, text: str) -> None:
    assert yaml_text.shown(value) == text


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
SCALARS |= st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="'\\"))


@settings(deadline=None)  # the machine may be busy
@given(SCALARS | st.lists(SCALARS, max_size=3))
def test_what_is_shown_reads_as_the_same_value(value: Any) -> None:
    read = yaml_text.parse(f"key: {yaml_text.shown(value)}", "here")["key"]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("student", "epochs"), "student.epochs"),
        (("layers", 0), "layers[0]"),
        (("members", "m-4"), "members.m-4"),
        (("members", "m.4", "seed"), "members.'m.4'.seed"),
        (("tasks", True), "tasks[True]"),
    ],
)
def test_dotted(path: tuple[Any, ...], text: str) -> None:
    assert yaml_text.dotted(path) == text


@pytest.mark.parametrize("path", sorted((ROOT / "profiles").glob("*.yaml")), ids=lambda p: p.stem)
def test_a_file_written_back_is_the_same_file(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert yaml_text.dump_kept(yaml_text.parse_kept(text, path)) == text


def test_an_empty_line_stands_before_each_section_once() -> None:
    text = "# head\na:\n  x: 1\nb: 2\n\n\nc: 3\n# about d\nd: 4\n"
    dumped = yaml_text.dump_kept(yaml_text.parse_kept(text, "here"))
    assert dumped == "# head\na:\n  x: 1\n\nb: 2\n\nc: 3\n# about d\nd: 4\n"
