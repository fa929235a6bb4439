"""DataFrames as Markdown: compact, cells as they are.

Run with: python -m pytest tests/pipeline/evaluation/report/test_markdown_table.py
"""

from __future__ import annotations

import pandas as pd

from pipeline.evaluation.report.markdown_table import markdown


def test_cells_are_neither_padded_nor_read_as_numbers() -> None:
    frame = pd.DataFrame({"Task": ["RTE", "a longer name"], "p": ["1.000", "< 0.001"]})
    assert markdown(frame) == (
        "| Task | p |\n| --- | ---: |\n| RTE | 1.000 |\n| a longer name | < 0.001 |"
    )
