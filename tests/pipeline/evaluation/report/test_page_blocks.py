"""What stands between two markers is written anew; all else of a page stays.

Run with: python -m pytest tests/pipeline/evaluation/report/test_page_blocks.py
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import DataError
from pipeline.evaluation.report import page_blocks


@pytest.mark.parametrize("old", ["", "\n", "\n\nold\n\n"])
def test_only_the_part_between_changes(tmp_path: Path, old: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"one <b>{old}</b> two\n", encoding="utf-8")
    page_blocks.fill(page, "<b>", "</b>", "new")
    assert page.read_text(encoding="utf-8") == "one <b>\n\nnew\n\n</b> two\n"


@pytest.mark.parametrize("text", ["", "<b>", "</b>", "</b> <b>"])
def test_a_page_without_both_markers_in_order_stays(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="no markers"):
        page_blocks.fill(page, "<b>", "</b>", "new")
    assert page.read_text(encoding="utf-8") == text
