"""Write the part of a page between two markers."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import DataError
from pipeline.runtime import artifacts


def fill(page: Path, begin: str, end: str, body: str) -> None:
    """Put text between a page's markers; the rest of the page stays.

    Raises:
        DataError: the page has no markers.
    """
    new = filled(page.read_text(encoding="utf-8"), begin, end, body)
    if new is None:
        raise DataError("no markers to write between", seen=f"{begin} {end}", where=page)
    with artifacts.new_file(page) as staging:
        staging.write_text(new, encoding="utf-8")


def filled(text: str, begin: str, end: str, body: str) -> str | None:
    """A page's text with another body between its markers; None if it has not both, in order."""
    before, first, rest = text.partition(begin)
    _, last, after = rest.partition(end)
    return f"{before}{begin}\n\n{body}\n\n{end}{after}" if first and last else None
