from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.formats import tsv
from pipeline.errors import DataError

HEAD = b"index\tsentence1\tsentence2\tlabel\n"
COLUMNS = ("sentence1", "sentence2", "label")


def read(content: bytes, columns=COLUMNS, header=None) -> list[tuple[str, ...]]:
    return [cells for _, cells in tsv.rows(io.BytesIO(content), "a.tsv", columns, header)]


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        (b"0\tA cat.\tA dog.\tx\n", ("A cat.", "A dog.", "x")),
        (b"0\tA cat.\tA dog.\tx", ("A cat.", "A dog.", "x")),  # no final newline
        (b'0\t"A cat.\tA "dog".\tx\n', ('"A cat.', 'A "dog".', "x")),  # unbalanced quotes
        (b"0\t A cat. \tA dog. \tx\n", (" A cat. ", "A dog. ", "x")),  # outer spaces
        (b"0\t\t\tx\n", ("", "", "x")),
        (b"0\ta\x08b\x12c\x0bd\x0ce\x1cf\tA.\tx\n", ("a\x08b\x12c\x0bd\x0ce\x1cf", "A.", "x")),
        (b"0\ta\xc2\x85b\xe2\x80\xa8c\tA.\tx\n", ("a\x85b\u2028c", "A.", "x")),  # NEL, LS
        (b"0\ta\xc2\xa0b\xc2\xadc\tA.\tx\n", ("a\xa0b\xadc", "A.", "x")),  # NBSP, soft hyphen
        (b"0\t\xef\xbb\xbfa\xef\xbb\xbf\tA.\tx\n", ("\ufeffa\ufeff", "A.", "x")),  # inner U+FEFF
        (b"0\ta\rb\tA.\tx\r\n", ("a\rb", "A.", "x\r")),  # LF file: CR is text
        (b"0\ta\\tb\\n\tA.\tx\n", ("a\\tb\\n", "A.", "x")),  # no escapes either
    ],
)
def test_only_newlines_and_tabs_are_structure(row, cells):
    assert read(HEAD + row) == [cells]


def test_a_byte_order_mark_is_one_at_the_files_start_only():
    bom = b"\xef\xbb\xbf"
    assert read(bom + b"Quality\ttext\n1\t" + bom + b"a\n", ("Quality", "text")) == [
        ("1", "\ufeffa")
    ]
    assert read(bom + b"a\tb\n" + bom + b"c\td\n", ("x", "y"), ("x", "y")) == [
        ("a", "b"),
        ("\ufeffc", "d"),
    ]


def test_a_crlf_file_loses_its_carriage_returns_at_line_ends_only():
    content = b"x\ty\r\na\rb\tc\r\nd\te\r\r\nf\tg\n"
    assert read(content, ("x", "y")) == [("a\rb", "c"), ("d", "e\r"), ("f", "g")]


def test_columns_come_in_the_order_asked_for_with_line_numbers():
    content = b"a\tb\tc\n1\t2\t3\n4\t5\t6\n"
    numbered_rows = tsv.rows(io.BytesIO(content), "a.tsv", ("c", "a"))
    assert list(numbered_rows) == [(2, ("3", "1")), (3, ("6", "4"))]
    assert read(content, ("b",)) == [("2",), ("5",)]


def test_a_file_without_header_has_rows_from_line_one():
    numbered_rows = tsv.rows(
        io.BytesIO(b"s\t1\t\tA cat.\n"), "a.tsv", ("d", "b"), ("a", "b", "c", "d")
    )
    assert list(numbered_rows) == [(1, ("A cat.", "1"))]


@pytest.mark.parametrize(
    ("content", "what", "where"),
    [
        (b"", "the file is empty", "a.tsv"),
        (b"\xef\xbb\xbf", "the file is empty", "a.tsv"),
        (HEAD, "the file has no rows", "a.tsv"),
        (b"index\tsentence1\tlabel\n0\ta\tx\n", "missing column 'sentence2'", "a.tsv, line 1"),
        (b"label\tlabel\n", "two columns have the same name", "a.tsv, line 1"),
        (HEAD + b"0\ta\tb\tx\n1\ta\tb\n", "short row: nothing in column 'label'", "a.tsv, line 3"),
        (HEAD + b"0\ta\tb\tx\n\n", "short row: nothing in column 'sentence1'", "a.tsv, line 3"),
        (
            HEAD + b"0\ta\tb\tx\ty\n",
            "long row: more than the last column, 'label'",
            "a.tsv, line 2",
        ),
        (HEAD + b"0\ta\tb\xff\tx\n", "not valid UTF-8", "a.tsv, line 2, column 3"),
        (HEAD + b"0\ta\tb\tx\n1\t\xc3\t\tx\n", "not valid UTF-8", "a.tsv, line 3, column 2"),
    ],
)
def test_a_fault_is_named_with_file_line_and_column(content, what, where):
    with pytest.raises(DataError) as error:
        read(content)
    assert (error.value.what, str(error.value.where)) == (what, where)


def test_a_long_line_is_shown_cut():
    with pytest.raises(DataError) as error:
        read(HEAD + b"0\t" + b"a" * 10_000 + b"\n")
    assert len(str(error.value)) < 400


CELLS = st.text(st.characters(exclude_characters="\n\t", exclude_categories=["Cs"]))


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1), st.booleans())
def test_any_text_without_tab_and_newline_is_read_back_unchanged(cells, final_newline):
    content = "\n".join(["a\tb", *map("\t".join, cells)]) + ("\n" if final_newline else "")
    assert read(content.encode(), ("a", "b")) == cells
