"""Teacher, ensemble and student answer as the pipeline has them answer, and are timed in turns.

Run with: python -m pytest tests/experiments/test_inference_cost.py
"""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from experiments import inference_cost
from pipeline import paths
from pipeline.data import rows
from pipeline.errors import DataError, SavedModelError
from pipeline.model import encoders, saved_model, scoring, tokenization
from pipeline.model.multitask import MultiTaskModel
from pipeline.runtime import artifacts, hardware
from pipeline.soft_labels import logits, store
from pipeline.tasks import GLUE
from tests.pipeline.conftest import make_rows

FOLDS = ("1", "2")
TEXTS = {
    "train": [("aaaa", "bb", 0), ("c", "dddd", 1)],
    "dev": [("one", "two", 1), ("three", "four", 0), ("five", "six", 1), ("seven", "eight", 0)],
}
SCORES = {"teachers": {"m1": {"score": 50.0}}, "ensemble": {"score": 60}, "student": {"score": 55}}


@pytest.fixture
def put(tiny_params):
    """`put(folder, name, seed)` leaves an untrained model of RTE and gives it back."""

    def made(folder, name, seed):
        torch.manual_seed(seed)
        encoder, tokenizer = encoders.load(tiny_params.student.encoder, 0.0)
        heads = {"rte": tiny_params.student.head}
        network = MultiTaskModel(encoder, {"rte": GLUE["rte"]}, heads)
        with torch.no_grad():  # far apart, so that a mean of logits is not one of probabilities
            for weight in network.heads.parameters():
                weight.copy_(torch.randn_like(weight) * 3)
        weights = saved_model.save(network, tokenizer, folder)
        manifest = saved_model.manifest(name, weights, network, {}, {"max_length": 16}, "float32")
        artifacts.write_json(folder / saved_model.MANIFEST, manifest)
        return network, tokenizer

    return made


@pytest.fixture
def params(tmp_path, monkeypatch, tiny_params, put):
    """A project with two members of two folds each, and a student."""
    monkeypatch.chdir(tmp_path)
    splits = {split: make_rows(GLUE["rte"], split, texts) for split, texts in TEXTS.items()}
    for split, split_rows in splits.items():
        rows.write(
            paths.prepared("rte") / f"{split}.parquet", split_rows.table, split_rows.metadata
        )
    known = {}
    for number, member in enumerate(("m1", "m2")):
        for fold in FOLDS:
            put(paths.teacher("rte", member, fold), member, 10 * number + int(fold))
        zeros = {split: np.zeros((len(split_rows), 2)) for split, split_rows in splits.items()}
        manifest = {"name": member, "dev": {}, "folds": list(FOLDS), "by_fold": {}}
        logits.write(tmp_path / f"{member}.parquet", splits, zeros, manifest)
        known[member] = logits.read(tmp_path / f"{member}.parquet")
    store.write(paths.soft_labels("rte"), splits, known, "mean_probability")
    put(paths.STUDENT, "student", 99)
    artifacts.write_json(paths.METRICS, {"tasks": {"rte": SCORES}})
    only = {"rte": tiny_params.teachers.tasks["rte"]}
    teachers = tiny_params.teachers.model_copy(update={"tasks": only})
    return tiny_params.model_copy(update={"teachers": teachers})


def softmax(values):
    powers = np.exp(values.astype(np.float64))
    return powers / powers.sum(axis=1, keepdims=True)


def answers(folder, split_rows, machine):
    model = saved_model.load(folder)
    tokens = tokenization.tokenise(split_rows, model.tokenizer, 16)
    return scoring.logits(model.network, "rte", tokens, machine, "")


def test_members_are_means_over_folds_and_combined_by_the_rule(params):
    machine, dev = (
        hardware.set_up(params.machine),
        rows.read_splits(paths.prepared("rte"))["dev"],
    )
    teacher, whole, student = inference_cost._systems("rte", SCORES)
    first, second = (
        np.mean(
            [answers(paths.teacher("rte", member, f), dev, machine) for f in FOLDS],
            axis=0,
        )
        for member in ("m1", "m2")
    )
    np.testing.assert_allclose(teacher.predict(dev, machine), softmax(first), atol=1e-6)
    expected = (softmax(first) + softmax(second)) / 2
    np.testing.assert_allclose(whole.predict(dev, machine), expected, atol=1e-6)
    assert np.abs(expected - softmax((first + second) / 2)).max() > 0.01
    alone = softmax(answers(paths.STUDENT, dev, machine))
    np.testing.assert_allclose(student.predict(dev, machine), alone, atol=1e-6)


def test_the_table_has_scores_parameters_and_seconds(params, monkeypatch):
    """Four dev rows; the teacher takes 1 s, the ensemble 4, the student 2, in both rounds."""
    seconds = itertools.cycle([0.0, 1.0, 1.0, 5.0, 5.0, 7.0])
    monkeypatch.setattr(inference_cost, "time", SimpleNamespace(perf_counter=lambda: next(seconds)))
    one = saved_model.read_manifest(paths.STUDENT)["parameters"] / 1e6
    lines = inference_cost.run(params, repeats=2)
    assert lines[2:5] == [
        f"| RTE | teacher m1 | 50.0 | {2 * one:.2f} | 250.0 (250.0 to 250.0) | 0.25 |",
        f"| RTE | ensemble | 60.0 | {4 * one:.2f} | 1000.0 (1000.0 to 1000.0) | 1.00 |",
        f"| RTE | student | 55.0 | {one:.2f} | 500.0 (500.0 to 500.0) | 0.50 |",
    ]
    assert lines[-1].startswith("Median of 2 rounds and range; cpu")


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        (paths.METRICS, DataError, "make repro"),
        (paths.STUDENT / saved_model.MANIFEST, SavedModelError, "no trained model"),
    ],
)
def test_what_is_missing_is_named(params, path, kind, message):
    path.unlink()
    with pytest.raises(kind, match=message):
        inference_cost.run(params, repeats=1)


@pytest.mark.parametrize("without", ["m1", "student", "rte"])
def test_scores_of_other_models_are_not_told(params, without):
    scores = {name: known for name, known in SCORES.items() if name != without}
    scores["teachers"] = {} if without == "m1" else SCORES["teachers"]
    tasks = {} if without == "rte" else {"rte": scores}
    artifacts.write_json(paths.METRICS, {"tasks": tasks})
    with pytest.raises(DataError, match="scores are of other models"):
        inference_cost.run(params, repeats=1)
