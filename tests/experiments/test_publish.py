"""The release step writes the committed tables from the committed figures.

Run with: python -m pytest tests/experiments/test_publish.py
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from experiments import page, publish, readme
from pipeline.errors import DataError
from pipeline.evaluation.report import release

ROOT = Path(__file__).resolve().parents[2]
MARKS = {"docs/evidence.md": (page.BEGIN, page.END), "README.md": (readme.BEGIN, readme.END)}


def emptied(text: str, begin: str, end: str) -> str:
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n\nold\n\n{end}{rest.partition(end)[2]}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: README and docs whose tables are old, no picture is drawn."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(readme, "picture", lambda _: None)
    shutil.copytree(ROOT / "docs", "docs")
    for name, marks in MARKS.items():
        text = (ROOT / name).read_text("utf-8")
        Path(name).write_text(emptied(text, *marks), encoding="utf-8")
    return tmp_path


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_pages_come_out_as_they_are_committed(folder: Path) -> None:
    written = publish.publish()
    assert {str(path) for path in written} == {*MARKS, str(readme.PICTURE)}
    for name in MARKS:
        assert Path(name).read_bytes() == (ROOT / name).read_bytes()


def test_a_run_s_report_is_published_with_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = []

    def note(pages: list[Path], evaluation: Path) -> list[Path]:
        published.append((pages, evaluation))
        return []

    monkeypatch.setattr(release, "publish", note)
    publish.publish(Path("data/evaluation"))
    ((pages, evaluation),) = published
    assert evaluation == Path("data/evaluation")
    assert pages[0] == Path("README.md")
    assert Path("docs/guides/running.md") in pages


def test_without_the_run_s_report_nothing_is_written(folder: Path) -> None:
    before = contents(folder)
    with pytest.raises(DataError, match="no evaluation to publish"):
        publish.publish(Path("nosuch"))
    assert contents(folder) == before
