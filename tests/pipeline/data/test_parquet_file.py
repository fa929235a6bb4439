"""Parquet files a batch at a time: the same rows and, written, the same bytes as in one table.

Run with: python -m pytest tests/pipeline/data/test_parquet_file.py
"""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data import parquet_file
from pipeline.errors import DataError


def numbered(count: int) -> pa.Table:
    names = pa.array([f"t{at}" for at in range(count)], pa.string())
    return pa.table({"a": pa.array(range(count), pa.int64()), "b": names})


@pytest.mark.parametrize("count", [0, 1, 3, 7])
def test_batches_are_the_file(tmp_path, monkeypatch, count):
    monkeypatch.setattr(parquet_file, "BATCH", 3)
    path = tmp_path / "x.parquet"
    parquet_file.write_table(path, numbered(count), {"n": count}, row_group_size=2)
    parquet = parquet_file.open_file(path)
    parts = list(parquet.batches())
    assert [len(part) for part in parts] == {0: [0], 1: [1], 3: [3], 7: [3, 3, 1]}[count]
    assert pa.concat_tables(parts) == numbered(count)
    assert (parquet.num_rows, parquet.schema.names) == (count, ["a", "b"])
    assert parquet.metadata == {"n": count}
    assert [part.schema.names for part in parquet.batches(["b"])] == [["b"]] * len(parts)


def test_an_open_file_stays_what_it_was(tmp_path):
    path = tmp_path / "x.parquet"
    parquet_file.write_table(path, numbered(3), {})
    parquet = parquet_file.open_file(path)
    parquet_file.write_table(path, numbered(5), {})
    assert pa.concat_tables(parquet.batches()) == numbered(3)


def test_damage_is_named_while_it_is_read(tmp_path):
    path = tmp_path / "x.parquet"
    parquet_file.write_table(path, numbered(5000), {}, use_dictionary=False, compression="none")
    whole = path.read_bytes()
    path.write_bytes(b"PAR1" + b"\xff" * 2000 + whole[2004:])
    parquet = parquet_file.open_file(path)
    with pytest.raises(DataError) as error:
        list(parquet.batches())
    assert error.value.where == path


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.integers(1, 7))
def test_groups_have_the_size_asked_for(sizes, size):
    whole = numbered(sum(sizes))
    starts = [sum(sizes[:at]) for at in range(len(sizes))]
    tables = [whole.slice(start, count) for start, count in zip(starts, sizes, strict=True)]
    groups = list(parquet_file.in_groups(tables, size))
    lengths = [min(size, len(whole) - at) for at in range(0, len(whole), size)]
    assert [len(group) for group in groups] == lengths
    assert all(column.num_chunks == 1 for group in groups for column in group.columns)
    if groups:
        assert pa.concat_tables(groups) == whole


@pytest.mark.parametrize("count", [0, 5, 20_000, 45_001])
def test_written_in_batches_or_whole_it_has_the_same_bytes(tmp_path, count):
    whole, notes = numbered(count), {"n": count}
    parts = [whole.slice(at, 777) for at in range(0, max(1, count), 777)]
    one, two = tmp_path / "one.parquet", tmp_path / "two.parquet"
    parquet_file.write_table(one, whole, notes, row_group_size=20_000, use_dictionary=["b"])
    parquet_file.write_batches(two, whole.schema, parts, notes, 20_000, use_dictionary=["b"])
    assert one.read_bytes() == two.read_bytes()


def test_a_failure_while_writing_leaves_nothing(tmp_path):
    def tables():
        yield numbered(3)
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011  the one above
        parquet_file.write_batches(tmp_path / "x.parquet", numbered(0).schema, tables(), {}, 2)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
