"""Logits files: what is written is read, and what does not fit is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import paths
from pipeline.data import parquet_file, row_tables, rows
from pipeline.errors import SoftLabelError
from pipeline.soft_labels import logits

VALUES = {
    "train": np.array([[1.0, -1.0], [0.5, 0.25], [-2.0, 3.0]]),
    "test": np.array([[0.0, 4.0]]),
}
MODEL = {"name": "m1", "dev": {"dev": {"accuracy": 0.5}}}


@pytest.fixture
def splits(make):
    train = [("Rain fell.", "It rained.", 0), ("A dog.", "A cat.", 1), ("Up.", "Down.", 1)]
    return {"train": make("rte", "train", train), "test": make("rte", "test", [("a", "b", None)])}


@pytest.fixture
def path(tmp_path, monkeypatch, splits):
    monkeypatch.chdir(tmp_path)
    file = paths.prepared_logits("rte", "m1", "all")
    file.parent.mkdir(parents=True)
    logits.write(file, splits, VALUES, MODEL)
    return file


def rewrite(path: Path, table: pa.Table | None = None, **changes: object) -> None:
    """Change a file behind the writer's back."""
    old, metadata = parquet_file.read_table(path)
    parquet_file.write_table(path, old if table is None else table, {**metadata, **changes})


def test_reads_what_was_written(path):
    row_logits = logits.read(path)
    assert row_logits.values.tolist() == [[1.0, -1.0], [0.5, 0.25], [-2.0, 3.0], [0.0, 4.0]]
    assert row_logits.values.dtype == np.float32
    ids = ["rte/train/0", "rte/train/1", "rte/train/2", "rte/test/0"]
    assert row_logits.table["row_id"].to_pylist() == ids
    assert row_logits.table["label"].to_pylist() == [0, 1, 1, None]
    assert row_logits.table["text_hash"][3].as_py() == rows.text_hash("a", "b")
    assert row_logits.task.labels == ("entailment", "not_entailment")
    assert row_logits.task.rows == {"train": 3, "test": 1}
    assert row_logits.model == MODEL


def test_one_split_at_a_time(path):
    row_logits = logits.read(path)
    assert row_logits.splits == ("train", "test")
    assert row_logits.split("test").values.tolist() == [[0.0, 4.0]]
    assert row_logits.split("train").values.tolist() == VALUES["train"].tolist()
    assert row_logits.split("dev").values.shape == (0, 2)


def test_regression_has_one_output_and_float_labels(tmp_path, make):
    splits = {"dev": make("stsb", "dev", [("a", "b", 2.5), ("c", "d", 5.0)])}
    path = tmp_path / "x.parquet"
    logits.write(path, splits, {"dev": np.array([[2.0], [4.5]])}, MODEL)
    row_logits = logits.read(path)
    assert row_logits.values.tolist() == [[2.0], [4.5]]
    assert row_logits.table["label"].to_pylist() == [2.5, 5.0]
    assert (row_logits.task.regression, row_logits.task.low, row_logits.task.high) == (
        True,
        0.0,
        5.0,
    )


def test_the_same_logits_give_the_same_bytes(tmp_path, splits, path):
    again = tmp_path / "again.parquet"
    logits.write(again, splits, VALUES, dict(reversed(MODEL.items())))
    assert again.read_bytes() == path.read_bytes()


def test_a_long_file_has_row_groups_to_stream(tmp_path, monkeypatch, splits, path):
    monkeypatch.setattr(row_tables, "ROW_GROUP", 3)
    long = tmp_path / "long.parquet"
    logits.write(long, splits, VALUES, MODEL)
    assert pq.ParquetFile(long).num_row_groups == 2
    assert np.array_equal(logits.read(long).values, logits.read(path).values)


def test_a_slice_of_a_file_keeps_its_own_values(path):
    table = logits.read(path).table.slice(1, 2)
    assert row_tables.matrix(table["logits"], 2).tolist() == [[0.5, 0.25], [-2.0, 3.0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train": np.zeros((3, 3))}, r"rte/train has 3 rows and 2 outputs.*\n.*\(3, 3\)"),
        ({"train": np.zeros((2, 2))}, r"rte/train has 3 rows and 2 outputs.*\n.*\(2, 2\)"),
        (
            {"train": np.array([[0, 1], [np.nan, 0], [np.nan, 0]])},
            r"column logits is not finite\n.*rte/train/1",
        ),
        ({"test": np.array([[0, np.inf]])}, r"column logits is not finite\n.*rte/test/0"),
        ({"test": np.array([[0, 1e39]])}, r"column logits is not finite\n.*rte/test/0"),
        ({"dev": np.zeros((1, 2))}, "logits are not of the splits"),
    ],
    ids=["classes", "rows", "nan", "infinite", "too large for float32", "unknown split"],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_write_refuses(tmp_path, splits, change, message):
    path = tmp_path / "x.parquet"
    with pytest.raises(SoftLabelError, match=message):
        logits.write(path, splits, VALUES | change, MODEL)
    assert not path.exists()


def with_logits(path: Path, values: list[list[float]]) -> pa.Table:
    return logits.read(path).table.set_column(
        4,
        logits.schema(logits.read(path).task).field("logits"),
        row_tables.column(np.array(values)),
    )


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: p.unlink(), "no logits file"),
        (lambda p: p.write_bytes(b"PAR1"), "not a readable Parquet file"),
        (lambda p: rewrite(p, schema_version=2), r"not a logits file of version 1\n.*version 2"),
        (lambda p: pq.write_table(pa.table({"a": [1]}), p), "not a logits file of version 1"),
        (
            lambda p: parquet_file.write_table(
                p, logits.read(p).table, {"schema_version": 1, "task": "x"}
            ),
            "metadata lacks .*'labels'",
        ),
        (
            lambda p: pq.write_table(
                pa.table({"a": [1]}).replace_schema_metadata({parquet_file.METADATA_KEY: b"{"}), p
            ),
            "metadata is not JSON",
        ),
        (lambda p: rewrite(p, logits.read(p).table.drop_columns("split")), "other columns than"),
        (lambda p: rewrite(p, labels=["a", "b", "c"]), "column logits is not of type"),
        (
            lambda p: rewrite(p, with_logits(p, [[0, 0], [0, np.nan], [0, 0], [np.inf, 0]])),
            r"column logits is not finite\n.*rte/train/1",
        ),
    ],
    ids=["gone", "cut", "version", "foreign", "metadata", "JSON", "column", "classes", "nan"],
)
def test_read_refuses_and_names_the_command(path, spoil, message):
    spoil(path)
    with pytest.raises(SoftLabelError, match=message) as error:
        logits.read(path)
    assert "fix: dvc repro teach@rte-m1-all" in str(error.value)


def test_a_null_is_refused_by_name(path):
    table = logits.read(path).table
    field = pa.field("text_hash", pa.string())
    hashes = pa.array(["a", "b", None, "d"])
    rewrite(path, table.set_column(2, field, hashes))
    with pytest.raises(SoftLabelError, match=r"column text_hash is null\n.*rte/train/2"):
        logits.read(path)


def test_metadata_is_plain_json_with_sorted_keys(path):
    note = pq.read_schema(path).metadata[parquet_file.METADATA_KEY]
    assert note.decode() == json.dumps(json.loads(note), sort_keys=True, ensure_ascii=False)
