"""A DataFrame of text as a compact Markdown table: first column to the left, all others right."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from tabulate import DataRow, TableFormat


def markdown(frame: pd.DataFrame) -> str:
    """Render a table whose cells are text; its index is not shown.

    Cells are not padded, so one longer cell changes one line of a page and no other.
    """
    return frame.to_markdown(
        index=False, tablefmt=_COMPACT, disable_numparse=True, stralign=None, numalign=None
    )


def _rule(widths: Sequence[int], _: Sequence[str]) -> str:
    return f"| {' | '.join(['---', *['---:'] * (len(widths) - 1)])} |"


_ROW = DataRow("|", "|", "|")
_COMPACT = TableFormat(None, _rule, None, None, _ROW, _ROW, padding=1, with_header_hide=None)
