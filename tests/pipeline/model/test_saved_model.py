"""A model on disk opens again as it was saved, or not at all.

Run with: python -m pytest tests/pipeline/model/test_saved_model.py
"""

from __future__ import annotations

import json

import pytest
import torch

from pipeline.errors import SavedModelError
from pipeline.model import encoders, saved_model, tokenization
from pipeline.model.multitask import MultiTaskModel
from pipeline.params.heads.linear import LinearHead
from pipeline.params.heads.ranking import RankingHead
from pipeline.params.heads.san import SanHead
from pipeline.runtime import artifacts
from pipeline.tasks import GLUE, Task

MEAN = LinearHead(kind="linear", pooling="mean", dropout=0.25)
POOLER = LinearHead(kind="linear", pooling="pooler", dropout=0.0)
SAN = SanHead(kind="san", steps=2, dropout=0.1, prediction_dropout=0.1)
RANKING = RankingHead(kind="ranking", pooling="cls", dropout=0.0, negatives=2, gamma=1, weight=0.5)
OWN = Task("values", "Own", ("a", "b", "c"), ("accuracy",), {}, pair=False, glue=False)
SCORES = Task("own", "Own", (), ("pearson",), {}, low=-1.0, high=1.0, glue=False)
CASES = {
    "one task": {"rte": (GLUE["rte"], MEAN)},
    "pooler": {"rte": (GLUE["rte"], POOLER), "cola": (GLUE["cola"], MEAN)},
    "own tasks": {"values": (OWN, MEAN), "own": (SCORES, MEAN)},
    "kinds": {"mnli": (GLUE["mnli"], SAN), "qnli": (GLUE["qnli"], RANKING)},
}


@pytest.fixture
def save(tiny, tmp_path):
    """`save({task: (task, head)})` saves a model; gives folder, network, manifest."""

    def made(tasks):
        encoder, tokenizer = encoders.load(tiny, 0.1)
        known = {name: task for name, (task, _) in tasks.items()}
        heads = {name: head for name, (_, head) in tasks.items()}
        torch.manual_seed(3)
        network = MultiTaskModel(encoder, known, heads)
        folder = tmp_path / "model"
        weights = saved_model.save(network, tokenizer, folder)
        manifest = saved_model.manifest("m1", weights, network, {}, {"max_length": 32}, "float32")
        artifacts.write_json(folder / saved_model.MANIFEST, manifest)
        return folder, network, manifest

    return made


@pytest.mark.parametrize("tasks", CASES.values(), ids=CASES)
def test_a_loaded_model_says_what_the_saved_one_said(save, make, tasks):
    folder, network, manifest = save(tasks)
    loaded = saved_model.load(folder)
    torch.testing.assert_close(
        loaded.network.state_dict(), network.state_dict(), rtol=0, atol=0, check_stride=False
    )
    tokens = tokenization.tokenise(
        make("rte", "dev", [("a b", "c", 0)] * 2).table, loaded.tokenizer, 32
    )
    inputs = {key: torch.from_numpy(array) for key, array in tokens.batch([0, 1]).items()}
    for name in tasks:
        with torch.inference_mode():
            logits, expected = (each.eval()(name, inputs) for each in (loaded.network, network))
        torch.testing.assert_close(logits, expected, rtol=0, atol=0)
    assert loaded.manifest == manifest == artifacts.read_json(folder / saved_model.MANIFEST)
    assert loaded.network.head_settings == {name: head for name, (_, head) in tasks.items()}


@pytest.mark.parametrize("tasks", CASES.values(), ids=CASES)
def test_tasks_come_back_but_for_their_row_counts(save, tasks):
    loaded_tasks = saved_model.load(save(tasks)[0]).network.tasks
    names = ("name", "title", "labels", "metrics", "pair", "low", "high", "glue")
    for name, (task, _) in tasks.items():
        assert [getattr(loaded_tasks[name], key) for key in names] == [
            getattr(task, key) for key in names
        ]


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_dropout_of_the_encoder_is_the_callers_and_of_the_heads_the_cards(save, dropout):
    network = saved_model.load(save(CASES["one task"])[0], dropout).network
    assert network.encoder.config.hidden_dropout_prob == dropout
    assert network.encoder.embeddings.dropout.p == dropout
    assert network.head("rte").dropout.p == 0.25


def test_loading_draws_no_global_random_numbers(save):
    folder, *_ = save(CASES["kinds"])
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    saved_model.load(folder)
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)


def edit_manifest(folder, **changes):
    manifest = artifacts.read_json(folder / saved_model.MANIFEST)
    (folder / saved_model.MANIFEST).write_text(json.dumps({**manifest, **changes}))


def flip(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


WEIGHTS = f"{saved_model.ENCODER}/model.safetensors"
FAULTS = {
    "no manifest": (lambda f: (f / saved_model.MANIFEST).unlink(), "no trained model"),
    "manifest cut short": (
        lambda f: (f / saved_model.MANIFEST).write_text("{"),
        "manifest is not JSON",
    ),
    "manifest of another kind": (
        lambda f: (f / saved_model.MANIFEST).write_text("[]"),
        "not a JSON object",
    ),
    "no encoder": (lambda f: (f / WEIGHTS).unlink(), "a file of the trained model is missing"),
    "no heads": (lambda f: (f / saved_model.HEADS).unlink(), "a file of the trained model"),
    "other encoder": (lambda f: flip(f / WEIGHTS), "not those that the model's manifest names"),
    "other heads": (
        lambda f: flip(f / saved_model.HEADS),
        "not those that the model's manifest names",
    ),
    "other hash": (
        lambda f: edit_manifest(f, weights_sha256="0"),
        "not those that the model's manifest",
    ),
    "no tasks": (lambda f: edit_manifest(f, tasks=None), "lacks tasks or heads"),
    "no head kinds": (lambda f: edit_manifest(f, training={}), "lacks tasks or heads"),
    "unknown head": (
        lambda f: edit_manifest(f, training={"heads": {"rte": {"kind": "new"}}}),
        "lacks tasks or heads",
    ),
    "head of another task": (
        lambda f: edit_manifest(
            f,
            tasks={"cola": {**artifacts.read_json(f / saved_model.MANIFEST)["tasks"]["rte"]}},
            training={"heads": {"cola": MEAN.model_dump(mode="json")}},
        ),
        "heads' weights do not fit",
    ),
}


@pytest.mark.parametrize(("damage", "message"), FAULTS.values(), ids=FAULTS)
def test_a_folder_that_is_not_whole_is_refused(save, damage, message):
    folder, *_ = save(CASES["one task"])
    damage(folder)
    with pytest.raises(SavedModelError, match=message) as error:
        saved_model.load(folder)
    assert error.value.fix == "name another folder, or run the stage that makes this one again"
