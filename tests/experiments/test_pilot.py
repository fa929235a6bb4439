"""Settings of the student are judged on transfer rows that it has not learnt from.

Run with: python -m pytest tests/experiments/test_pilot.py
"""

from __future__ import annotations

import numpy as np
import pytest

from experiments import pilot
from pipeline import paths
from pipeline.data import rows
from pipeline.errors import DataError
from pipeline.params.data import Transfer
from pipeline.soft_labels import logits, store
from pipeline.tasks import GLUE
from tests.pipeline.conftest import make_rows, put_source

COUNT = 12  # train rows in the file: 4 are prepared, the other 8 are transfer rows
LABELS = ["entailment", "not_entailment", "not_entailment"] * (COUNT // 3)


def text(index):
    return f"a{index}", f"b{index}"


def written(split, first, last, known=True):
    split_rows = make_rows(
        GLUE["rte"],
        "train" if split == "transfer" else split,
        [(*text(n), int(LABELS[n] != "entailment") if known else None) for n in range(last)],
    )
    table = split_rows.table.slice(first)
    return rows.Rows(table, {**split_rows.metadata, "split": split})


@pytest.fixture
def params(tmp_path, monkeypatch, tiny_params):
    monkeypatch.chdir(tmp_path)
    lines = ["index\tsentence1\tsentence2\tlabel"]
    lines += ["\t".join((str(n), *text(n), LABELS[n])) for n in range(COUNT)]
    put_source(paths.raw("rte"), {"train.tsv": "\n".join([*lines, ""]).encode()})
    splits = {"train": written("train", 0, 4), "transfer": written("transfer", 4, COUNT, False)}
    rows.write(
        paths.prepared("rte") / "train.parquet", splits["train"].table, splits["train"].metadata
    )
    rows.write(paths.transfer_rows("rte"), splits["transfer"].table, splits["transfer"].metadata)
    right = np.eye(2, dtype=np.float32)[[int(label != "entailment") for label in LABELS]] * 3
    values = {"train": right[:4], "transfer": right[4:]}
    logits.write(tmp_path / "m1.parquet", splits, values, {"name": "m1", "dev": {}})
    members = {"m1": logits.read(tmp_path / "m1.parquet")}
    store.write(paths.soft_labels("rte"), splits, members, "mean_probability")
    one = {"rte": tiny_params.tasks["rte"]}
    teachers = tiny_params.teachers.model_copy(
        update={"tasks": {"rte": tiny_params.teachers.tasks["rte"]}}
    )
    transfer = {"rte": Transfer(source="rest", rows=None)}
    return tiny_params.model_copy(update={"tasks": one, "teachers": teachers, "transfer": transfer})


def test_gold_labels_are_those_of_the_same_rows_of_the_file(params):
    mask = np.arange(8) % 2 == 0
    gold_rows = pilot.with_gold("rte", rows.read(paths.transfer_rows("rte")).where(mask), params)
    assert gold_rows.table["sentence1"].to_pylist() == ["a4", "a6", "a8", "a10"]
    assert gold_rows.labels.tolist() == [int(LABELS[n] != "entailment") for n in (4, 6, 8, 10)]
    assert gold_rows.known.all()


@pytest.mark.parametrize(("baseline", "epochs"), [(None, 1), ("epochs", 1), ("steps", 2)])
def test_a_quarter_is_judged_and_not_learnt_from(params, monkeypatch, baseline, epochs):
    """In batches of 8, the student's 10 rows take two steps, the 4 gold ones one."""
    learnt = []
    whole = pilot.student.train

    def watched(folder, params, prepared, train_rows, distillation, targets, teachers):
        learnt.append((train_rows["rte"], prepared["rte"]["dev"], targets))
        assert params.student.epochs == epochs
        whole(folder, params, prepared, train_rows, distillation, targets, teachers)

    monkeypatch.setattr(pilot.student, "train", watched)
    lines = pilot.run(params, baseline)
    (train_rows, judged, targets), train = learnt[0], {"a0", "a1", "a2", "a3"}
    names, dev_names = (set(part.table["sentence1"].to_pylist()) for part in (train_rows, judged))
    assert len(dev_names) == 2
    assert names == (train if baseline else {f"a{n}" for n in range(COUNT)} - dev_names)
    assert not baseline or not targets
    assert baseline or targets["rte"].shape == (10, 2)
    assert lines[0].startswith("rte: ")
    assert lines[0].endswith("ensemble 100.0")  # the teacher's logits are right everywhere
    assert lines[-1].startswith("mean: ")


@pytest.mark.parametrize(
    ("profile", "fix"),
    [
        ("glue-cpu", "make repro PROFILE=glue-cpu DATA=FOLDER"),
        ("paper", "make repro PROFILE=paper"),
    ],
)
def test_what_makes_rows_and_soft_labels_is_told(params, profile, fix):
    paths.transfer("rte").mkdir(exist_ok=True)
    pilot.require(params, profile)
    paths.soft_labels("rte").unlink()
    with pytest.raises(DataError, match=f"profile {profile} are not made yet") as error:
        pilot.require(params, profile)
    assert (error.value.where, error.value.fix) == (paths.soft_labels("rte"), fix)


def test_without_transfer_rows_there_is_nothing_to_judge_by(params):
    paths.transfer_rows("rte").unlink()
    with pytest.raises(DataError, match="no transfer rows"):
        pilot.run(params, baseline="epochs")
