"""Student and baseline from prepared rows and soft labels, end to end with tiny encoders.

Run with: python -m pytest tests/pipeline/student/test_distil.py
"""

from __future__ import annotations

import csv

import numpy as np
import pytest

from pipeline import paths
from pipeline.data import rows
from pipeline.data.prepared import read_prepared, train_rows
from pipeline.errors import SoftLabelError
from pipeline.model import saved_model
from pipeline.params.losses.cross_entropy import CrossEntropy
from pipeline.runtime import artifacts
from pipeline.soft_labels import logits, store
from pipeline.student import distil, train

EXAMPLES = {
    "rte": [("a b", "c", 0), ("d", "e f", 1)] * 6,
    "stsb": [("a b", "c", 1.0), ("d", "e f", 4.0)] * 6,
}
TEACHER_LOGITS = {"rte": [2.0, 0.0], "stsb": [2.5]}


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch, make):
    """Prepared rows and one member's soft labels of two tasks."""
    monkeypatch.chdir(tmp_path)
    for task, examples in EXAMPLES.items():
        splits = {"train": make(task, "train", examples), "dev": make(task, "dev", examples[:4])}
        for name, split_rows in splits.items():
            rows.write(
                paths.prepared(task) / f"{name}.parquet", split_rows.table, split_rows.metadata
            )
        values = {
            name: np.tile(np.float32(TEACHER_LOGITS[task]), (len(s), 1))
            for name, s in splits.items()
        }
        manifest = {"name": "m1", "dev": {"dev": {"accuracy": 0.5}}}
        logits.write(tmp_path / f"{task}.parquet", splits, values, manifest)
        member = logits.read(tmp_path / f"{task}.parquet")
        store.write(paths.soft_labels(task), splits, {"m1": member}, "mean_probability")


def test_targets_are_the_softened_probabilities_of_the_train_rows(tiny_params):
    params = tiny_params.model_copy(
        update={"distillation": tiny_params.distillation.model_copy(update={"temperature": 2.0})}
    )
    prepared = read_prepared(params)
    targets = {t: distil.read_targets(t, prepared[t], None, params) for t in prepared}
    soft = 1 / (1 + np.exp(-1.0))  # logits (2, 0) at T = 2 are (1, 0)
    np.testing.assert_allclose(targets["rte"], [[soft, 1 - soft]] * 12, rtol=1e-6)
    np.testing.assert_allclose(targets["stsb"], [[2.5]] * 12)


def test_targets_of_transfer_rows_follow_those_of_train_rows(tiny_params, make, tmp_path):
    further = make("rte", "transfer", [("x", "y", None), ("y z", "w", None)])
    splits = {"train": make("rte", "train", EXAMPLES["rte"])}
    splits["dev"] = make("rte", "dev", EXAMPLES["rte"][:4])
    values = {"train": np.tile(np.float32([2.0, 0.0]), (12, 1)), "dev": np.zeros((4, 2))}
    values["transfer"] = np.float32([[0.0, 0.0], [0.0, np.log(3.0)]])
    whole = {**splits, "transfer": further}
    manifest = {"name": "m1", "dev": {"dev": {"accuracy": 0.5}}}
    logits.write(tmp_path / "m1.parquet", whole, values, manifest)
    store.write(
        paths.soft_labels("rte"),
        whole,
        {"m1": logits.read(tmp_path / "m1.parquet")},
        "mean_probability",
    )
    targets = distil.read_targets("rte", splits, further, tiny_params)
    assert targets.shape == (14, 2)
    np.testing.assert_allclose(targets[12:], [[0.5, 0.5], [0.25, 0.75]], rtol=1e-6)


def train_baseline(params):
    prepared = read_prepared(params)
    train.train(paths.baseline("epochs"), params, prepared, train_rows(prepared))


def test_student_and_baseline_share_all_but_the_loss(tiny_params):
    distil.distil(tiny_params)
    train_baseline(tiny_params)
    logs = []
    for folder in (paths.STUDENT, paths.baseline("epochs")):
        with (folder / saved_model.LOG).open() as file:
            logs.append(list(csv.DictReader(file)))
        assert (
            logits.read(folder / "logits" / "rte.parquet").table["split"].to_pylist() == ["dev"] * 4
        )
    assert [row["task"] for row in logs[0]] == [row["task"] for row in logs[1]]
    assert [row["loss"] for row in logs[0]] != [row["loss"] for row in logs[1]]
    manifest = artifacts.read_json(paths.STUDENT / saved_model.MANIFEST)
    assert manifest["training"]["soft_labels"] == ["rte", "stsb"]
    assert manifest["training"]["distillation"]["hard_weight"] == 0.5
    assert (
        manifest["training"]["distillation"]["loss"]
        == CrossEntropy(kind="cross_entropy").model_dump()
    )


def test_with_hard_weight_1_the_student_is_the_baseline(tiny_params):
    hard = tiny_params.distillation.model_copy(update={"hard_weight": 1.0})
    distil.distil(tiny_params.model_copy(update={"distillation": hard}))
    train_baseline(tiny_params)
    hashes = [
        saved_model.weights_sha256(folder) for folder in (paths.STUDENT, paths.baseline("epochs"))
    ]
    assert hashes[0] == hashes[1]


def test_soft_labels_of_other_rows_are_refused_before_training(tiny_params, make):
    other = make("rte", "train", [("a b", "OTHER", 0), *EXAMPLES["rte"][1:]])
    rows.write(paths.prepared("rte") / "train.parquet", other.table, other.metadata)
    with pytest.raises(SoftLabelError, match="rte/train/0"):
        distil.distil(tiny_params)
    assert not paths.STUDENT.exists()


def test_missing_soft_labels_name_the_stage(tiny_params):
    paths.soft_labels("rte").unlink()
    with pytest.raises(SoftLabelError, match="dvc repro ensemble@rte"):
        distil.distil(tiny_params)


def test_a_task_that_the_source_lacks_is_left_out(tiny_params, capsys):
    for file in paths.prepared("stsb").iterdir():
        file.unlink()
    artifacts.write_json(paths.prepared("stsb") / rows.MISSING, {"task": "stsb"})
    distil.distil(tiny_params)
    assert "stsb: no train rows at the source" in capsys.readouterr().err
    assert [f.name for f in (paths.STUDENT / "logits").iterdir()] == ["rte.parquet"]
