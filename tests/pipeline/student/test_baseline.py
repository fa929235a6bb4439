"""Baselines of the student's epochs and of its steps, and none where both are the same.

Run with: python -m pytest tests/pipeline/student/test_baseline.py
"""

from __future__ import annotations

import csv

import pytest

from pipeline import paths
from pipeline.data import rows
from pipeline.errors import DataError, SavedModelError
from pipeline.model import saved_model
from pipeline.params.data import Transfer
from pipeline.params.training import BestEpoch, EarlyStopping
from pipeline.runtime import artifacts
from pipeline.student import baseline, budget
from pipeline.training import optimizers

TRAIN = {
    "rte": [("a b", "c", 0), ("d", "e f", 1)] * 8,
    "stsb": [("a b", "c", 1.0), ("d", "e f", 4.0)] * 4,
}
FURTHER = [(f"x {number}", "y", None) for number in range(20)]


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch, make):
    """Prepared rows of two tasks: 16 and 8 train rows, and 20 transfer rows of RTE."""
    monkeypatch.chdir(tmp_path)
    for task, examples in TRAIN.items():
        for split in ("train", "dev"):
            made = make(task, split, examples if split == "train" else examples[:4])
            rows.write(paths.prepared(task) / f"{split}.parquet", made.table, made.metadata)
    made = make("rte", "transfer", FURTHER)
    rows.write(paths.transfer_rows("rte"), made.table, made.metadata)


@pytest.fixture
def params(tiny_params):
    """Two tasks, of which RTE has teachers and transfer rows; two epochs in batches of 8."""
    return with_student(
        tiny_params.model_copy(
            update={
                "transfer": {"rte": Transfer(source="test", rows=20)},
                "teachers": tiny_params.teachers.model_copy(
                    update={"tasks": {"rte": tiny_params.teachers.tasks["rte"]}}
                ),
            }
        ),
        epochs=2,
    )


def with_student(params, **changes):
    student = params.student.model_copy(update=changes)
    return params.model_copy(update={"student": student})


def log(budget):
    with (paths.baseline(budget) / saved_model.LOG).open() as file:
        return list(csv.DictReader(file))


# RTE has 36 rows, 5 steps an epoch; STS-B makes 36 / 16 passes, 2.25 steps of 8 rows: 2 x 5 + 5
# steps. The baseline takes 2 + 1 an epoch, and so five epochs. A quarter held out, as below: 32
# rows are 4 steps, and 32 / 12 passes over 6 rows in 1 step are 5.33: 8 + 6 of 2 + 1 are five too.
@pytest.mark.parametrize(
    ("stopping", "epochs"), [(None, 5), (EarlyStopping(share=0.25, patience=9), 5)]
)
def test_epochs_of_the_steps_of_prepared_and_transfer_rows(params, stopping, epochs):
    for name in ("epochs", "steps"):
        budget.write(name, with_student(params, early_stopping=stopping))
    assert budget.read("epochs") == 2
    assert budget.read("steps") == epochs


def test_transfer_rows_that_are_not_asked_for_do_not_count(params):
    budget.write("steps", params.model_copy(update={"transfer": {}}))
    assert budget.read("steps") == 0
    paths.transfer_rows("rte").unlink()
    artifacts.write_json(paths.transfer("rte") / rows.MISSING, {"task": "rte", "note": "none"})
    budget.write("steps", params)
    assert budget.read("steps") == 0


def test_without_its_number_of_epochs_a_baseline_names_the_stage():
    with pytest.raises(DataError, match="no number of epochs") as caught:
        budget.read("steps")
    assert caught.value.fix == "dvc repro budget@steps"


AS_IN_THE_PAPER = {"batches": "fixed", "best_epoch": BestEpoch(tasks=["rte"])}


@pytest.mark.medium
@pytest.mark.parametrize("changes", [{}, AS_IN_THE_PAPER], ids=["plain", "as in the paper"])
def test_both_baselines_start_alike_and_each_has_a_schedule_over_its_own_steps(params, changes):
    params = with_student(params, **changes)
    for name in ("epochs", "steps"):
        budget.write(name, params)
        baseline.baseline(name, params)
        manifest = artifacts.read_json(paths.baseline(name) / saved_model.MANIFEST)
        assert manifest["name"] == f"baseline_{name}"
        assert manifest["training"]["epochs"] == {"epochs": 2, "steps": 5}[name]
        assert manifest["trained"]["steps"] == {"epochs": 6, "steps": 15}[name]
        assert manifest["trained"]["rows"] == {"epochs": 48, "steps": 120}[name]
        assert manifest["held_out"] is None, "dev rows are not held out of train"
        assert ("best_epoch" in manifest) == bool(changes)
        rates = [float(line["learning_rate"]) for line in log(name)]
        assert rates == pytest.approx(
            [optimizers.rate(step, len(rates), params.student) for step in range(len(rates))],
            rel=1e-5,
        )
    first = log("epochs")[:6]
    assert [line["task"] for line in first] == [line["task"] for line in log("steps")[:6]]
    assert first[0]["loss"] == log("steps")[0]["loss"]


def test_a_baseline_that_would_repeat_the_other_leaves_the_reason_and_an_empty_log(params, capsys):
    artifacts.write_json(paths.budget("steps"), {"epochs": 0})
    baseline.baseline("steps", params)
    folder = paths.baseline("steps")
    assert sorted(path.name for path in folder.iterdir()) == [saved_model.LOG, rows.MISSING]
    assert (folder / saved_model.LOG).read_text() == "step,epoch,task,loss,learning_rate\n"
    assert "baseline of budget steps: the student takes no more steps" in capsys.readouterr().err
    with pytest.raises(SavedModelError, match="no model: the student takes no more steps"):
        saved_model.read_manifest(folder)
