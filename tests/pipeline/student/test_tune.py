"""The student fine-tuned on one task: where it starts, what it keeps, what it leaves.

Run with: python -m pytest tests/pipeline/student/test_tune.py
"""

from __future__ import annotations

import pytest
import torch

from pipeline import paths
from pipeline.data import rows
from pipeline.data.prepared import read_prepared, train_rows
from pipeline.errors import DataError, SavedModelError
from pipeline.model import saved_model
from pipeline.params.heads.linear import LinearHead
from pipeline.params.sections import Overrides
from pipeline.runtime import artifacts
from pipeline.soft_labels import logits
from pipeline.student import train as student
from pipeline.student import tune

RTE = [("a b", "c", 0), ("d", "e f", 1)] * 6
STSB = [("a b", "c", 4.0), ("d", "e f", 1.0)] * 6


@pytest.fixture
def params(tiny_params):
    """The tiny profile; the student's head for rte pools otherwise than that for stsb."""
    cls = LinearHead(kind="linear", pooling="cls", dropout=0.0)
    heads = {"heads": {"rte": cls}, "dropout": 0.2}
    short = {"epochs": 1, "batch_size": 8, "max_length": 32, "seed": 3}
    return tiny_params.model_copy(
        update={
            "student": tiny_params.student.model_copy(update=heads),
            "tuning": tiny_params.tuning.model_copy(
                update={**short, "tasks": {"rte": Overrides(epochs=2), "stsb": Overrides()}}
            ),
        }
    )


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch, make, params):
    """A folder with prepared rows of rte and stsb, and a student of both."""
    monkeypatch.chdir(tmp_path)
    for task, examples in {"rte": RTE, "stsb": STSB}.items():
        for split, split_examples in {"train": examples, "dev": examples[:4]}.items():
            split_rows = make(task, split, split_examples)
            rows.write(
                paths.prepared(task) / f"{split}.parquet", split_rows.table, split_rows.metadata
            )
    prepared = read_prepared(params)
    student.train(paths.STUDENT, params, prepared, train_rows(prepared))


def manifest(task="rte"):
    return artifacts.read_json(paths.tuned(task) / saved_model.MANIFEST)


def test_it_starts_from_the_student_with_its_head(params, monkeypatch):
    arguments = {}

    def look(folder, recipe, train, loaded, machine):
        arguments.update(network=loaded.network, train=train, recipe=recipe)
        raise InterruptedError

    monkeypatch.setattr(tune, "fine_tune_further", look)
    with pytest.raises(InterruptedError):
        tune.tune("rte", params)
    whole = saved_model.load(paths.STUDENT).network
    network = arguments["network"]
    torch.testing.assert_close(network.encoder.state_dict(), whole.encoder.state_dict())
    torch.testing.assert_close(network.head("rte").state_dict(), whole.head("rte").state_dict())
    assert list(network.tasks) == list(network.head_settings) == ["rte"]
    assert network.encoder.config.hidden_dropout_prob == 0.2
    assert arguments["recipe"].distillation is None
    assert len(arguments["train"]["rte"]) == 12
    assert not paths.tuned("rte").exists()


def test_it_learns_and_scores_held_out_rows(params):
    tune.tune("rte", params)
    written = logits.read(paths.tuned_logits("rte"))
    assert (written.splits, written.values.shape) == (("dev",), (4, 2))
    assert manifest() == written.metadata["model"]
    assert set(manifest()["dev"]["dev"]) == {"accuracy"}
    before = saved_model.load(paths.STUDENT).network.encoder.state_dict()
    after = saved_model.load(paths.tuned("rte")).network.encoder.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_the_manifest_says_where_it_started_and_how_it_was_trained(params):
    tune.tune("rte", params)
    student_manifest = artifacts.read_json(paths.STUDENT / saved_model.MANIFEST)
    assert manifest()["encoder"]["weights_sha256"] == student_manifest["weights_sha256"]
    training = manifest()["training"]
    settings = {name: training[name] for name in ("epochs", "batch_size", "dropout", "seed")}
    assert settings == {"epochs": 2, "batch_size": 8, "dropout": 0.2, "seed": 3}
    assert list(training["heads"]) == list(manifest()["tasks"]) == ["rte"]
    assert training["heads"]["rte"]["pooling"] == "cls"


def test_with_a_rate_of_almost_nothing_it_stays_the_student(params):
    still = params.tuning.model_copy(update={"learning_rate": 1e-12, "weight_decay": 0.0})
    for task in ("rte", "stsb"):
        tune.tune(task, params.model_copy(update={"tuning": still}))
        of_student = logits.read(paths.task_logits(paths.STUDENT, task)).values
        tuned = logits.read(paths.tuned_logits(task)).values
        assert tuned == pytest.approx(of_student, abs=1e-6), task


def test_twice_the_same_gives_the_same_bytes(params):
    hashes = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        tune.tune("stsb", params)
        files = sorted(path for path in paths.tuned("stsb").rglob("*") if path.is_file())
        hashes.append({str(path): artifacts.sha256(path) for path in files})
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) >= 6


def test_without_held_out_rows_there_is_a_model_and_no_logits(params):
    (paths.prepared("rte") / "dev.parquet").unlink()
    tune.tune("rte", params)
    assert manifest()["dev"] == {}
    assert not paths.tuned_logits("rte").exists()


def test_a_task_that_the_source_lacks_gets_a_note(params, capsys):
    for file in paths.prepared("rte").iterdir():
        file.unlink()
    artifacts.write_json(paths.prepared("rte") / rows.MISSING, {"task": "rte"})
    tune.tune("rte", params)
    assert [file.name for file in paths.tuned("rte").iterdir()] == [rows.MISSING]
    assert "no tuned student" in capsys.readouterr().err


def test_a_student_that_never_learnt_the_task_is_refused(params):
    prepared = {"rte": read_prepared(params)["rte"]}
    student.train(paths.STUDENT, params, prepared, train_rows(prepared))
    with pytest.raises(SavedModelError, match=r"no head for stsb(.|\n)*dvc repro distil"):
        tune.tune("stsb", params)


def test_without_a_student_the_error_names_its_folder(params):
    (paths.STUDENT / saved_model.MANIFEST).unlink()
    with pytest.raises(SavedModelError, match="data/student"):
        tune.tune("rte", params)


def test_without_prepared_rows_the_error_names_the_stage(params):
    for file in paths.prepared("rte").iterdir():
        file.unlink()
    paths.prepared("rte").rmdir()
    with pytest.raises(DataError, match="dvc repro prepare@rte"):
        tune.tune("rte", params)
    assert not paths.tuned("rte").exists()
