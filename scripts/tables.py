"""Write the published tables: README's table and picture, and the tables of docs/evidence.md."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stages import _cli

app = _cli.application()

README, DOCS = Path("README.md"), Path("docs")
SETTING = "same"
"""The setting of docs/evidence.json that the README shows."""


@app.command()
def main(
    evaluation: Annotated[
        Path | None, typer.Option(help="data/evaluation of a run whose report is published too.")
    ] = None,
) -> None:
    """Write the tables of README and docs from docs/evidence.json, a step of a release.

    Example: python -m scripts.tables --evaluation data/evaluation
    """
    from experiments import page, readme, run
    from pipeline.evaluation.report import page_blocks, release
    from pipeline.runtime import artifacts

    figures = artifacts.read_json(run.FIGURES)
    page.write(figures)
    page_blocks.fill(README, readme.BEGIN, readme.END, readme.table(figures[SETTING]))
    readme.picture(figures[SETTING])
    print(page.PAGE, README, readme.PICTURE, sep="\n")
    if evaluation is not None:
        pages = [README, *sorted(DOCS.rglob("*.md"))]
        print(*release.publish(pages, evaluation), sep="\n")


if __name__ == "__main__":
    _cli.run(app)
