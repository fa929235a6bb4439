"""Write the table of stages of docs/guides/running.md from the registry of stages."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.evaluation.report import page_blocks
from pipeline.evaluation.report.markdown_table import markdown
from pipeline.stage_registry import STAGES, Stage
from stages import _cli

app = _cli.application()

PAGE = Path("docs/guides/running.md")
BEGIN, END = "<!-- stages:begin -->", "<!-- stages:end -->"


@app.command()
def main() -> None:
    """Rewrite the block between the stages markers of docs/guides/running.md.

    Example: python -m scripts.stage_table
    """
    root = Path(__file__).resolve().parent.parent
    page_blocks.fill(root / PAGE, BEGIN, END, block())
    print(PAGE)


def block() -> str:
    """The text between the page's markers: a row per stage, in their order."""
    rows = pd.DataFrame([_row(stage) for stage in STAGES.values()])
    return markdown(rows, numbers=False)


def _row(stage: Stage) -> dict[str, str]:
    keys = {key: f"<{key}>" for key in stage.keys}
    return {
        "stage": f"`{stage.name}{'@' if keys else ''}{'-'.join(keys.values())}`",
        "what it does": stage.does.rstrip("."),
        "one for each name in": ", ".join(f"`{section}`" for section in stage.keys.values()),
        "makes": ", ".join(f"`{output.format_map(keys)}`" for output in stage.outputs),
    }


if __name__ == "__main__":
    _cli.run(app)
