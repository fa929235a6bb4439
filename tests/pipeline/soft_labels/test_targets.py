"""Targets read a batch at a time are those of the whole file in memory, to the last bit.

Run with: python -m pytest tests/pipeline/soft_labels/test_targets.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data import parquet_file, row_join, row_tables
from pipeline.errors import SoftLabelError
from pipeline.params.rules import WORDS
from pipeline.runtime import memory_mapped
from pipeline.soft_labels import logits, store
from pipeline.tasks import GLUE
from tests.pipeline.conftest import make_rows
from tests.pipeline.soft_labels.test_checks import put


def splits_of(task: str, sizes: dict[str, int]):
    labels = {"train": 1, "dev": 0, "transfer": None}
    return {
        split: make_rows(
            GLUE[task], split, [(f"{split} {at}", "b", labels[split]) for at in range(size)]
        )
        for split, size in sizes.items()
    }


def members_of(task: str, splits, count: int, random):
    manifest = {"dev": {"dev": {"accuracy": 0.5, "pearson": 0.5}}, "folds": ["1", "2"]}
    total = sum(map(len, splits.values()))
    return {
        f"m{at}": logits.Logits(
            logits.tabulate(splits, random.normal(0, 5, (total, GLUE[task].outputs))),
            logits.describe(GLUE[task], {**manifest, "name": f"m{at}"}),
        )
        for at in range(count)
    }


@given(
    st.sampled_from(["rte", "stsb"]),
    st.integers(1, 12),
    st.sampled_from(WORDS),
    st.fixed_dictionaries({"train": st.integers(1, 40), "dev": st.integers(1, 5)}),
    st.integers(0, 12),
    st.booleans(),
    st.integers(1, 50),
    st.integers(0, 2**32 - 1),
)
def test_they_are_those_of_the_whole_file(
    task, members, rule, sizes, further, shuffled, batch, seed
):
    random = np.random.default_rng(seed)
    splits = splits_of(task, {**sizes, **({"transfer": further} if further else {})})
    learnt = [name for name in splits if name != "dev"]
    temperature = float(random.uniform(0.5, 3))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{task}.parquet"
        store.write(path, splits, members_of(task, splits, members, random), rule)
        if shuffled:
            table, metadata = parquet_file.read_table(path)
            order = pa.array(random.permutation(len(table)))
            row_tables.write(path, table.take(order), metadata)
        keys = row_tables.keys({name: splits[name] for name in learnt})
        ids, hashes = (keys[name].to_pylist() for name in ("row_id", "text_hash"))
        expected = store.read(path, splits).targets(ids, hashes, temperature)
        with (
            mock.patch.object(parquet_file, "BATCH", batch),
            mock.patch.object(memory_mapped, "MEMORY_BYTES", 64),
        ):
            targets = store.read_targets(path, splits, learnt, temperature)
        np.testing.assert_array_equal(targets, expected, strict=True)


def test_a_file_in_order_is_read_without_an_index(rte_calibrated, rte_all_splits, monkeypatch):
    for name in ("align", "locate", "check_unique"):
        monkeypatch.setattr(store, name, None)
    targets = store.read_targets(rte_calibrated, rte_all_splits, ["train", "transfer"], 1.0)
    assert targets.shape == (4, 2)


def test_transfer_rows_that_nobody_asked_for_are_left_out(rte_calibrated, rte_splits):
    targets = store.read_targets(rte_calibrated, rte_splits, ["train"], 1.0)
    whole = store.read(rte_calibrated, rte_splits)
    np.testing.assert_array_equal(targets, whole.probabilities[:2])


@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("text_hash", "0" * 32, "another text_hash"),
        ("row_id", "rte/dev/7", "no such prepared row"),
        ("logits_m1", [float("nan"), 0.0], "logits_m1 is not finite"),
        ("probabilities", [0.1, 0.9], "not what mean_probability makes"),
    ],
)
def test_a_fault_in_any_batch_is_refused_with_its_row(
    rte_calibrated, rte_all_splits, monkeypatch, at, column, value, fault
):
    monkeypatch.setattr(parquet_file, "BATCH", 2)
    table, metadata = parquet_file.read_table(rte_calibrated)
    name = table["row_id"][at].as_py()
    parquet_file.write_table(rte_calibrated, put(table, column, at, value), metadata)
    with pytest.raises(SoftLabelError, match=fault) as error:
        store.read_targets(rte_calibrated, rte_all_splits, ["train"], 1.0)
    assert error.value.seen.startswith("rte/dev/7" if column == "row_id" else name)


def test_an_id_that_is_there_twice_on_both_sides_is_refused(tmp_path, make):
    rows = make("rte", "train", [("a", "b", 0), ("a", "b", 0)])
    splits = {"train": type(rows)(put(rows.table, "row_id", 1, "rte/train/0"), rows.metadata)}
    members = members_of("rte", splits, 1, np.random.default_rng(0))
    keys = row_tables.keys(splits)
    with pytest.raises(SoftLabelError, match="occurs twice"):
        row_join.align(keys, keys, row_join.Origin("x"))
    path = tmp_path / "rte.parquet"
    with mock.patch("pipeline.soft_labels.store.align", lambda table, *_: np.arange(len(table))):
        store.write(path, splits, members, "mean_logit")
    with pytest.raises(SoftLabelError, match="a row occurs twice"):
        store.read_targets(path, splits, ["train"], 1.0)


def test_a_damaged_file_names_the_command(rte_calibrated, rte_all_splits):
    whole = rte_calibrated.read_bytes()
    rte_calibrated.write_bytes(whole[:60] + b"\xff" * 60 + whole[120:])
    with pytest.raises(SoftLabelError, match="fix: dvc repro ensemble@rte"):
        store.read_targets(rte_calibrated, rte_all_splits, ["train"], 1.0)
