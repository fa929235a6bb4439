"""Rows that are made of hand-written files."""

from __future__ import annotations

from collections import Counter

import pytest

from pipeline.data import prepare, rows
from pipeline.data.formats import layouts
from pipeline.errors import DataError
from pipeline.params.custom_tasks import CustomTask
from pipeline.params.sections import Caps, Params, TaskParams
from pipeline.tasks import GLUE
from tests.pipeline.conftest import put_source

RTE = b"index\tsentence1\tsentence2\tlabel\n" + b"".join(
    b"%d\tA%d.\tB.\t%s\n" % (i, i, b"entailment" if i % 3 else b"not_entailment") for i in range(30)
)


def with_task(params: Params, name: str, task: TaskParams) -> Params:
    return params.model_copy(update={"tasks": {**params.tasks, name: task}})


def capped(params: Params, name: str, train=None, dev=None, test=None) -> Params:
    caps = Caps(train=train, dev=dev, test=test)
    return with_task(params, name, TaskParams(rows=caps))


def test_rows_carry_id_position_texts_label_and_hash(tmp_path, defaults):
    prepared = prepare.prepare("rte", put_source(tmp_path / "rte", {"dev.tsv": RTE}), defaults)
    dev = prepared.splits["dev"]
    assert dev.table.schema.equals(rows.schema(GLUE["rte"]))
    assert dev.table.slice(3, 1).to_pylist() == [
        {
            "row_id": "rte/dev/3",
            "index": 3,
            "sentence1": "A3.",
            "sentence2": "B.",
            "label": 1,
            "text_hash": rows.text_hash("A3.", "B."),
        }
    ]


def test_metadata_says_all_of_the_contract(tmp_path, defaults):
    params = capped(defaults, "rte", dev=10)
    prepared = prepare.prepare("rte", put_source(tmp_path / "rte", {"dev.tsv": RTE}), params)
    assert prepared.splits["dev"].metadata == {
        "task": "rte",
        "title": "RTE",
        "split": "dev",
        "labels": ["entailment", "not_entailment"],
        "regression": False,
        "low": 0.0,
        "high": 0.0,
        "metrics": ["accuracy"],
        "glue": True,
        "source": "local",
        "source_rows": 30,
        "official_rows": 277,
        "partial": True,
        "cap": 10,
    }
    assert prepared.missing == ("train", "test")
    assert prepared.source == "local"


@pytest.mark.parametrize(
    ("count", "texts"), [(3, 2), (2, 2), (30, 30), (31, 30)], ids=lambda number: str(number)
)
def test_more_folds_than_texts_are_refused_before_any_training(tmp_path, defaults, count, texts):
    head, *lines = RTE.splitlines(keepends=True)
    train = head + b"".join(lines[:texts]) + lines[0]  # the first texts once more
    teachers = defaults.teachers.model_copy(update={"folds": list(range(1, count + 1))})
    params = defaults.model_copy(update={"teachers": teachers})
    folder = put_source(tmp_path / "rte", {"train.tsv": train})
    if count <= texts:
        assert len(prepare.prepare("rte", folder, params).splits["train"]) == texts + 1
        return
    with pytest.raises(DataError, match=f"rte: {count} folds need {count} train rows") as error:
        prepare.prepare("rte", folder, params)
    assert error.value.seen == f"{texts} texts in {texts + 1} rows"


def test_folds_are_those_of_tasks_with_teachers(tmp_path, defaults):
    tasks = {name: own for name, own in defaults.teachers.tasks.items() if name != "rte"}
    update = {"folds": list(range(1, 100)), "tasks": tasks}
    teachers = defaults.teachers.model_copy(update=update)
    params = defaults.model_copy(update={"teachers": teachers})
    folder = put_source(tmp_path / "rte", {"train.tsv": RTE})
    assert len(prepare.prepare("rte", folder, params).splits["train"]) == 30


def test_generated_rows_are_not_measured_against_official_counts(tmp_path, defaults):
    folder = put_source(tmp_path / "rte", {"dev.tsv": RTE}, source="sample")
    metadata = prepare.prepare("rte", folder, defaults).splits["dev"].metadata
    assert (metadata["official_rows"], metadata["partial"]) == (None, False)


def test_a_cap_keeps_ids_order_and_shares(tmp_path, defaults):
    folder = put_source(tmp_path / "rte", {"dev.tsv": RTE, "train.tsv": RTE})
    every = prepare.prepare("rte", folder, defaults).splits["dev"].table
    splits = prepare.prepare("rte", folder, capped(defaults, "rte", dev=9)).splits
    dev = splits["dev"].table
    assert dev.num_rows == 9
    assert dev.equals(every.take(dev["index"]))
    assert dev["index"].to_pylist() == sorted(dev["index"].to_pylist())
    assert Counter(dev["label"].to_pylist()) == {0: 6, 1: 3}
    assert splits["train"].table.num_rows == 30


def test_each_part_has_its_own_cap_and_ax_takes_tests(tmp_path, defaults):
    row = b"%d\tA.\tB.\tneutral\n"
    lines = b"index\tsentence1\tsentence2\tgold_label\n" + b"".join(row % i for i in range(9))
    bare = b"index\tsentence1\tsentence2\n" + b"".join(b"%d\tA.\tB.\n" % i for i in range(9))
    named = {layouts.tsv_name(split): lines for split in ("train", "dev_matched", "dev_mismatched")}
    named |= {layouts.tsv_name(split): bare for split in ("test_matched", "ax")}
    folder = put_source(tmp_path / "mnli", named)
    params = capped(defaults, "mnli", train=5, dev=4, test=3)
    prepared = prepare.prepare("mnli", folder, params)
    assert {split: len(rows) for split, rows in prepared.splits.items()} == {
        "train": 5,
        "dev_matched": 4,
        "dev_mismatched": 4,
        "test_matched": 3,
        "ax": 3,
    }
    assert prepared.missing == ("test_mismatched",)


def test_the_cap_seed_changes_which_rows_are_kept(tmp_path, defaults):
    folder = put_source(tmp_path / "rte", {"dev.tsv": RTE})
    params = capped(defaults, "rte", dev=9)
    other = params.model_copy(update={"data": params.data.model_copy(update={"cap_seed": 1})})
    one, two = (prepare.prepare("rte", folder, p).splits["dev"].table for p in (params, other))
    assert one["index"].to_pylist() != two["index"].to_pylist()


def test_a_task_of_ones_own_with_scores(tmp_path, defaults):
    own = CustomTask(
        title="Own", labels=[], sentence1="t", label="s", metrics=["pearson"], low=-1.0, high=1.0
    )
    caps = Caps(train=None, dev=None, test=None)
    params = with_task(defaults, "own", TaskParams(rows=caps, custom=own))
    files = {"train.tsv": b"s\tt\n-0.5\tA.\r\n1\tB.\n", "test.tsv": b"t\nC.\n"}
    prepared = prepare.prepare("own", put_source(tmp_path / "own", files, "custom"), params)
    train, test = prepared.splits["train"], prepared.splits["test"]
    assert train.table["label"].to_pylist() == [-0.5, 1.0]
    assert train.table["sentence1"].to_pylist() == ["A.\r", "B."]
    assert train.table["sentence2"].to_pylist() == [None, None]
    assert (train.metadata["low"], train.metadata["high"]) == (-1.0, 1.0)
    assert (train.metadata["glue"], train.metadata["official_rows"]) == (False, None)
    assert test.table["label"].to_pylist() == [None]
    assert prepared.missing == ("dev",)


def test_a_source_without_the_task_gives_no_rows(tmp_path, defaults):
    prepared = prepare.prepare("wnli", put_source(tmp_path / "wnli", {}), defaults)
    assert (prepared.splits, prepared.missing) == ({}, ("train", "dev", "test"))


def test_the_same_files_give_the_same_bytes(tmp_path, defaults):
    folder = put_source(tmp_path / "rte", {"dev.tsv": RTE})
    for name in ("a", "b"):
        dev = prepare.prepare("rte", folder, defaults).splits["dev"]
        rows.write(tmp_path / f"{name}.parquet", dev.table, dev.metadata)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
