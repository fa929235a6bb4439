"""Write the table of stages of docs/guides/running.md from the registry of stages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.evaluation.report import page_blocks
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
    """The text between the page's markers: a row a stage, in their order."""
    head = ["stage", "what it does", "one for each name in", "makes"]
    rows = [head, ["---"] * len(head), *([*_cells(stage)] for stage in STAGES.values())]
    return "\n".join(f"| {' | '.join(row)} |".replace("  ", " ") for row in rows)


def _cells(stage: Stage) -> Iterator[str]:
    keys = {key: f"<{key}>" for key in stage.keys}
    yield f"`{stage.name}{'@' if keys else ''}{'-'.join(keys.values())}`"
    yield stage.does.rstrip(".")
    yield ", ".join(f"`{section}`" for section in stage.keys.values())
    yield ", ".join(f"`{output.format_map(keys)}`" for output in stage.outputs)


if __name__ == "__main__":
    _cli.run(app)
