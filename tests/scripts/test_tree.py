"""docs/architecture.md prints the tree as it is.

Run with: python -m pytest tests/scripts/test_tree.py
"""

from __future__ import annotations

from pathlib import Path

from scripts import tree

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_has_every_module_with_its_phrase():
    text = (ROOT / tree.PAGE).read_text(encoding="utf-8")
    written = text.partition(tree.BEGIN)[2].partition(tree.END)[0]
    assert written.strip() == tree.block(ROOT), "run `make reference`"


def test_every_module_has_a_phrase():
    for line in tree.lines(ROOT):
        assert "  " in line.strip(), f"no phrase: {line}"


def test_a_module_s_phrase_is_the_first_line_of_its_docstring(tmp_path):
    for folder in tree.FOLDERS:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text('"""A folder."""\n')
    (tmp_path / "pipeline" / "data").mkdir()  # no package
    (tmp_path / "pipeline" / "losses").mkdir()
    (tmp_path / "pipeline" / "losses" / "__init__.py").write_text('"""Losses."""\n')
    (tmp_path / "pipeline" / "losses" / "soft.py").write_text('"""Soft losses.\n\nMore."""\n')
    words = [line.split() for line in tree.lines(tmp_path)]
    start = words.index(["pipeline/", "A", "folder"])
    assert words[start + 1 : start + 4] == [
        ["losses/", "Losses"],
        ["soft.py", "Soft", "losses"],
        ["stages/", "A", "folder"],
    ]
