"""The README prints the tree as it is.

Run with: python -m pytest tests/scripts/test_tree.py
"""

from __future__ import annotations

from pathlib import Path

from scripts import tree

ROOT = Path(__file__).resolve().parents[2]


def test_the_readme_prints_every_module_with_its_phrase():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert tree.rewrite(text, ROOT) == text, "run `python -m scripts.tree`"


def test_every_module_has_a_phrase():
    for line in tree.lines(ROOT):
        assert "  " in line.strip(), f"no phrase: {line}"


def test_the_block_between_the_markers_is_replaced(tmp_path):
    for folder in tree.FOLDERS:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text('"""A folder."""\n')
    (tmp_path / "pipeline" / "losses.py").write_text('"""Hard and soft losses.\n\nMore."""\n')
    text = tree.rewrite(f"a\n{tree.BEGIN}\nstale\n{tree.END}\nb\n", tmp_path)
    assert "stale" not in text
    assert ["losses.py", "Hard", "and", "soft", "losses"] in [x.split() for x in text.splitlines()]
    assert text.startswith("a\n")
    assert text.endswith("\nb\n")
