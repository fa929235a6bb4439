"""Amounts: official, generated and prepared rows, caps and transfer rows.

Run with: python -m pytest tests/pipeline/planning/test_dataset_sizes.py
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline import paths
from pipeline.data import rows
from pipeline.params import file, profiles
from pipeline.params.sections import Params
from pipeline.planning import dataset_sizes
from tests.pipeline.planning.conftest import recorded

ROOT = Path(__file__).resolve().parents[3]
RTE = [("a dog", "a cat", 0), ("dog", "a cat", 1), ("a", "b", 0)]
CUSTOM = "{title: T, labels: [a, b], sentence1: x, label: l, metrics: [accuracy]}"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def params(profile: str, *overrides: str) -> Params:
    return file.check(profiles.values(profile, recorded(profile, overrides), ROOT / "profiles"))


def prepare(make: Any, task: str, splits: Mapping[str, list[Any]], **metadata: Any) -> None:
    for split, examples in splits.items():
        split_rows = make(task, split, examples)
        path = paths.prepared(task) / f"{split}.parquet"
        rows.write(path, split_rows.table, {**split_rows.metadata, **metadata})


def test_official_numbers_and_caps() -> None:
    sizes = dataset_sizes.read(params("glue-cpu"))
    mnli, wnli = sizes["mnli"], sizes["wnli"]
    assert mnli is not None
    assert (mnli.of("train"), mnli.of("dev"), mnli.of("test")) == (1000, 2000, 400)
    assert mnli.of("ax") == 200  # a cap of test rows is one of AX too
    assert mnli.of("train", "dev", "test", "ax") == 3600
    assert wnli is not None
    assert wnli.splits == {"train": 635, "dev": 71, "test": 146}
    assert wnli.train is None
    assert not wnli.measured


def test_the_generator_knows_its_numbers() -> None:
    sizes = dataset_sizes.read(params("sample", "data.sources.sample.train=80"))
    assert sizes["wnli"] is not None
    assert sizes["wnli"].splits == {"train": 20, "dev": 37, "test": 37}
    assert sizes["qqp"] is not None
    assert sizes["qqp"].of("train") == 80


@pytest.mark.parametrize(
    ("transfer", "count"),
    [
        ("{source: rest, rows: null}", 362_846),
        ("{source: rest, rows: 500}", 500),
        ("{source: test, rows: null}", 390_965),
        ("{source: file, rows: null, file: own.tsv}", 2),
        ("{source: file, rows: null, file: other.tsv}", 0),
    ],
)
def test_transfer_rows_that_are_not_prepared(project: Path, transfer: str, count: int) -> None:
    (project / "data" / "texts").mkdir(parents=True)
    (project / "data" / "texts" / "own.tsv").write_text("sentence1\tsentence2\na\tb\nc\td\n")
    sizes = dataset_sizes.read(params("glue-cpu", f"transfer.qqp={transfer}"))
    assert sizes["qqp"] is not None
    assert sizes["qqp"].transfer == count
    assert sizes["rte"] is not None
    assert sizes["rte"].transfer == 0


def test_prepared_rows_are_counted_and_measured(make) -> None:
    prepare(make, "rte", {"train": RTE, "dev": RTE[:1]}, source="local", cap=1000)
    sizes = dataset_sizes.read(params("glue-cpu", "tasks.rte.rows.dev=1000"))["rte"]
    assert sizes is not None
    assert sizes.splits == {"train": 3, "dev": 1}
    assert sizes.train is not None
    assert len(sizes.train) == 3
    assert sizes.measured
    assert sizes.lengths.tolist() == [7, 6, 5]


@pytest.mark.parametrize(
    ("metadata", "overrides"),
    [
        ({"source": "official", "cap": 1000}, ()),  # of another source
        ({"source": "local", "cap": 500}, ()),  # with another cap
        ({"source": "local", "cap": 1000}, ("tasks.rte.rows.train=7",)),
    ],
)
def test_prepared_rows_of_other_parameters_do_not_count(make, metadata, overrides) -> None:
    prepare(make, "rte", {"train": RTE}, **metadata)
    sizes = dataset_sizes.read(params("glue-cpu", *overrides))["rte"]
    assert sizes is not None
    assert sizes.of("train") == (7 if overrides else 1000)
    assert sizes.train is None


def test_generated_rows_of_another_number_do_not_count(make) -> None:
    prepare(make, "rte", {"train": RTE}, source="sample", cap=None, source_rows=3)
    sizes = dataset_sizes.read(params("sample"))["rte"]
    assert sizes is not None
    assert sizes.of("train") == 400


def test_a_task_that_the_source_lacks_has_no_rows(project: Path) -> None:
    paths.prepared("rte").mkdir(parents=True)
    (paths.prepared("rte") / rows.MISSING).write_text("{}")
    sizes = dataset_sizes.read(params("glue-cpu"))["rte"]
    assert sizes is not None
    assert sizes.of("train", "dev", "test") == 0


def test_a_task_of_ones_own_is_unknown_until_it_is_prepared(make) -> None:
    own_params = params(
        "glue-cpu", f"tasks.own={{rows: {{train: null, dev: null, test: null}}, custom: {CUSTOM}}}"
    )
    assert dataset_sizes.read(own_params)["own"] is None


def test_prepared_transfer_rows_are_counted(make) -> None:
    prepare(make, "qqp", {"train": [("a", "b", 0)]}, source="local", cap=1000)
    split_rows = make("qqp", "transfer", [("a", "c", None), ("d", "e", None)])
    rows.write(paths.transfer_rows("qqp"), split_rows.table, split_rows.metadata)
    sizes = dataset_sizes.read(params("glue-cpu", "transfer.qqp={source: rest, rows: 9}"))["qqp"]
    assert sizes is not None
    assert sizes.transfer == 2


def test_without_a_tokenizer_the_table_stands(make, defaults) -> None:
    tiny = "{source: random, seed: 0, depth: 1, hidden: 4, attention_heads: 1}"
    prepare(make, "rte", {"train": RTE}, source="local", cap=1000)
    sizes = dataset_sizes.read(params("glue-cpu", f"student.encoder={tiny}"))["rte"]
    assert sizes is not None
    assert sizes.train is not None
    assert not sizes.measured
    assert np.array_equal(sizes.lengths, dataset_sizes.row_lengths.GLUE["rte"])
