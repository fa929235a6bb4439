"""Transfer rows come back as they were written, or as none.

Run with: python -m pytest tests/pipeline/data/test_transfer_rows.py
"""

from __future__ import annotations

import pytest

from pipeline import paths
from pipeline.data import transfer_rows
from pipeline.errors import DataError
from pipeline.runtime import artifacts


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths.transfer("rte").mkdir(parents=True)


def test_rows_come_back(make):
    rows = make("rte", "transfer", [("A.", "B.", None), ("C.", "D.", None)])
    transfer_rows.write(paths.transfer("rte"), "rte", rows, "unused")
    back = transfer_rows.read("rte")
    assert back.table.to_pylist() == rows.table.to_pylist()
    assert (back.split, back.known.tolist(), back.labels.tolist()) == (
        "transfer",
        [False, False],
        [0, 0],
    )
    assert [file.name for file in paths.transfer("rte").iterdir()] == ["transfer.parquet"]


def test_none_comes_back_as_none_with_the_reason_on_disk():
    transfer_rows.write(paths.transfer("rte"), "rte", None, "none asked for")
    assert transfer_rows.read("rte") is None
    assert artifacts.read_json(paths.transfer("rte") / "missing.json") == {
        "task": "rte",
        "note": "none asked for",
    }


def test_a_task_that_was_not_prepared_is_told_from_one_without_rows():
    with pytest.raises(DataError, match="no transfer rows") as error:
        transfer_rows.read("qqp")
    assert error.value.fix == "dvc repro prepare@qqp"
