"""Publish an evaluation: write its tables into README, docs and reports, a step of a release."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline import paths
from pipeline.errors import DataError
from pipeline.evaluation.report import data_notes, page_blocks
from pipeline.runtime import artifacts

BLOCKS = ("results", "scores")
"""Names of blocks: the whole report; its headline, the table of scores and that table's caption."""
BEGIN, END = "<!-- {}:{}:begin -->", "<!-- {}:{}:end -->"
SAMPLE, GLUE = "sample", "glue"
SAMPLE_REPORT = paths.REPORTS / "results.md"
_SCORES_PARTS = 3  # headline, table, caption


def publish(pages: Sequence[Path], folder: Path = paths.EVALUATION) -> list[Path]:
    """Write an evaluation's tables between the markers of pages that have any for its kind.

    Generated sentences and real data have blocks of their own, `<!-- results:sample:begin -->` and
    `<!-- results:glue:begin -->`, so that neither is taken for the other. The report of generated
    sentences is written to reports/results.md as well.

    Args:
        pages: README and pages of docs; one without such a block stays as it is.
        folder: data/evaluation, of this project or of an experiment.

    Returns:
        The files that were changed.

    Raises:
        DataError: the folder has no report, or one on tasks that are not GLUE's.
    """
    report = _report(folder)
    kind = SAMPLE if data_notes.SAMPLE_HEADLINE in report else GLUE
    texts = {page: _filled(page, report, kind) for page in pages}
    if kind == SAMPLE:
        texts[SAMPLE_REPORT] = report
    return [path for path, text in texts.items() if _write_if_other(path, text)]


def _report(folder: Path) -> str:
    report = folder / paths.RESULTS.name
    if not report.exists():
        raise DataError("no evaluation to publish", where=report, fix="make repro")
    metrics = artifacts.read_json(folder / paths.METRICS.name)
    if metrics["glue"]["tasks"] < len(metrics["tasks"]):
        raise DataError(
            "figures on tasks of one's own are not published as GLUE's",
            seen=", ".join(metrics["tasks"]),
            where=folder,
            fix="publish from a run with GLUE's tasks alone",
        )
    return report.read_text(encoding="utf-8")


def _filled(page: Path, report: str, kind: str) -> str:
    bodies = {
        "results": report.strip(),
        "scores": "\n\n".join(report.split("\n\n")[:_SCORES_PARTS]),
    }
    text = page.read_text(encoding="utf-8")
    for block in BLOCKS:
        marks = BEGIN.format(block, kind), END.format(block, kind)
        text = page_blocks.filled(text, *marks, bodies[block]) or text
    return text


def _write_if_other(path: Path, text: str) -> bool:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    with artifacts.new_file(path) as staging:
        staging.write_text(text, encoding="utf-8")
    return True
