"""A DataFrame of text as a compact Markdown table."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from tabulate import DataRow, TableFormat


def markdown(frame: pd.DataFrame, numbers: bool = True) -> str:
    """Render a table whose cells are text; its index is not shown.

    Cells are not padded, so one longer cell changes one line of a page and no other.

    Args:
        frame: the table.
        numbers: whether all columns but the first show numbers, and so are aligned to the right.
    """
    return frame.to_markdown(
        index=False,
        tablefmt=_compact("---:" if numbers else "---"),
        disable_numparse=True,
        stralign=None,
        numalign=None,
    )


def _compact(alignment: str) -> TableFormat:
    """Format without padding; the first column is aligned to the left, the others as given."""

    def rule(widths: Sequence[int], _: Sequence[str]) -> str:
        return f"| {' | '.join(['---', *[alignment] * (len(widths) - 1)])} |"

    row = DataRow("|", "|", "|")
    return TableFormat(None, rule, None, None, row, row, padding=1, with_header_hide=None)
