"""docs/guides/running.md has the stages as they are.

Run with: python -m pytest tests/scripts/test_stage_table.py
"""

from __future__ import annotations

from pathlib import Path

from pipeline.stage_registry import STAGES
from scripts import stage_table

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_up_to_date() -> None:
    text = (ROOT / stage_table.PAGE).read_text("utf-8")
    written = text.partition(stage_table.BEGIN)[2].partition(stage_table.END)[0]
    assert written.strip() == stage_table.block(), "run `make reference`"


def test_a_row_is_a_stage_with_its_names_and_outputs() -> None:
    rows = stage_table.block().splitlines()[2:]
    assert len(rows) == len(STAGES)
    (label,) = [row for row in rows if row.startswith("| `label@")]
    assert label == (
        "| `label@<task>-<member>-<fold>` | Let one teacher score the transfer rows of its task "
        "| `transfer`, `teachers.members`, `teachers.folds` "
        "| `data/logits/<task>/<member>/<fold>/transfer` |"
    )
    assert rows[-1].startswith("| `evaluate` |")
