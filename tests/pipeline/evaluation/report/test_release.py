"""What a release writes into pages: blocks of a report's own kind and nothing else.

Run with: python -m pytest tests/pipeline/evaluation/report/test_release.py
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import DataError
from pipeline.evaluation.report import data_notes, release
from pipeline.runtime import artifacts

TABLE = "| Task |\n| --- |\n| RTE |"
Evaluation = Callable[..., Path]


@pytest.fixture
def evaluation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    """`evaluation(headline, own)` writes a folder with a report, with `own` tasks not GLUE's."""
    monkeypatch.chdir(tmp_path)

    def write(headline: str, own: int = 0) -> Path:
        folder = tmp_path / "evaluation"
        folder.mkdir(exist_ok=True)
        tasks = {"rte": {}, **{f"own{at}": {} for at in range(own)}}
        artifacts.write_json(folder / "metrics.json", {"glue": {"tasks": 1}, "tasks": tasks})
        report = f"**{headline}**\n\n{TABLE}\n\nCaption.\n\n| x |\n\n- Note.\n"
        (folder / "results.md").write_text(report)
        return folder

    return write


def _page(*blocks: str) -> Path:
    """A page with empty blocks."""
    frames = (f"<!-- {block}:begin -->\nold\n<!-- {block}:end -->" for block in blocks)
    page = Path("page.md")
    page.write_text("# Title\n\n" + "\n\n".join(frames) + "\n\nMore.\n")
    return page


def test_a_block_of_real_figures_is_filled_and_nothing_else(evaluation: Evaluation) -> None:
    folder = evaluation("Dev results on all rows")
    page = _page("results:sample", "results:glue")
    assert release.publish([page], folder) == [page]
    assert page.read_text() == (
        "# Title\n\n<!-- results:sample:begin -->\nold\n<!-- results:sample:end -->\n\n"
        f"<!-- results:glue:begin -->\n\n**Dev results on all rows**\n\n{TABLE}\n\nCaption.\n\n"
        "| x |\n\n- Note.\n\n<!-- results:glue:end -->\n\nMore.\n"
    )
    assert not release.SAMPLE_REPORT.exists()
    assert release.publish([page], folder) == []


def test_the_block_of_scores_is_headline_table_and_caption(evaluation: Evaluation) -> None:
    page = _page("scores:glue")
    release.publish([page], evaluation("Dev results"))
    body = f"\n\n**Dev results**\n\n{TABLE}\n\nCaption.\n\n"
    assert f"<!-- scores:glue:begin -->{body}<!-- scores:glue:end -->" in page.read_text()


def test_the_samples_report_has_its_own_block_and_file(evaluation: Evaluation) -> None:
    folder = evaluation(data_notes.SAMPLE_HEADLINE)
    page = _page("results:sample", "results:glue")
    assert release.publish([page], folder) == [page, release.SAMPLE_REPORT]
    assert release.SAMPLE_REPORT.read_bytes() == (folder / "results.md").read_bytes()
    assert page.read_text().count(TABLE) == 1
    assert page.read_text().endswith("glue:begin -->\nold\n<!-- results:glue:end -->\n\nMore.\n")


UNMARKED = {
    "no markers": "# Title\n",
    "no end": "<!-- results:glue:begin -->\nold\n",
    "no begin": "old\n<!-- results:glue:end -->\n",
    "the wrong way round": "<!-- results:glue:end -->\nold\n<!-- results:glue:begin -->\n",
}


@pytest.mark.parametrize("case", UNMARKED)
def test_a_page_without_both_markers_stays(case: str, evaluation: Evaluation) -> None:
    page = Path("page.md")
    folder = evaluation("Dev results")
    page.write_text(UNMARKED[case])
    assert release.publish([page], folder) == []
    assert page.read_text() == UNMARKED[case]


def test_tasks_of_ones_own_are_not_published_as_glue(evaluation: Evaluation) -> None:
    folder = evaluation("Dev results", own=1)
    page = _page("results:glue")
    before = page.read_text()
    with pytest.raises(DataError, match="one's own") as error:
        release.publish([page], folder)
    assert error.value.seen == "own0, rte"
    assert page.read_text() == before


def test_without_an_evaluation_it_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no evaluation to publish") as error:
        release.publish([], tmp_path)
    assert error.value.fix == "make repro"
