"""From an initial encoder to a saved, scored model: files, manifest, order and repeatability.

Run with: python -m pytest tests/pipeline/training/test_finetune.py
"""

from __future__ import annotations

import itertools
import re
import resource
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from pipeline import paths
from pipeline.model import encoders, saved_model
from pipeline.params.distillation import Distillation
from pipeline.params.losses.cross_entropy import CrossEntropy
from pipeline.runtime import artifacts
from pipeline.runtime.artifact_lock import StagingFolder
from pipeline.soft_labels import logits
from pipeline.training import trainer
from pipeline.training.finetune import fine_tune, fine_tune_further
from pipeline.training.recipe import LoadedEncoder, Recipe

pytestmark = pytest.mark.medium

ROOT = Path(__file__).resolve().parents[3]
RTE = [("aaaa", "bb", 0), ("cc", "dddd", 1)] * 8
STSB = [("aaaa", "bb", 5.0), ("cc", "dddd", 1.0)] * 8


def distilled_by(hard_weight):
    return Distillation(
        hard_weight=hard_weight,
        temperature=1.0,
        loss=CrossEntropy(kind="cross_entropy"),
        scale=1.0,
        label_smoothing=0.0,
        features=None,
    )


@pytest.fixture
def rows(make):
    return {"rte": make("rte", "train", RTE), "stsb": make("stsb", "train", STSB)}


@pytest.fixture
def make_staging(tmp_path):
    """`make_staging(name)` gives an empty folder of that name to train into."""

    def build(name):
        (tmp_path / name).mkdir()
        return StagingFolder(name, tmp_path / name, tmp_path / name, tmp_path / f"{name}.csv")

    return build


@pytest.fixture
def fit(make_staging, tiny, head, settings, machine, rows):
    """`fit(name, targets, distillation, dev)` trains two tasks into a folder of that name."""

    def run(name, targets=None, distillation=None, dev=None):
        heads = dict.fromkeys(rows, head)
        recipe = Recipe(name, name, heads, 0.1, settings, 7, distillation=distillation)
        opened = LoadedEncoder(*encoders.load(tiny, 0.1), encoders.describe(tiny))
        staging = make_staging(name)
        model = fine_tune(staging, recipe, rows, opened, machine, targets or {}, dev=dev or {})
        return staging.folder, model

    return run


def test_weights_open_with_transformers_and_the_manifest_says_what_they_are(fit):
    from transformers import AutoModel, AutoTokenizer

    folder, model = fit("student")
    encoder = AutoModel.from_pretrained(folder / saved_model.ENCODER, add_pooling_layer=False)
    torch.testing.assert_close(encoder.state_dict(), model.network.encoder.state_dict())
    assert AutoTokenizer.from_pretrained(folder / saved_model.ENCODER)("a cat")["input_ids"]
    assert load_file(folder / saved_model.HEADS)["head_stsb.linear.weight"].shape == (1, 8)
    assert model.manifest["weights_sha256"] == saved_model.weights_sha256(folder)
    assert model.manifest["parameters"] == model.network.parameter_count()
    assert model.manifest["encoder"]["source"] == "random"
    assert model.manifest["training"]["seed"] == 7
    # Two tasks of 16 rows in batches of four, for two epochs.
    counts = {name: model.manifest["trained"][name] for name in ("steps", "epochs", "rows")}
    assert counts == {"steps": 16, "epochs": 2, "rows": 64}
    assert model.manifest["held_out"] is None
    schema = (ROOT / "docs" / "reference" / "soft-labels.md").read_text(encoding="utf-8")
    assert [key for key in model.manifest if f"`{key}`" not in schema] == []


def test_no_file_names_the_machine_it_was_made_on(fit, tmp_path):
    folder, _ = fit("student")
    for file in folder.rglob("*.json"):
        assert str(tmp_path) not in file.read_text()


def test_twice_the_same_gives_the_same_bytes(fit):
    first, again = fit("a")[0], fit("b")[0]
    files = [path.relative_to(first) for path in first.rglob("*") if path.is_file()]
    assert len(files) >= 5
    for file in files:
        assert artifacts.sha256(first / file) == artifacts.sha256(again / file), file


def test_with_hard_weight_1_soft_targets_change_nothing(fit):
    """Student and baseline share first weights, batches and dropout masks."""
    targets = {"rte": np.full((16, 2), 0.5, np.float32)}
    distilled, _ = fit("student", targets, distilled_by(1.0))
    baseline, _ = fit("baseline")
    assert saved_model.weights_sha256(distilled) == saved_model.weights_sha256(baseline)


def test_soft_targets_change_the_student(fit):
    targets = {"rte": np.tile(np.float32([0.2, 0.8]), (16, 1))}
    distilled, _ = fit("student", targets, distilled_by(0.5))
    baseline, _ = fit("baseline")
    assert saved_model.weights_sha256(distilled) != saved_model.weights_sha256(baseline)


def test_scores_are_written_with_dev_metrics(fit, make, tmp_path):
    _, model = fit("student")
    splits = {"dev": make("stsb", "dev", STSB), "test": make("stsb", "test", [("a", "b", None)])}
    manifest = model.score(splits, tmp_path / "stsb.parquet")
    written = logits.read(tmp_path / "stsb.parquet")
    assert set(manifest["dev"]["dev"]) == {"pearson", "spearman"}
    assert written.table["row_id"].to_pylist()[-1] == "stsb/test/0"
    assert written.values.shape == (17, 1)
    assert written.metadata["model"]["weights_sha256"] == manifest["weights_sha256"]


def test_a_regression_head_starts_at_the_mean_of_its_rows(fit):
    _, model = fit("student")
    assert model.network.head("stsb").linear.bias.item() == pytest.approx(3.0, abs=0.1)


def test_dev_rows_with_a_label_choose_the_epoch_that_is_kept(fit, make, rows, settings, capsys):
    dev = {"dev": make("rte", "dev", [("aaaa", "bb", 0), ("cc", "dddd", None)])}
    _, model = fit("student", dev={"rte": dev})
    assert model.manifest["training"]["best_epoch"] == ["rte"]
    assert model.manifest["best_epoch"]["rows"] == 1
    assert model.manifest["held_out"] is None
    assert model.manifest["trained"]["rows"] == sum(map(len, rows.values())) * settings.epochs
    err = capsys.readouterr().err
    assert re.search(r"epoch 1: [01]\.0000 on dev rows, the best", err)  # one row: none or all
    assert "student: kept epoch" in err


def test_training_goes_on_where_a_saved_model_stopped(fit, make_staging, rows, machine):
    folder, model = fit("student")
    artifacts.write_json(folder / saved_model.MANIFEST, model.manifest)
    loaded = saved_model.load(folder, 0.1)
    before = loaded.network.head("rte").linear.weight.clone()
    torch.testing.assert_close(before, model.network.head("rte").linear.weight)
    again = fine_tune_further(make_staging("further"), model.recipe, rows, loaded, machine)
    origin = {"source": "model", "model": "student"}
    weights = model.manifest["weights_sha256"]
    assert again.manifest["encoder"] == {**origin, "weights_sha256": weights}
    assert again.manifest["weights_sha256"] != weights


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs a limit on file sizes")
def test_a_disk_that_fills_while_weights_are_saved_is_a_system_error(fit, tmp_path):
    """The writer's own exception is no OSError and would end in a traceback."""
    _, model = fit("student")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            saved_model.save(model.network, model.tokenizer, tmp_path / "full")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.fixture
def key(make_staging, tiny, head, settings, machine, rows, monkeypatch):
    """`key(targets, hardware changes, recipe changes)` gives what names the run's checkpoints."""
    names = itertools.count()

    def build(targets=None, device=None, encoder=tiny, texts=rows, dev=None, **changes):
        heads, keys = dict.fromkeys(rows, head), []
        given = {"name": "a", "dropout": 0.1, "settings": settings, "seed": 7} | changes
        with monkeypatch.context() as patch:
            patch.setattr(trainer, "train", lambda *_: {})
            patch.setattr(paths, "checkpoints", lambda _, key: keys.append(key) or Path(key))
            recipe = Recipe(title="a", heads=heads, **given)
            opened = LoadedEncoder(
                *encoders.load(encoder, given["dropout"]), encoders.describe(encoder)
            )
            used = machine.model_copy(update=device or {})
            staging = make_staging(str(next(names)))
            fine_tune(staging, recipe, texts, opened, used, targets or {}, dev=dev or {})
        return keys[0]

    return build


def test_whatever_decides_the_result_names_the_checkpoints(key, settings, tiny, make, rows):
    targets = {"rte": np.full((16, 2), 0.5, np.float32)}
    other = make("rte", "train", [("aaaa", "bc", 0), *RTE[1:]])
    keys = [
        key(),
        key(targets),
        key({"rte": targets["rte"] * 1.5}),
        key(device={"shards": 2}),
        key(device={"engine": "plain"}),
        key(device={"precision": "bfloat16"}),
        key(device={"labelling_tokens": 1024}),  # early stopping scores rows
        key(encoder=tiny.model_copy(update={"seed": 1})),
        key(texts={**rows, "rte": other}),
        key(dev={"rte": {"dev": rows["rte"]}}),
        key(dev={"rte": {"dev": other}}),
        key(name="b"),
        key(dropout=0.2),
        key(seed=8),
        key(settings=settings.model_copy(update={"learning_rate": 2e-3})),
        key(task_weights={"rte": 2.0}),
        key(distillation=distilled_by(0.5)),
    ]
    assert len(set(keys)) == len(keys)


def test_what_decides_nothing_does_not(key, tmp_path, monkeypatch):
    before = key()
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    changes = {"threads": 2, "checkpoint_seconds": 0}
    assert key(device=changes) == before
