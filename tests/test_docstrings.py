"""Python files and tests that a docstring names are there.

Run with: python -m pytest tests/test_docstrings.py
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("pipeline", "stages", "orchestration", "mtdnnkd", "experiments", "scripts", "benchmarks")
# In a docstring a path starts at the root, or at the package as in `runtime/hardware.py`.
STARTS = (ROOT, ROOT / "pipeline")
NAMED = re.compile(r"(?<![\w./-])(?:[\w-]+/)+[\w-]+\.py\b|(?<=pytest )tests/[\w/.-]*\w")


def named(text: str) -> Iterator[str]:
    """Paths of Python files, and of what pytest is run with, in the docstrings of a module."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield from NAMED.findall(ast.get_docstring(node) or "")


@pytest.mark.parametrize("folder", [*FOLDERS, "tests"])
def test_what_a_docstring_names_is_there(folder: str) -> None:
    gone = [
        f"{file.relative_to(ROOT)}: {path}"
        for file in sorted((ROOT / folder).rglob("*.py"))
        for path in named(file.read_text("utf-8"))
        if not any((start / path).exists() for start in STARTS)
    ]
    assert gone == []


def test_paths_are_read_from_docstrings_alone() -> None:
    text = '"""See a/b.py.\n\nRun with: python -m pytest tests/c/test_d.py\n"""\nx = "e/f.py"\n'
    assert list(named(text)) == ["a/b.py", "tests/c/test_d.py"]
