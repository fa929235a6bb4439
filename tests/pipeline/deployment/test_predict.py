"""A trained model predicts for texts of a user's own what it predicts for them in the pipeline.

Run with: python -m pytest tests/pipeline/deployment/test_predict.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from ruamel.yaml import YAML

from pipeline import paths
from pipeline.deployment import predict as prediction
from pipeline.errors import DataError, SavedModelError
from pipeline.model import encoders, saved_model, scoring, tokenization
from pipeline.model.multitask import MultiTaskModel
from pipeline.runtime import artifacts, hardware
from pipeline.tasks import GLUE
from tests import command_line

ROOT = Path(__file__).resolve().parents[3]
MODEL = Path("data/student")
LINES = 'id\tsentence2\tsentence1\n7\tIt is wet.\tIt "rains".\n8\tDry.\tIt rains all day long.\n'
TEXTS = {
    "sentence1": ['It "rains".', "It rains all day long."],
    "sentence2": ["It is wet.", "Dry."],
}


@pytest.fixture
def model(tmp_path, monkeypatch, tiny, head):
    """An untrained student of three tasks in a project."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(3)
    encoder, tokenizer = encoders.load(tiny, 0.0)
    tasks = {name: GLUE[name] for name in ("rte", "stsb", "cola")}
    network = MultiTaskModel(encoder, tasks, dict.fromkeys(tasks, head))
    weights = saved_model.save(network, tokenizer, MODEL)
    manifest = saved_model.manifest("student", weights, network, {}, {"max_length": 20}, "float32")
    artifacts.write_json(MODEL / saved_model.MANIFEST, manifest)
    return network, tokenizer


def logits(model, task, texts, machine):
    network, tokenizer = model
    tokens = tokenization.tokenise(texts, tokenizer, 20)
    return scoring.logits(network, task, tokens, hardware.set_up(machine), "")


def test_classes_have_names_and_probabilities(model, machine):
    texts = pa.table(TEXTS)
    predictions = prediction.predict(MODEL, "rte", texts, machine)
    expected = logits(model, "rte", texts, machine).astype(np.float64)
    powers = np.exp(expected)
    likely = powers / powers.sum(axis=1, keepdims=True)
    names = np.array(["entailment", "not_entailment"])
    assert list(predictions.columns) == [
        "sentence1",
        "sentence2",
        "prediction",
        "probability_entailment",
        "probability_not_entailment",
    ]
    assert predictions["sentence1"].tolist() == TEXTS["sentence1"]
    assert predictions["prediction"].tolist() == names[expected.argmax(axis=1)].tolist()
    for at, name in enumerate(names):
        np.testing.assert_allclose(predictions[f"probability_{name}"], likely[:, at], atol=1e-6)


def test_a_score_is_cut_to_the_tasks_range(model, machine):
    texts = pa.table(TEXTS)
    predictions = prediction.predict(MODEL, "stsb", texts, machine)
    assert list(predictions.columns) == ["sentence1", "sentence2", "prediction"]
    expected = np.clip(logits(model, "stsb", texts, machine)[:, 0], 0.0, 5.0)
    np.testing.assert_array_equal(predictions["prediction"].to_numpy(), expected)


def test_a_task_of_one_text_needs_one_column(model, machine, defaults):
    Path("texts.tsv").write_text("sentence1\nOne.\nTwo.\n")
    texts = prediction.read(Path("texts.tsv"), "cola", defaults)
    predictions = prediction.predict(MODEL, "cola", texts, machine)
    assert predictions["sentence1"].tolist() == ["One.", "Two."]
    assert list(predictions.columns)[1] == "prediction"


def test_columns_are_found_by_their_names(tmp_path, defaults):
    path = tmp_path / "texts.tsv"
    path.write_text(LINES)
    assert prediction.read(path, "rte", defaults).to_pydict() == TEXTS
    with pytest.raises(DataError, match="sentence1"):
        path.write_text("one\ttwo\na\tb\n")
        prediction.read(path, "rte", defaults)


def test_a_task_of_ones_own_has_columns_of_its_own(tmp_path, defaults):
    path = tmp_path / "texts.tsv"
    path.write_text("body\tsubject\nIt fails.\tHelp\n")
    own = defaults.model_copy(deep=True)
    values = {"sentence1": "subject", "sentence2": "body", "label": "queue", "title": "T"}
    values |= {"labels": ["a", "b"], "metrics": ["accuracy"]}
    known = type(defaults.tasks["rte"]).model_validate(
        {"rows": {"train": None, "dev": None, "test": None}, "custom": values}
    )
    own.tasks["tickets"] = known
    table = prediction.read(path, "tickets", own)
    assert table.to_pydict() == {"sentence1": ["Help"], "sentence2": ["It fails."]}


@pytest.mark.parametrize(
    ("task", "folder", "kind", "message"),
    [
        (
            "mnli",
            MODEL,
            DataError,
            "mnli; it knows cola, rte, stsb",
        ),
        ("rte", Path("data/tuned/rte"), SavedModelError, "no trained model"),
    ],
)
def test_what_cannot_answer_is_named(model, machine, task, folder, kind, message):
    with pytest.raises(kind, match=message):
        prediction.predict(folder, task, pa.table(TEXTS), machine)


def test_files_of_both_kinds(tmp_path):
    answers = pd.DataFrame(
        {
            "sentence1": ['a "b"', "c\r\\d"],
            "prediction": ["x", "y"],
            "probability_x": [0.123456789, 1],
        }
    )
    for name in ("out.tsv", "deeper/out.parquet"):
        prediction.write(tmp_path / name, answers)
    text = (tmp_path / "out.tsv").read_bytes()
    head = b"sentence1\tprediction\tprobability_x\n"
    assert text == head + b'a "b"\tx\t0.123457\nc\r\\d\ty\t1\n'
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "deeper/out.parquet"), answers)
    assert [file.name for file in (tmp_path / "deeper").iterdir()] == ["out.parquet"]
    with pytest.raises(DataError, match=r"end in \.tsv or \.parquet"):
        prediction.write(tmp_path / "out.csv", answers)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder.tsv", r"a folder has this name\n  where: .*folder\.tsv\n"),
        ("file/said.tsv", r"not a folder\n  where: .*file\n"),
        ("file/deeper/said.tsv", r"not a folder\n  where: .*file\n"),
    ],
)
def test_a_place_that_cannot_be_written_to_is_refused(tmp_path, name, message):
    (tmp_path / "folder.tsv").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=message) as error:
        prediction.check_target(tmp_path / name)
    assert "--out" in str(error.value.fix)


def test_a_folder_that_is_not_ones_own_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(DataError, match="no permission to write"):
        prediction.check_target(tmp_path / "new" / "said.tsv")


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "out.tsv"
    path.write_text("old")

    def failing(staging, table):
        staging.write_text("half")
        raise OSError("disk")

    monkeypatch.setitem(prediction._KINDS, ".tsv", failing)
    with pytest.raises(OSError, match="disk"):
        prediction.write(path, pd.DataFrame())
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("out.tsv", "old")]


def test_the_command_line(model, defaults):
    values = YAML(typ="safe").load((ROOT / "profiles" / "sample.yaml").read_text("utf-8"))
    YAML(typ="safe").dump(values, paths.PARAMS)
    Path("texts.tsv").write_text(LINES)
    process = command_line.run("predict", "texts.tsv", "--task", "rte", "--out", "said.tsv")
    assert (process.returncode, process.stdout) == (0, ""), process.stderr
    lines = Path("said.tsv").read_text().splitlines()
    assert len(lines) == 3
    assert lines[1].startswith('It "rains".\tIt is wet.\t')
    Path("empty.tsv").touch()
    for wrong, message in (
        (("gone.tsv", "said.tsv"), "no such file"),
        (("texts.tsv", "x"), "kind"),
        (("texts.tsv", "texts.tsv/said.tsv"), "not a folder"),
        (("empty.tsv", "said.tsv"), "fix: put a header line (sentence1, sentence2) and"),
    ):
        failed = command_line.run("predict", wrong[0], "--task", "rte", "--out", wrong[1])
        assert failed.returncode == 2
        assert failed.stderr.startswith("error: ")
        assert message in failed.stderr
        assert "Traceback" not in failed.stderr
