"""Links of the pages lead to files and headings that are there, and tables have whole rows.

Run with: python -m pytest tests/docs/test_links.py
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.docs.pages import PAGES, ROOT, name

ALL = [*PAGES, ROOT / "CHANGELOG.md"]
MARKDOWN = MarkdownIt("commonmark").enable("table")


def links(text: str) -> Iterator[str]:
    """Targets of links and images."""
    for block in MARKDOWN.parse(text):
        for token in block.children or []:
            if target := token.attrGet("href") or token.attrGet("src"):
                yield str(target)


def anchors(text: str) -> set[str]:
    """Names that GitHub gives headings: small letters, hyphens for spaces, repeats numbered."""
    blocks = MARKDOWN.parse(text)
    titles = [
        "".join(part.content for part in inline.children or [])
        for heading, inline in itertools.pairwise(blocks)
        if heading.type == "heading_open"
    ]
    names, count = set(), Counter[str]()
    for title in titles:
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        names.add(f"{slug}-{count[slug]}" if count[slug] else slug)
        count[slug] += 1
    return names


def cells(row: str) -> int:
    """Number of cells of a table's row; a `|` after a backslash is text."""
    return len(re.findall(r"(?<!\\)\|", row.strip().strip("|")))


def uneven(text: str) -> list[str]:
    """Rows of tables with more or fewer cells than their head."""
    lines = text.splitlines()
    tables: list[Token] = [token for token in MARKDOWN.parse(text) if token.type == "table_open"]
    spans = [lines[slice(*token.map)] for token in tables if token.map]
    return [row for head, *rows in spans for row in rows if cells(row) != cells(head)]


@pytest.mark.parametrize("page", ALL, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in links(page.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text("utf-8")), target


@pytest.mark.parametrize("page", ALL, ids=name)
def test_a_row_has_as_many_cells_as_its_head(page: Path) -> None:
    assert uneven(page.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# A b\n## `c.d` and E_f, g\n", {"a-b", "cd-and-e_f-g"}),
        ("# A\n# A\n", {"a", "a-1"}),
        ("```text\n# A\n```\n", set()),
    ],
)
def test_anchors_are_made_as_github_does(text: str, expected: set[str]) -> None:
    assert anchors(text) == expected


def test_links_in_code_are_none() -> None:
    text = "[a](b.md#c) ![d](e.svg) `[f](g.md)`\n\n```text\n[h](i.md)\n```\n"
    assert list(links(text)) == ["b.md#c", "e.svg"]


def test_a_row_with_a_cell_too_many_is_noticed() -> None:
    text = "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 1 | `x|y` |\n| 1 \\| 2 | 3 |\n"
    assert uneven(text) == ["| 1 | `x|y` |"]
