"""The release step writes the committed tables from the committed figures.

Run with: python -m pytest tests/scripts/test_tables.py
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from experiments import page, readme
from pipeline.evaluation.report import release
from scripts import tables

ROOT = Path(__file__).resolve().parents[2]


def emptied(text: str, begin: str, end: str) -> str:
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n\nold\n\n{end}{rest.partition(end)[2]}"


def test_pages_come_out_as_they_are_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(readme, "picture", lambda _: None)
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs/evidence.json", "docs")
    marks = {"docs/evidence.md": (page.BEGIN, page.END), "README.md": (readme.BEGIN, readme.END)}
    for name, (begin, end) in marks.items():
        text = (ROOT / name).read_text("utf-8")
        Path(name).write_text(emptied(text, begin, end), encoding="utf-8")
    tables.main()
    for name in marks:
        assert Path(name).read_bytes() == (ROOT / name).read_bytes()


def test_a_run_s_report_is_published_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = []

    def publish(pages: list[Path], folder: Path) -> list[Path]:
        published.append((pages, folder))
        return []

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(readme, "picture", lambda _: None)
    monkeypatch.setattr(release, "publish", publish)
    shutil.copytree(ROOT / "docs", "docs")
    shutil.copy(ROOT / "README.md", "README.md")
    tables.main(Path("data/evaluation"))
    ((pages, folder),) = published
    assert folder == Path("data/evaluation")
    assert pages[0] == Path("README.md")
    assert Path("docs/guides/running.md") in pages
