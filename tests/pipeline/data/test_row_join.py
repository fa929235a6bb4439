"""Joining by id: order does not matter, everything else does."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data import parquet_file
from pipeline.data.row_join import (
    Origin,
    align,
    check_task,
    check_unique,
    in_step,
    locate,
    plainly_unique,
)
from pipeline.data.rows import Rows
from pipeline.errors import SoftLabelError
from pipeline.tasks import GLUE

ORIGIN = Origin("soft labels of rte", Path("x.parquet"), "dvc repro ensemble@rte")
ROWS = [("a", "train", "h1", 0), ("b", "train", "h2", 1), ("c", "test", "h3", None)]


def table(rows: list[tuple[object, ...]], chunk: int = 10) -> pa.Table:
    """A table in chunks of `chunk` rows, as row groups make them."""
    schema = pa.schema(
        {"row_id": pa.string(), "split": pa.string(), "text_hash": pa.string(), "label": pa.int32()}
    )
    records = [dict(zip(schema.names, row, strict=True)) for row in rows]
    parts = [
        pa.Table.from_pylist(records[at : at + chunk], schema)
        for at in range(0, len(records), chunk)
    ]
    return pa.concat_tables(parts) if parts else schema.empty_table()


@settings(deadline=None)
@given(st.permutations(ROWS), st.integers(1, 3), st.integers(1, 3))
def test_finds_every_row_in_any_order_and_any_chunks(records, chunk, other):
    positions = align(table(records, chunk), table(ROWS, other), ORIGIN)
    assert [records[at] for at in positions] == ROWS


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (ROWS[:2], r"a row is missing\n  seen: c$"),
        (ROWS[2:], r"a row is missing\n  seen: a \(and 1 more\)$"),
        ([], r"a row is missing\n  seen: a \(and 2 more\)$"),
        ([*ROWS, ("d", "test", "h", 0)], r"no such prepared row\n  seen: d$"),
        ([*ROWS, ROWS[1], ROWS[0]], r"a row occurs twice\n  seen: b \(and 1 more\)$"),
        ([ROWS[0], ("b", "train", "h9", 1), ROWS[2]], r"text_hash .*\('h9', not 'h2'\)\n  seen: b"),
        ([ROWS[0], ("b", "dev", "h2", 1), ROWS[2]], r"split .*\('dev', not 'train'\)\n  seen: b"),
        ([("a", "train", "h1", 1), *ROWS[1:]], r"label .*\(1, not 0\)\n  seen: a"),
        ([("a", "train", "h1", None), *ROWS[1:]], r"label .*\(None, not 0\)\n  seen: a"),
        ([*ROWS[:2], ("c", "test", "h3", 0)], r"label .*\(0, not None\)\n  seen: c"),
    ],
)
def test_refuses_by_name(records, message):
    with pytest.raises(SoftLabelError) as error:
        align(table(records), table(ROWS), ORIGIN)
    head, where, fix = str(error.value).rsplit("\n", 2)
    assert head.startswith("soft labels of rte: ")
    assert where == "  where: x.parquet"
    assert fix == "  fix: dvc repro ensemble@rte"
    assert re.search(message, head)


def test_locate_keeps_the_order_asked_for_and_repeats():
    ids = pa.chunked_array([["c", "a"], ["c"]])
    assert locate(ids, table(ROWS)["row_id"], ORIGIN).tolist() == [2, 0, 2]


def test_unique_ids_pass_even_without_rows():
    check_unique(table(ROWS)["row_id"], ORIGIN)
    check_unique(table([])["row_id"], ORIGIN)


def test_another_task_is_refused():
    check_task(GLUE["rte"], GLUE["rte"], ORIGIN)
    with pytest.raises(SoftLabelError, match=r"another task than rte\n  seen: qnli"):
        check_task(GLUE["qnli"], GLUE["rte"], ORIGIN)


def test_another_order_of_labels_is_refused():
    turned = dataclasses.replace(GLUE["rte"], labels=("not_entailment", "entailment"))
    with pytest.raises(SoftLabelError, match=r"label order is not \['ent.*\n  seen: \['not_ent"):
        check_task(turned, GLUE["rte"], ORIGIN)


@settings(deadline=None)
@given(st.permutations(ROWS), st.integers(1, 3), st.integers(1, 3), st.integers(1, 4))
def test_in_step_are_the_same_rows_in_the_same_order(records, chunk, other, batch):
    with mock.patch.object(parquet_file, "BATCH", batch):
        parts = table(records, chunk).to_batches(), table(ROWS, other).to_batches()
        streams = [map(pa.Table.from_batches, ([part] for part in side)) for side in parts]
        assert in_step(*streams) == (records == ROWS)


@pytest.mark.parametrize(
    "records",
    [
        ROWS[:2],
        [*ROWS, ("d", "test", "h", 0)],
        [],
        [ROWS[0], ("b", "train", "h9", 1), ROWS[2]],
        [("a", "train", "h1", None), *ROWS[1:]],
        [*ROWS[:2], ("c", "test", "h3", 0)],
    ],
)
def test_other_rows_are_not_in_step(records):
    assert not in_step([table(records)], [table(ROWS)])
    assert not in_step([table(ROWS)], [table(records)])
    assert in_step([table(records)], [table(records)])


@pytest.mark.parametrize(
    ("ids", "plain"),
    [
        ([], True),
        (["rte/dev/0"], True),
        (["rte/dev/8", "rte/dev/9", "rte/dev/10", "rte/dev/99", "rte/dev/100"], True),
        (["rte/dev/3", "rte/dev/4", "rte/dev/4"], False),
        (["rte/dev/3", "rte/dev/4", "rte/dev/3"], False),
        (["rte/dev/10", "rte/dev/9"], False),  # unique, but it takes more than a look
        (["rte/dev/0", "rte/test/1"], False),
        (["qnli/dev/0"], False),
    ],
)
@pytest.mark.parametrize("batch", [1, 2, 100])
def test_ids_that_rise_within_their_split_are_plainly_unique(make, monkeypatch, ids, plain, batch):
    monkeypatch.setattr(parquet_file, "BATCH", batch)
    rows = make("rte", "dev", [("a", "b", 0)] * len(ids))
    dev_rows = Rows(rows.table.set_column(0, "row_id", pa.array(ids, pa.string())), rows.metadata)
    assert (
        plainly_unique({"train": make("rte", "train", [("a", "b", 0)]), "dev": dev_rows}) == plain
    )
