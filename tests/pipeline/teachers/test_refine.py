"""A candidate's folder: settings, weights, and dev metrics of every task.

Run with: python -m pytest tests/pipeline/teachers/test_refine.py
"""

from __future__ import annotations

import pytest

from pipeline import paths
from pipeline.data import rows
from pipeline.errors import DataError
from pipeline.model import saved_model
from pipeline.params.heads.linear import LinearHead
from pipeline.params.sections import Member, Variant
from pipeline.runtime import artifacts
from pipeline.soft_labels import logits
from pipeline.teachers import initial_encoder, refine, select

RTE = [("a b", "c", 0), ("d", "e f", 1)] * 6
STSB = [("a b", "c", 4.0), ("d", "e f", 1.0)] * 6


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch, make):
    """A folder with prepared rows of rte and stsb."""
    monkeypatch.chdir(tmp_path)
    for task, examples in {"rte": RTE, "stsb": STSB}.items():
        unlabelled = [(first, second, None) for first, second, _ in examples[:2]]
        for split, split_examples in {
            "train": examples,
            "dev": examples[:4],
            "test": unlabelled,
        }.items():
            split_rows = make(task, split, split_examples)
            rows.write(
                paths.prepared(task) / f"{split}.parquet", split_rows.table, split_rows.metadata
            )


@pytest.fixture
def params(tiny_params, tiny):
    """`params(c1=Variant(...))` gives the tiny profile with candidates, selected by stsb."""

    def build(**candidates):
        short = {"epochs": 1, "batch_size": 8, "max_length": 32, "encoder": tiny}
        section = {**short, "candidates": candidates}
        refined = tiny_params.refinement.model_copy(update=section)
        chosen = tiny_params.selection.model_copy(update={"top": 1, "tasks": ["stsb"]})
        return tiny_params.model_copy(update={"refinement": refined, "selection": chosen})

    return build


def manifest(candidate="c1"):
    return artifacts.read_json(paths.refined(candidate) / saved_model.MANIFEST)


def test_a_candidate_learns_all_tasks_and_tells_their_dev_metrics(params):
    refine.refine("c1", params(c1=Variant(seed=1)))
    written_manifest = manifest()
    assert written_manifest["name"] == "c1"
    assert written_manifest["training"]["soft_labels"] == []
    assert set(written_manifest["dev"]["rte"]["dev"]) == {"accuracy"}
    assert set(written_manifest["dev"]["stsb"]["dev"]) == {"pearson", "spearman"}
    loaded = saved_model.load(paths.refined("c1"))
    assert set(loaded.network.tasks) == {"rte", "stsb"}


def test_test_rows_are_left_alone(params):
    refine.refine("c1", params(c1=Variant(seed=1)))
    scored = logits.read(paths.task_logits(paths.refined("c1"), "rte"))
    assert scored.splits == ("dev",)


def test_a_candidate_changes_the_sections_settings(params, tiny):
    own = Variant(seed=5, epochs=2, dropout=0.3, encoder=tiny.model_copy(update={"seed": 8}))
    refine.refine("c1", params(c1=own))
    training = manifest()["training"]
    settings = {name: training[name] for name in ("epochs", "batch_size", "dropout", "seed")}
    assert settings == {"epochs": 2, "batch_size": 8, "dropout": 0.3, "seed": 5}
    assert manifest()["encoder"]["seed"] == 8


def test_heads_and_sampling_are_the_sections(params):
    cls = LinearHead(kind="linear", pooling="cls", dropout=0.2)
    chosen = params(c1=Variant(seed=1))
    section = chosen.refinement.model_copy(update={"heads": {"rte": cls}})
    refine.refine("c1", chosen.model_copy(update={"refinement": section}))
    training = manifest()["training"]
    assert training["heads"]["rte"]["pooling"] == "cls"
    assert training["heads"]["stsb"]["pooling"] == section.head.pooling == "mean"
    assert training["sampling"] == {"kind": "merged", "passes": "auto"}


def test_twice_the_same_gives_the_same_bytes_and_another_seed_does_not(params):
    chosen = params(c1=Variant(seed=1), c2=Variant(seed=2))
    hashes = []
    for name in ("c1", "c1", "c2"):
        refine.refine(name, chosen)
        folder = paths.refined(name)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        hashes.append({str(path.relative_to(folder)): artifacts.sha256(path) for path in files})
    assert hashes[0] == hashes[1]
    assert hashes[0]["encoder/model.safetensors"] != hashes[2]["encoder/model.safetensors"]


def test_a_task_that_decides_without_dev_rows_is_refused_before_training(params):
    (paths.prepared("stsb") / "dev.parquet").unlink()
    with pytest.raises(DataError, match="cannot be selected by stsb"):
        refine.refine("c1", params(c1=Variant(seed=1)))
    assert not paths.refined("c1").exists()


def test_another_task_without_dev_rows_is_trained_on_but_not_scored(params):
    (paths.prepared("rte") / "dev.parquet").unlink()
    refine.refine("c1", params(c1=Variant(seed=1)))
    assert set(manifest()["dev"]) == {"stsb"}
    assert set(manifest()["tasks"]) == {"rte", "stsb"}


def test_a_task_that_the_source_lacks_is_left_out(params, capsys):
    for file in paths.prepared("rte").iterdir():
        file.unlink()
    artifacts.write_json(paths.prepared("rte") / rows.MISSING, {"task": "rte"})
    refine.refine("c1", params(c1=Variant(seed=1)))
    assert "rte: no train rows at the source" in capsys.readouterr().err
    assert set(manifest()["tasks"]) == {"stsb"}


def test_the_best_candidates_encoder_is_what_a_member_starts_from(params, tiny_params):
    chosen = params(c1=Variant(seed=1), c2=Variant(seed=2))
    for name in ("c1", "c2"):
        refine.refine(name, chosen)
    best = select.select(chosen)[0].name
    members = {"members": {"m1": Member(seed=1, refined=1)}}
    teachers = tiny_params.teachers.model_copy(update=members)
    initial_encoder.write("m1", chosen.model_copy(update={"teachers": teachers}))
    encoder, tokenizer = initial_encoder.load(paths.initial_encoder("m1"), 0.0)
    trained = saved_model.load(paths.refined(best)).network.encoder
    assert {name: weight.tolist() for name, weight in encoder.state_dict().items()} == {
        name: weight.tolist() for name, weight in trained.state_dict().items()
    }
    assert tokenizer("a b")["input_ids"]
