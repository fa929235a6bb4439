"""Contestants do the same work: rows, epochs, model and first weights.

Run with: python -m pytest tests/benchmarks/test_contestants.py
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch
from torch import nn

from benchmarks import models, rounds, workload
from benchmarks.contestants import NAMES, __main__, ours
from benchmarks.job import Job
from pipeline.errors import PipelineError

pytestmark = pytest.mark.medium

OTHERS = {
    "trainer_padded": "accelerate",
    "trainer_grouped": "accelerate",
    "textbrewer_live": "textbrewer",
    "textbrewer_cached": "textbrewer",
}
TRAINERS = ["ours", *(name for name in OTHERS if name.startswith("trainer"))]
DISTILLERS = ["ours_distilling", *(name for name in OTHERS if name.startswith("textbrewer"))]


@contextmanager
def watched(monkeypatch):
    """Count the rows that reach a model's embeddings, by width of model and whether it trains."""
    rows_by_model: dict[tuple[int, bool], Counter] = {}
    call = nn.Module.__call__

    def counting(module, *args, **kwargs):
        if type(module).__name__ == "BertEmbeddings":
            ids = args[0] if args else kwargs["input_ids"]
            kind = (module.word_embeddings.embedding_dim, module.training)
            rows = (tuple(x for x in row if x) for row in ids.tolist())
            rows_by_model.setdefault(kind, Counter()).update(rows)
        return call(module, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(nn.Module, "__call__", counting)
        yield rows_by_model


def prepared(name, job):
    if name in OTHERS:
        pytest.importorskip(OTHERS[name], reason="make bench installs it", exc_type=ImportError)
    return __main__.prepare(replace(job, contestant=name))


def expected(job, times):
    tokens = workload.of(job).tokens
    return Counter(
        {
            tuple(tokens.ids[tokens.offsets[n] : tokens.offsets[n + 1]].tolist()): times
            for n in range(job.rows)
        }
    )


@pytest.mark.parametrize("name", TRAINERS)
def test_every_row_is_trained_on_once_an_epoch(name, job, state, monkeypatch) -> None:
    contestant = prepared(name, job)
    with watched(monkeypatch) as rows_by_model:
        reading = __main__.measure(contestant)
    assert rows_by_model == {(64, True): expected(job, job.epochs)}
    assert reading["examples"] == 24
    assert reading["cpu_seconds"] > 0


@pytest.mark.parametrize(
    ("name", "labelled"), [("ours_distilling", 3), ("textbrewer_live", 6), ("textbrewer_cached", 3)]
)
def test_teachers_run_once_or_in_every_epoch(name, labelled, job, state, monkeypatch) -> None:
    """Three teachers, two epochs; the teachers are in evaluation mode, the student is not."""
    contestant = prepared(name, job)
    with watched(monkeypatch) as rows_by_model:
        contestant.run()
    assert rows_by_model == {(64, True): expected(job, 2), (384, False): expected(job, labelled)}


@pytest.mark.parametrize("names", [TRAINERS, DISTILLERS])
def test_rows_and_first_weights_are_the_same(names, job, state) -> None:
    contestants = [prepared(name, job) for name in names]
    assert len({(one.rows, one.weights, one.examples) for one in contestants}) == 1


@pytest.mark.parametrize("name", [*TRAINERS, *DISTILLERS, "ours_labelling", "bare_forward"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_every_contestant_multiplies_in_the_jobs_precision(
    name, precision, job, state, monkeypatch
) -> None:
    contestant = prepared(name, replace(job, precision=precision))
    types, call = set(), nn.functional.linear

    def watching(*args):
        result = call(*args)
        types.add(str(result.dtype).removeprefix("torch."))
        return result

    monkeypatch.setattr(nn.functional, "linear", watching)
    contestant.run()
    heads = {"float32"} if name.startswith("ours") else set()  # ours are never narrow
    assert types == {precision} | heads


@pytest.mark.parametrize("name", [*TRAINERS, *DISTILLERS, "ours_labelling", "bare_forward"])
def test_every_contestant_multiplies_by_the_jobs_library(name, job, state) -> None:
    torch.backends.mkldnn.matmul.fp32_precision = "bf16"  # another job's
    assert __main__.measure(prepared(name, replace(job, products="mkl")))["products"] == "mkl"


def test_our_model_computes_what_theirs_does() -> None:
    theirs = models.classifier("speck", seed=3).eval()
    digest = models.digest(theirs)
    ids = torch.tensor([[101, 2000, 102], [101, 102, 0]])
    inputs = {"input_ids": ids, "attention_mask": (ids > 0).long()}
    with torch.inference_mode():
        logits = theirs(**inputs).logits
        same = models.multi_task(theirs).eval()
        assert torch.equal(same("rte", inputs), logits)
    assert models.digest(same) == digest


def test_training_changes_the_model(job, state) -> None:
    model = models.multi_task(models.classifier("speck", seed=3))
    before = models.digest(model)
    ours.fit(model, workload.of(job), job, ours.hardware_of(job))
    assert models.digest(model) != before


@pytest.mark.slow
def test_a_contestant_in_a_process_of_its_own(job) -> None:
    reading = rounds.run(replace(job, contestant="ours_remembering"))
    assert reading.examples == 24
    one, two = reading.details["peak_bytes"]
    assert 0 < reading.details["imported_bytes"] <= one <= two


def test_what_a_contestant_says_when_it_fails_is_shown(job) -> None:
    with pytest.raises(PipelineError, match="no_such") as error:
        rounds.run(replace(job, contestant="no_such"))
    assert "KeyError" in str(error.value)


@pytest.mark.parametrize(
    "fault", [{"examples": 1}, {"rows": "other"}, {"weights": "other"}, {"products": "onednn"}]
)
def test_unlike_work_gives_no_result(fault) -> None:
    one = rounds.Reading(1.0, 1.0, 24, "rows", "weights", "mkl", {})
    rounds.check_alike({"a": one, "b": replace(one, cpu_seconds=2.0)})
    with pytest.raises(PipelineError, match="same work"):
        rounds.check_alike({"a": one, "b": replace(one, **fault)})


def test_contestants_take_turns(job, monkeypatch) -> None:
    order = []

    def run(job: Job) -> rounds.Reading:
        order.append(job.contestant)
        return rounds.Reading(float(len(order)), 1.0, 24, "rows", "weights", "mkl", {})

    monkeypatch.setattr(rounds, "run", run)
    jobs = {"a": job, "b": replace(job, contestant="trainer_padded")}
    readings = rounds.race(jobs, 2)
    assert order == ["ours", "trainer_padded"] * 2
    assert [reading.cpu_seconds for reading in readings["b"]] == [2.0, 4.0]


def test_every_contestant_has_a_name_once() -> None:
    assert len(set(NAMES.values())) == len(NAMES)
