"""A teacher scores transfer rows as it scored its own rows.

Run with: python -m pytest tests/pipeline/teachers/test_label.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline import paths
from pipeline.data import rows, transfer_rows
from pipeline.errors import DataError, SavedModelError
from pipeline.model import encoders, saved_model, scoring, tokenization
from pipeline.model.multitask import MultiTaskModel
from pipeline.runtime import artifacts, hardware
from pipeline.soft_labels import logits
from pipeline.tasks import GLUE
from pipeline.teachers import label

ROOT = Path(__file__).resolve().parents[3]
TEXTS = [("aaaa", "bb", None), ("a long one " * 9, "cc " * 7, None), ("d", "e", None)]
FOLDER = paths.teacher("rte", "m1", "2")
OUT = paths.transfer_logits("rte", "m1", "2").parent


@pytest.fixture
def further(tmp_path, monkeypatch, make):
    """Transfer rows of RTE in a project."""
    monkeypatch.chdir(tmp_path)
    texts = make("rte", "transfer", TEXTS)
    paths.transfer("rte").mkdir(parents=True)
    transfer_rows.write(paths.transfer("rte"), "rte", texts, "")
    return texts


@pytest.fixture
def teach(tiny, head):
    """`teach(task, max_length)` leaves an untrained teacher in the folder and gives it back."""

    def made(task="rte", max_length=16):
        encoder, tokenizer = encoders.load(tiny, 0.3)
        torch.manual_seed(5)
        network = MultiTaskModel(encoder, {task: GLUE[task]}, {task: head})
        weights = saved_model.save(network, tokenizer, FOLDER)
        settings = {"max_length": max_length, "seed": 1}
        manifest = saved_model.manifest("m1", weights, network, {}, settings, "float32")
        artifacts.write_json(
            FOLDER / saved_model.MANIFEST, {**manifest, "dev": {"dev": {"accuracy": 0.5}}}
        )
        return network, tokenizer

    return made


@pytest.mark.parametrize("max_length", [16, 64])
def test_rows_are_scored_at_the_teachers_own_length(further, teach, machine, max_length):
    network, tokenizer = teach(max_length=max_length)
    label.label("rte", "m1", "2", machine)
    row_logits = logits.read(paths.transfer_logits("rte", "m1", "2"))
    tokens = tokenization.tokenise(further.table, tokenizer, max_length)
    expected = scoring.logits(network, "rte", tokens, hardware.set_up(machine), "")
    np.testing.assert_array_equal(row_logits.values, expected)
    assert row_logits.splits == ("transfer",)
    assert row_logits.table["row_id"].to_pylist() == further.table["row_id"].to_pylist()
    assert row_logits.table["text_hash"].to_pylist() == further.table["text_hash"].to_pylist()
    assert row_logits.table["label"].to_pylist() == [None] * 3
    assert row_logits.model == artifacts.read_json(FOLDER / saved_model.MANIFEST)
    assert [file.name for file in OUT.iterdir()] == ["logits.parquet"]


def test_a_task_without_teacher_leaves_a_note(further, machine):
    FOLDER.mkdir(parents=True)
    artifacts.write_json(FOLDER / rows.MISSING, {})
    label.label("rte", "m1", "2", machine)
    note = {"task": "rte", "note": "rte: no teacher, nothing to label"}
    assert [file.name for file in OUT.iterdir()] == [rows.MISSING]
    assert artifacts.read_json(OUT / rows.MISSING) == note


def test_a_task_without_transfer_rows_leaves_a_note(further, teach, machine):
    teach()
    paths.transfer_rows("rte").unlink()
    transfer_rows.write(paths.transfer("rte"), "rte", None, "")
    label.label("rte", "m1", "2", machine)
    note = {"task": "rte", "note": "rte: no transfer rows, nothing to label"}
    assert artifacts.read_json(OUT / rows.MISSING) == note


def test_a_teacher_of_another_task_is_refused_and_earlier_logits_stay(further, teach, machine):
    teach("rte")
    label.label("rte", "m1", "2", machine)
    before = paths.transfer_logits("rte", "m1", "2").read_bytes()
    teach("mrpc")
    with pytest.raises(SavedModelError, match="was not taught rte") as error:
        label.label("rte", "m1", "2", machine)
    assert error.value.fix == "dvc repro teach@rte-m1-2"
    assert paths.transfer_logits("rte", "m1", "2").read_bytes() == before


def test_missing_inputs_are_told(further, machine):
    with pytest.raises(SavedModelError, match="no trained model"):
        label.label("rte", "m1", "2", machine)
    with pytest.raises(DataError, match="no transfer rows"):
        label.label("qqp", "m1", "2", machine)
    assert not OUT.exists()


def test_a_missing_teacher_needs_no_torch(further, tmp_path):
    FOLDER.mkdir(parents=True)
    artifacts.write_json(FOLDER / rows.MISSING, {})
    code = (
        "import sys; from pipeline.teachers import label\n"
        "label.label('rte', 'm1', '2', None)\n"
        "print({'torch', 'transformers'} & set(sys.modules))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout.strip() == "set()"
    assert (OUT / rows.MISSING).exists()
