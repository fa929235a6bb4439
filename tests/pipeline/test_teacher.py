"""A teacher's folder: weights, log and the logits of every row of every split.

Run with: python -m pytest tests/pipeline/test_teacher.py
"""

from __future__ import annotations

import pytest

from pipeline import artifacts, logits, paths, rows, teacher
from pipeline.errors import DataError
from pipeline.params.sections import Member, Overrides

RTE = [("a b", "c", 0), ("d", "e f", 1)] * 6


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch, make):
    """A folder with prepared rows of rte."""
    monkeypatch.chdir(tmp_path)
    for split, examples in {
        "train": RTE,
        "dev": RTE[:4],
        "test": [("g", "h", None)],
    }.items():
        made = make("rte", split, examples)
        rows.write(paths.prepared("rte") / f"{split}.parquet", made.table, made.metadata)


def test_it_scores_every_row_of_every_split(tiny_params):
    teacher.teach("rte", "m1", tiny_params)
    folder = paths.teacher("rte", "m1")
    written = logits.read(folder / "logits.parquet")
    assert written.table["split"].to_pylist() == ["train"] * 12 + ["dev"] * 4 + ["test"]
    assert written.values.shape == (17, 2)
    card = artifacts.read_json(folder / "model.json")
    assert card == written.metadata["model"]
    assert set(card["dev"]) == {"dev"}
    assert (folder / "log.csv").read_text().count("\n") == 1 + 2


def test_task_and_member_change_the_training_settings(tiny_params):
    teachers = tiny_params.teachers.model_copy(
        update={
            "tasks": {"rte": Overrides(epochs=2, batch_size=12)},
            "members": {"m1": Member(seed=5, epochs=3, dropout=0.3)},
        }
    )
    teacher.teach("rte", "m1", tiny_params.model_copy(update={"teachers": teachers}))
    training = artifacts.read_json(paths.teacher("rte", "m1") / "model.json")["training"]
    found = {name: training[name] for name in ("epochs", "batch_size", "dropout", "seed")}
    assert found == {"epochs": 3, "batch_size": 12, "dropout": 0.3, "seed": 5}


def test_a_task_that_the_source_lacks_gets_a_note_and_no_teacher(tiny_params, capsys):
    artifacts.write_json(paths.prepared("stsb") / rows.MISSING, {"task": "stsb"})
    teacher.teach("stsb", "m1", tiny_params)
    assert [f.name for f in paths.teacher("stsb", "m1").iterdir()] == [rows.MISSING]
    assert "no teacher" in capsys.readouterr().err


def test_without_prepared_rows_the_error_names_the_stage(tiny_params):
    with pytest.raises(DataError, match="dvc repro prepare@stsb"):
        teacher.teach("stsb", "m1", tiny_params)
    assert not paths.teacher("stsb", "m1").exists()


def test_a_teacher_no_better_than_chance_is_kept_all_the_same(tiny_params, make):
    """A published trainer saved nothing where the metric stayed at or below 0."""
    examples = [("a b", None, 0), ("d", None, 1)] * 6
    for split in ("train", "dev"):
        labels = [(s, t, label if split == "train" else 1 - label) for s, t, label in examples]
        made = make("cola", split, labels)
        rows.write(paths.prepared("cola") / f"{split}.parquet", made.table, made.metadata)
    teachers = tiny_params.teachers.model_copy(
        update={"tasks": {"cola": Overrides(epochs=30, learning_rate=0.01)}}
    )
    teacher.teach("cola", "m1", tiny_params.model_copy(update={"teachers": teachers}))
    folder = paths.teacher("cola", "m1")
    assert artifacts.read_json(folder / "model.json")["dev"]["dev"]["matthews"] <= 0
    assert len(logits.read(folder / "logits.parquet")) == 24
    assert (folder / "encoder" / "model.safetensors").exists()
