"""Write the published tables: README's table and picture, and the tables of docs/evidence.md."""

from __future__ import annotations

from pathlib import Path

from experiments import page, readme, run
from pipeline.evaluation.report import page_blocks, release
from pipeline.runtime import artifacts

README, DOCS = Path("README.md"), Path("docs")
SETTING = "same"
"""The setting of docs/evidence.json that the README shows."""


def publish(evaluation: Path | None = None) -> list[Path]:
    """Write the tables of README and docs from docs/evidence.json.

    Args:
        evaluation: data/evaluation of a run whose report is published too; None for none.

    Returns:
        The files that were written.

    Raises:
        DataError: the evaluation cannot be published; nothing is written then.
    """
    figures = artifacts.read_json(run.FIGURES)
    pages = [README, *sorted(DOCS.rglob("*.md"))]
    reports = [] if evaluation is None else release.publish(pages, evaluation)
    page.write(figures)
    page_blocks.fill(README, readme.BEGIN, readme.END, readme.table(figures[SETTING]))
    readme.picture(figures[SETTING])
    return [*dict.fromkeys([page.PAGE, README, readme.PICTURE, *reports])]
