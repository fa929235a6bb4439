"""A teacher's folder: weights, log and the logits of every row of every split.

Run with: python -m pytest tests/pipeline/teachers/test_teach.py
"""

from __future__ import annotations

import numpy as np
import pytest

from pipeline import paths
from pipeline.data import folds, rows
from pipeline.errors import DataError, EncoderError
from pipeline.params.heads.linear import LinearHead
from pipeline.params.sections import Member, Params
from pipeline.params.teachers import TaughtTask
from pipeline.runtime import artifacts
from pipeline.soft_labels import logits, member_logits
from pipeline.teachers import initial_encoder, teach

RTE = [("a b", "c", 0), ("d", "e f", 1), ("g", "h", 0), ("i", "j k", 1)] * 3
LOGITS_OF_STSB = paths.prepared_logits("stsb", "m1", "all").parent


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch, make, tiny_params):
    """A folder with prepared rows of rte and the start of m1."""
    monkeypatch.chdir(tmp_path)
    initial_encoder.write("m1", tiny_params)
    for split, examples in {
        "train": RTE,
        "dev": RTE[:4],
        "test": [("g", "h", None)],
    }.items():
        split_rows = make("rte", split, examples)
        rows.write(
            paths.prepared("rte") / f"{split}.parquet", split_rows.table, split_rows.metadata
        )


def teachers(params: Params, **changes: object) -> Params:
    """Params with another section `teachers`."""
    changed = params.teachers.model_copy(update=changes)
    return params.model_copy(update={"teachers": changed})


def test_it_scores_every_row_of_every_split(tiny_params):
    teach.teach("rte", "m1", "all", tiny_params)
    folder = paths.teacher("rte", "m1", "all")
    written = logits.read(paths.prepared_logits("rte", "m1", "all"))
    assert written.table["split"].to_pylist() == ["train"] * 12 + ["dev"] * 4 + ["test"]
    assert written.values.shape == (17, 2)
    manifest = artifacts.read_json(folder / "model.json")
    assert manifest == written.metadata["model"]
    assert set(manifest["dev"]) == {"dev"}
    assert (manifest["name"], manifest["fold"], manifest["folds"]) == ("m1", "all", ["all"])
    assert manifest["seen"]["rows"] == 12
    assert manifest["encoder"] == initial_encoder.describe(paths.initial_encoder("m1"))
    assert (folder / "log.csv").read_text().count("\n") == 1 + 2


def test_folds_are_trained_apart_and_join(tiny_params):
    """Every model scores all rows; the joined train rows are those of the model blind to them."""
    params = teachers(tiny_params, folds=[1, 2])
    for fold in ("1", "2"):
        teach.teach("rte", "m1", fold, params)
    splits = rows.read_splits(paths.prepared("rte"))
    blind = folds.held_out(splits["train"], 2)
    fold_logits = [logits.read(paths.prepared_logits("rte", "m1", fold)) for fold in ("1", "2")]
    assert [part.model["seen"]["rows"] for part in fold_logits] == [6, 6]
    assert [len(part) for part in fold_logits] == [17, 17]
    train = [part.split("train").values for part in fold_logits]
    assert (train[0] != train[1]).any(axis=1).all()
    joined = member_logits.read("rte", "m1", ["1", "2"], splits)
    expected = [train[fold - 1][at].tolist() for at, fold in enumerate(blind)]
    assert joined.split("train").values.tolist() == expected


def test_the_labels_of_a_fold_leave_no_trace_in_its_model(tiny_params, make, monkeypatch):
    monkeypatch.setattr(folds, "held_out", lambda *_: np.array([1, 2] * 6))
    turned = [
        (one, two, 1 - label if at % 2 == 0 else label) for at, (one, two, label) in enumerate(RTE)
    ]
    weights = []
    for examples in (RTE, turned):
        split_rows = make("rte", "train", examples)
        rows.write(paths.prepared("rte") / "train.parquet", split_rows.table, split_rows.metadata)
        teach.teach("rte", "m1", "1", teachers(tiny_params, folds=[1, 2]))
        manifest = artifacts.read_json(paths.teacher("rte", "m1", "1") / "model.json")
        weights.append(manifest["weights_sha256"])
    assert weights[0] == weights[1]


def test_task_and_member_change_the_training_settings(tiny_params):
    head = LinearHead(kind="linear", pooling="cls", dropout=0.2)
    params = teachers(
        tiny_params,
        tasks={"rte": TaughtTask(epochs=2, batch_size=12, head=head)},
        members={"m1": Member(seed=5, epochs=3, dropout=0.3)},
    )
    teach.teach("rte", "m1", "all", params)
    training = artifacts.read_json(paths.teacher("rte", "m1", "all") / "model.json")["training"]
    settings = {name: training[name] for name in ("epochs", "batch_size", "dropout", "seed")}
    assert settings == {"epochs": 3, "batch_size": 12, "dropout": 0.3, "seed": 5}
    assert training["heads"] == {"rte": head.model_dump()}


def test_a_member_without_a_start_is_refused(tiny_params):
    with pytest.raises(EncoderError, match="dvc repro initialize@m2"):
        teach.teach("rte", "m2", "all", teachers(tiny_params, members={"m2": Member(seed=1)}))
    assert not paths.teacher("rte", "m2", "all").exists()


def test_more_folds_than_texts_are_refused(tiny_params):
    with pytest.raises(DataError, match=r"5 folds need 5 .*\n  seen: 4 texts in 12 rows"):
        teach.teach("rte", "m1", "1", teachers(tiny_params, folds=[1, 2, 3, 4, 5]))


def test_a_task_that_the_source_lacks_gets_a_note_and_no_teacher(tiny_params, capsys):
    artifacts.write_json(paths.prepared("stsb") / rows.MISSING, {"task": "stsb"})
    teach.teach("stsb", "m1", "all", tiny_params)
    for folder in (paths.teacher("stsb", "m1", "all"), LOGITS_OF_STSB):
        assert [file.name for file in folder.iterdir()] == [rows.MISSING]
    assert "no teacher" in capsys.readouterr().err


def test_without_prepared_rows_the_error_names_the_stage(tiny_params):
    with pytest.raises(DataError, match="dvc repro prepare@stsb"):
        teach.teach("stsb", "m1", "all", tiny_params)
    assert not paths.teacher("stsb", "m1", "all").exists()
    assert not LOGITS_OF_STSB.exists()


def test_a_teacher_no_better_than_chance_is_kept_all_the_same(tiny_params, make):
    """A published trainer saved nothing where the metric stayed at or below 0."""
    examples = [("a b", None, 0), ("d", None, 1)] * 6
    for split in ("train", "dev"):
        labels = [(s, t, label if split == "train" else 1 - label) for s, t, label in examples]
        split_rows = make("cola", split, labels)
        rows.write(
            paths.prepared("cola") / f"{split}.parquet", split_rows.table, split_rows.metadata
        )
    tasks = {"cola": TaughtTask(epochs=30, learning_rate=0.01)}
    teach.teach("cola", "m1", "all", teachers(tiny_params, tasks=tasks))
    folder = paths.teacher("cola", "m1", "all")
    assert artifacts.read_json(folder / "model.json")["dev"]["dev"]["matthews"] <= 0
    assert len(logits.read(paths.prepared_logits("cola", "m1", "all"))) == 24
    assert (folder / "encoder" / "model.safetensors").exists()
