"""Pages that a program writes in part: what stands between two markers."""

from __future__ import annotations

from pathlib import Path

from pipeline import artifacts
from pipeline.errors import DataError


def fill(page: Path, begin: str, end: str, body: str) -> None:
    """Put text between a page's markers; the rest of the page stays.

    Raises:
        DataError: the page has no markers.
    """
    before, first, rest = page.read_text(encoding="utf-8").partition(begin)
    _, last, after = rest.partition(end)
    if not first or not last:
        raise DataError("no markers to write between", seen=f"{begin} {end}", where=page)
    with artifacts.new_file(page) as draft:
        draft.write_text(f"{before}{begin}\n\n{body}\n\n{end}{after}", encoding="utf-8")
