"""Ids and hashes that rows join by, and prepared files that come back as they were.

Run with: python -m pytest tests/pipeline/data/test_rows.py
"""

from __future__ import annotations

import errno
import hashlib
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import paths
from pipeline.data import parquet_file, rows
from pipeline.errors import DataError
from pipeline.runtime import memory_mapped
from pipeline.tasks import GLUE
from tests.pipeline.conftest import make_rows

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def test_text_hash_is_128_bits_of_sha256_over_length_and_texts():
    assert rows.text_hash("ab", None) == hashlib.sha256(b"2\0ab").hexdigest()[:32]
    assert rows.text_hash("ab", "c") == hashlib.sha256(b"2\0ab\0c").hexdigest()[:32]


@given(TEXT, st.none() | TEXT, TEXT, st.none() | TEXT)
def test_other_texts_have_another_hash(first, second, other_first, other_second):
    same = (first, second) == (other_first, other_second)
    assert (rows.text_hash(first, second) == rows.text_hash(other_first, other_second)) == same


def test_text_moved_from_one_sentence_to_the_other_changes_the_hash():
    assert rows.text_hash("ab", "c") != rows.text_hash("a", "bc")
    assert rows.text_hash("ab", "") != rows.text_hash("ab", None)


def test_a_split_comes_back_as_written_and_twice_the_same_bytes(make, tmp_path):
    split_rows = make("rte", "dev", [("a ", "b\ufeff", 1), ("c\u00a0", "d\x12", 0)])
    for name in ("one", "two"):
        rows.write(tmp_path / name / "dev.parquet", split_rows.table, split_rows.metadata)
    back = rows.read_splits(tmp_path / "one")["dev"]
    assert back.table.to_pylist() == split_rows.table.to_pylist()
    assert back.labels.tolist() == [1, 0]
    assert (back.task.labels, back.split) == (("entailment", "not_entailment"), "dev")
    files = [(tmp_path / name / "dev.parquet").read_bytes() for name in ("one", "two")]
    assert files[0] == files[1]


def test_splits_come_in_the_order_train_dev_test_ax(make, tmp_path):
    for split in ("ax", "test_matched", "dev_mismatched", "train", "dev_matched"):
        split_rows = make("mnli", split, [("a", "b", 0)])
        rows.write(tmp_path / f"{split}.parquet", split_rows.table, split_rows.metadata)
    assert list(rows.read_splits(tmp_path)) == [
        "train",
        "dev_matched",
        "dev_mismatched",
        "test_matched",
        "ax",
    ]


def test_bad_files_are_named(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = paths.prepared("rte")
    path = folder / "train.parquet"
    for read, where in ((rows.read, path), (rows.read_splits, folder), (rows.absent, folder)):
        with pytest.raises(DataError, match="no prepared rows") as error:
            read(where)
        assert error.value.fix == "dvc repro prepare@rte"
    folder.mkdir(parents=True)
    path.write_bytes(b"PAR1 cut short")
    with pytest.raises(DataError, match="not a readable Parquet file"):
        rows.read(path)
    split_rows = make("rte", "train", [("a", "b", 0)])
    parquet_file.write_table(path, split_rows.table, {**split_rows.metadata, "schema_version": 99})
    with pytest.raises(DataError, match="version 1") as error:
        rows.read(path)
    assert error.value.fix == "dvc repro --single-item --force prepare@rte"


def test_every_damaged_byte_is_found_or_harmless(make, tmp_path):
    """Damage in pages, in their headers, in the list of columns and in the metadata."""
    path = tmp_path / "train.parquet"
    split_rows = make("rte", "train", [(f"a b c {i}", "b", i % 2) for i in range(8)])
    rows.write(path, split_rows.table, split_rows.metadata)
    whole, refused = path.read_bytes(), []
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            rows.read(path).table.to_pylist()
        except DataError as error:
            refused.append(error.where)
    assert len(refused) > 100
    assert set(refused) == {path}


@pytest.mark.parametrize(
    ("note", "what"),
    [
        (b"no json", "metadata is not JSON"),
        (b'{"task": "\xff"}', "metadata is not JSON"),
        (b"[1]", "metadata is not a JSON object"),
    ],
)
def test_metadata_that_cannot_be_read_is_named(tmp_path, note, what):
    path = tmp_path / "train.parquet"
    pq.write_table(
        pa.table({"a": [1]}).replace_schema_metadata({parquet_file.METADATA_KEY: note}), path
    )
    with pytest.raises(DataError) as error:
        rows.read(path)
    assert (error.value.what, error.value.where) == (what, path)


def test_a_fault_of_the_disk_is_no_fault_of_the_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        parquet_file.read_table(tmp_path / "none.parquet")
    with pytest.raises(OSError, match="no space"), parquet_file.readable(tmp_path):
        raise OSError(errno.ENOSPC, "no space")


def test_a_task_that_the_source_lacks_is_absent(make, tmp_path):
    (tmp_path / rows.MISSING).write_text("{}")
    assert rows.absent(tmp_path)
    split_rows = make("rte", "train", [("a", "b", 0)])
    rows.write(tmp_path / "train.parquet", split_rows.table, split_rows.metadata)
    assert not rows.absent(tmp_path)


def test_a_row_without_label_is_not_known_and_counts_as_zero(make):
    for task, kind in (("rte", "int64"), ("stsb", "float32")):
        split_rows = make(task, "train", [("a", "b", 1), ("c", "d", None), ("e", "f", 0)])
        assert split_rows.known.tolist() == [True, False, True]
        assert (split_rows.labels.tolist(), split_rows.labels.dtype) == ([1, 0, 0], kind)
    assert make("rte", "train", []).known.tolist() == []


def test_rows_of_two_splits_follow_one_another(make, tmp_path):
    train = make("rte", "train", [("a", "b", 1), ("c", "d", 0)])
    rows.write(tmp_path / "train.parquet", train.table, train.metadata)
    more = make("rte", "transfer", [("e", "f", None)])
    both = rows.concatenate(rows.read(tmp_path / "train.parquet"), more)
    assert both.table["row_id"].to_pylist() == ["rte/train/0", "rte/train/1", "rte/transfer/0"]
    assert (both.split, len(both)) == ("train", 3)
    assert (both.labels.tolist(), both.known.tolist()) == ([1, 0, 0], [True, True, False])


@pytest.mark.parametrize("other", ["qnli", "stsb"])
def test_rows_of_two_tasks_are_not_put_together(make, other):
    with pytest.raises(ValueError, match="two tasks"):
        rows.concatenate(make("rte", "train", []), make(other, "transfer", []))


@given(st.lists(st.none() | st.integers(0, 1), max_size=9), st.integers(1, 4), st.data())
def test_rows_in_a_file_are_those_in_memory(tmp_path_factory, labels, batch, data):
    """Alone, filtered, joined with others and both, whatever the batches."""
    folder = tmp_path_factory.mktemp("rows")
    split_rows = make_rows(
        GLUE["rte"], "train", [(f"a{at}", "b", label) for at, label in enumerate(labels)]
    )
    more = make_rows(GLUE["rte"], "transfer", [("c", "d", None), ("e", "f", None)])
    rows.write(folder / "train.parquet", split_rows.table, split_rows.metadata)
    flags = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(split_rows), max_size=len(split_rows)))
    )
    flags = flags.astype(bool)
    with (
        mock.patch.object(parquet_file, "BATCH", batch),
        mock.patch.object(memory_mapped, "MEMORY_BYTES", 8),
    ):
        file_rows = rows.read(folder / "train.parquet")
        joined = pa.concat_tables([split_rows.table, more.table])
        subset = split_rows.table.filter(flags)
        for some, expected in (
            (file_rows, split_rows.table),
            (file_rows.where(flags), subset),
            (rows.concatenate(file_rows, more), joined),
            (
                rows.concatenate(file_rows.where(flags), more),
                pa.concat_tables([subset, more.table]),
            ),
        ):
            assert some.table == expected
            assert len(some) == expected.num_rows
            assert some.task == split_rows.task
            ids = [row for part in some.batches("row_id") for row in part["row_id"].to_pylist()]
            assert ids == expected["row_id"].to_pylist()
            assert some.columns("label", "index") == expected.select(["label", "index"])
            filled = [label or 0 for label in expected["label"].to_pylist()]
            assert (some.labels.tolist(), some.labels.dtype) == (filled, np.int64)
            assert some.known.tolist() == expected["label"].is_valid().to_pylist()


def test_a_task_of_one_text_is_no_pair(make):
    assert not make("cola", "train", [("a", None, 0)]).task.pair
    assert make("rte", "train", [("a", "b", 0)]).task.pair


def test_a_file_that_is_damaged_anywhere_is_refused_when_it_is_opened(make, tmp_path):
    path = tmp_path / "train.parquet"
    split_rows = make("rte", "train", [(f"some text {at}", "b", 0) for at in range(3000)])
    rows.write(path, split_rows.table, split_rows.metadata)
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + b"\xff" * 500 + whole[middle + 500 :])
    with pytest.raises(DataError, match="not a readable Parquet file"):
        rows.read(path)
