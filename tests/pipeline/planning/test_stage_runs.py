"""Runs: steps as training makes them, weights as the model has them, rows that heads add.

Run with: python -m pytest tests/pipeline/planning/test_stage_runs.py
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from pipeline.model import character_bert, multitask
from pipeline.params.encoders import HubEncoder, RandomEncoder
from pipeline.params.heads import Head
from pipeline.params.sampling import Sampling
from pipeline.params.training import EarlyStopping
from pipeline.planning import stage_runs
from pipeline.planning.dataset_sizes import DatasetSize
from pipeline.planning.stage_runs import Job
from pipeline.tasks import GLUE
from pipeline.training import early_stopping, task_sampling

TINY = RandomEncoder(source="random", seed=0, depth=2, hidden=8, attention_heads=2)
LINEAR = {"kind": "linear", "pooling": "mean", "dropout": 0.1}
POOLER = LINEAR | {"pooling": "pooler"}
SAN = {"kind": "san", "steps": 5, "dropout": 0.1, "prediction_dropout": 0.1}
RANKING = POOLER | {"kind": "ranking", "negatives": 3, "gamma": 1.0, "weight": 0.5}
SIZES = {"qnli": 70, "rte": 33, "wnli": 3}


def head(values: dict[str, Any]) -> Head:
    return TypeAdapter(Head).validate_python(values)


def amount(task: str, lengths: tuple[int, ...] = (10,), **splits: int) -> DatasetSize:
    return DatasetSize(GLUE[task], splits, 0, np.array(lengths))


AMOUNTS = {task: amount(task, train=size) for task, size in SIZES.items()}


def job(settings: Any, heads: dict[str, Any] | None = None, **changes: Any) -> Job:
    tasks = heads or dict.fromkeys(SIZES, LINEAR)
    plain = {
        "name": "distil",
        "encoder": TINY,
        "heads": {task: head(values) for task, values in tasks.items()},
        "settings": settings,
        "train": {task: SIZES[task] for task in tasks},
        "scored": {},
    }
    return Job(**plain | changes)


@pytest.mark.parametrize(
    ("batch_size", "accumulation", "steps"),
    [
        (32, 1, {"qnli": 3, "rte": 2, "wnli": 1}),
        (32, 2, {"qnli": 2, "rte": 1, "wnli": 1}),
        (32, 5, {"qnli": 1, "rte": 1, "wnli": 1}),
        (7, 3, {"qnli": 4, "rte": 2, "wnli": 1}),
    ],
)
def test_steps_are_those_of_training(settings, batch_size, accumulation, steps) -> None:
    chosen = settings.model_copy(
        update={"batch_size": batch_size, "accumulation": accumulation, "epochs": 3}
    )
    work_by_task = stage_runs.training(SIZES, AMOUNTS, chosen)
    assert {task: work.steps for task, work in work_by_task.items()} == {
        task: 3 * number for task, number in steps.items()
    }
    pools = {
        task: task_sampling.Pool(np.full(size, 10), np.arange(size)) for task, size in SIZES.items()
    }
    training_steps = [
        step
        for epoch in task_sampling.Plan(pools, chosen, stage_runs.MERGED, 1).epochs()
        for step in epoch
    ]
    assert Counter(step.task for step in training_steps) == {
        t: w.steps for t, w in work_by_task.items()
    }
    batches = Counter(task for task, parts in training_steps for _ in parts)
    assert batches == {task: work.batches for task, work in work_by_task.items()}
    assert sum(work.load.rows for work in work_by_task.values()) == sum(
        step.rows for step in training_steps
    )


@pytest.mark.parametrize(
    "chosen",
    [
        {"kind": "uniform"},
        {"kind": "power", "alpha": 0.75},
        {"kind": "temperature", "temperature": 5.0},
        {"kind": "weights", "weights": {"qnli": 1.0, "rte": 3.0, "wnli": 4.0}},
    ],
)
def test_drawn_tasks_get_their_expected_share(settings, chosen) -> None:
    """As many steps as merged batches; in long runs the drawn rows come to what is expected."""
    long = settings.model_copy(update={"batch_size": 8, "epochs": 300})
    drawn = TypeAdapter(Sampling).validate_python(chosen)
    work_by_task = stage_runs.training(SIZES, AMOUNTS, long, drawn)
    assert sum(work.steps for work in work_by_task.values()) == pytest.approx(300 * (9 + 5 + 1))
    pools = {
        task: task_sampling.Pool(np.full(size, 10), np.arange(size)) for task, size in SIZES.items()
    }
    rows: Counter[str] = Counter()
    for epoch in task_sampling.Plan(pools, long, drawn, 1).epochs():
        for step in epoch:
            rows[step.task] += step.rows
    for task, work in work_by_task.items():
        assert work.load.rows == pytest.approx(rows[task], rel=0.1)


@pytest.mark.parametrize(
    "heads",
    [
        {"qnli": LINEAR, "rte": LINEAR, "wnli": LINEAR},
        {"qnli": RANKING, "rte": SAN, "wnli": POOLER},
        {"rte": SAN},
    ],
)
def test_weights_are_those_of_the_model(settings, heads) -> None:
    encoder, _ = character_bert.encoder(TINY, 0.1)
    tasks = {task: GLUE[task] for task in heads}
    network = multitask.MultiTaskModel(encoder, tasks, {task: head(v) for task, v in heads.items()})
    assert stage_runs.count(job(settings, heads), AMOUNTS).weights == network.parameter_count()


def test_negatives_of_ranking_are_trained_on_too(settings) -> None:
    """Half of the rows are right answers, each with three wrong ones: 1 + 1.5 times the rows."""
    plain = stage_runs.count(job(settings, {"qnli": LINEAR, "rte": LINEAR}), AMOUNTS)
    ranked = stage_runs.count(job(settings, {"qnli": RANKING, "rte": LINEAR}), AMOUNTS)
    assert ranked.trained["qnli"].load == plain.trained["qnli"].load.times(2.5)
    assert ranked.trained["rte"] == plain.trained["rte"]
    assert ranked.steps == plain.steps
    assert (plain.widened, ranked.widened) == (1, 2.5)


def test_rows_held_out_are_scored_after_every_epoch(settings) -> None:
    stopping = EarlyStopping(share=0.1, patience=1)
    chosen = settings.model_copy(update={"early_stopping": stopping, "epochs": 4, "batch_size": 1})
    count = stage_runs.count(job(chosen, scored={"rte": 5}), AMOUNTS)
    known = {task: np.ones(size, bool) for task, size in SIZES.items() if task != "wnli"}
    held_out = {task: len(r) for task, r in early_stopping.hold_out(known, stopping, 1).items()}
    assert held_out == {"qnli": 7, "rte": 3}
    assert count.trained["qnli"].steps == 4 * (70 - 7)
    assert count.trained["rte"].steps == 4 * (33 - 3)
    assert count.scored.rows == 5 + 4 * 3  # only rte is scored here


def test_further_rows_are_trained_on_and_never_held_out(settings) -> None:
    chosen = settings.model_copy(update={"batch_size": 1, "epochs": 1})
    count = stage_runs.count(job(chosen, further={"rte": 7}), AMOUNTS)
    assert count.trained["rte"].load.rows == 40


def test_a_guide_sees_the_rows_of_taught_tasks(settings) -> None:
    count = stage_runs.count(job(settings, guide=(TINY, frozenset({"rte"}))), AMOUNTS)
    assert count.guide is not None
    assert count.guide[1] == count.trained["rte"].load


def test_what_cannot_be_counted_says_why(settings) -> None:
    count = stage_runs.count(job(settings), {**AMOUNTS, "rte": None})
    assert count.unknown == "rows of rte are not known before `dvc repro prepare`"
    nobody = HubEncoder(source="hub", repo="nobody/nothing", revision="0" * 40)
    count = stage_runs.count(job(settings, encoder=nobody), AMOUNTS)
    assert count.unknown == "the shape of nobody/nothing is not known on this machine"
    assert (count.steps, count.weights) == (0, 0)
