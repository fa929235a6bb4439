"""Merged, every row once an epoch; drawn, tasks by their chances and rows in whole passes.

Run with: python -m pytest tests/pipeline/training/test_task_sampling.py
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import islice
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.params.sampling import (
    MergedSampling,
    PowerSampling,
    TemperatureSampling,
    UniformSampling,
    WeightedSampling,
)
from pipeline.params.training import Training
from pipeline.training import task_sampling

MERGED = MergedSampling(kind="merged")
UNIFORM = UniformSampling(kind="uniform")
SETTINGS = Training(
    epochs=1,
    batch_size=4,
    max_length=32,
    optimizer="adamw",
    learning_rate=1e-3,
    weight_decay=0.0,
    warmup=0.0,
    clip_norm=1.0,
    accumulation=1,
    batches="by_length",
    layer_decay=1.0,
    early_stopping=None,
)
COUNTS = st.integers(1, 4)
SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.dictionaries(st.sampled_from(["cola", "mnli", "rte", "wnli"]), st.integers(0, 60))


def _settings(**changes):
    return SETTINGS.model_copy(update=changes)


def planned(pools, settings, kind, seed, passes=MappingProxyType({})):
    plan = task_sampling.Plan(pools, settings, kind, seed, passes)
    steps = list(plan.epochs())
    assert plan.steps == sum(map(len, steps))
    assert plan.rows == sum(step.rows for epoch in steps for step in epoch)
    return steps


def _pools(sizes, length=10):
    return {t: task_sampling.Pool(np.full(n, length), np.arange(n)) for t, n in sizes.items()}


def _uneven(sizes, seed):
    """Rows of all lengths, of which every third is held out."""
    random = np.random.default_rng(seed)
    return {
        task: task_sampling.Pool(
            random.integers(1, 129, size + size // 2),
            np.flatnonzero(np.arange(size + size // 2) % 3 != 2),
        )
        for task, size in sizes.items()
    }


def _rows(steps, task):
    return [int(r) for step in steps if step.task == task for batch in step.batches for r in batch]


def _plain(epochs):
    return [[(s.task, [b.tolist() for b in s.batches]) for s in steps] for steps in epochs]


@given(SIZES, COUNTS, COUNTS, COUNTS, SEEDS)
def test_merged_holds_every_row_once_an_epoch(sizes, epochs, batch_size, accumulation, seed):
    settings = _settings(epochs=epochs, batch_size=batch_size, accumulation=accumulation)
    pools = _uneven(sizes, seed)
    plan = planned(pools, settings, MERGED, seed)
    assert len(plan) == epochs
    for steps in plan:
        for task in sizes:
            assert sorted(_rows(steps, task)) == pools[task].kept.tolist()
            batches = [len(b) for step in steps if step.task == task for b in step.batches]
            assert all(0 < rows <= batch_size for rows in batches)
            groups = [len(step.batches) for step in steps if step.task == task]
            assert all(number <= accumulation for number in groups)
            assert sum(number < accumulation for number in groups) <= 1
        rows_by_task = {task: len(pool.kept) for task, pool in pools.items()}
        assert len(steps) == task_sampling.steps_per_epoch(rows_by_task, settings)


def test_merged_is_what_it_was_before_there_was_anything_else():
    """Written down from the batches of version 0.1.0."""
    lengths = {"rte": np.array([9, 3, 7, 5, 8]), "cola": np.array([4, 6, 5])}
    pools = {
        t: task_sampling.Pool(task_lengths, np.arange(len(task_lengths)))
        for t, task_lengths in lengths.items()
    }
    plan = planned(pools, _settings(epochs=2, batch_size=2), MERGED, 3)
    assert _plain(plan) == [
        [("rte", [[1, 3]]), ("cola", [[1]]), ("rte", [[2, 4]]), ("rte", [[0]]), ("cola", [[0, 2]])],
        [("rte", [[0]]), ("cola", [[0, 2]]), ("rte", [[1, 3]]), ("rte", [[2, 4]]), ("cola", [[1]])],
    ]


def test_a_task_of_several_passes_has_every_row_once_a_pass_and_leaves_the_others_alone():
    """Five batches a pass: ceil(5 x 2.3 x epoch) steps are 12, 23, 35; CoLA stays as it was."""
    pools = _uneven({"rte": 20, "cola": 14}, 0)
    settings = _settings(epochs=3)
    once = planned(pools, settings, MERGED, 3)
    more = planned(pools, settings, MERGED, 3, {"rte": Fraction(23, 10)})
    assert [sum(s.task == "rte" for s in steps) for steps in more] == [12, 11, 12]
    for before, after in zip(once, more, strict=True):
        cola = [
            sorted(s.batches[0].tolist() for s in steps if s.task == "cola")
            for steps in (before, after)
        ]
        assert cola[0] == cola[1]
    # The order within an epoch is shuffled; the passes themselves are drawn one after the other.
    endless = task_sampling._passes(pools["rte"], settings, 3, 1)
    drawn = [[next(endless)[0].tolist() for _ in range(count)] for count in (12, 11, 12)]
    for steps, expected in zip(more, drawn, strict=True):
        assert sorted(s.batches[0].tolist() for s in steps if s.task == "rte") == sorted(expected)
    flat = [row for batches in drawn for batch in batches for row in batch]
    for number in range(7):
        assert sorted(flat[20 * number : 20 * (number + 1)]) == pools["rte"].kept.tolist()


def test_less_than_a_pass_goes_on_where_the_last_epoch_ended():
    """Half a pass of four batches an epoch: two epochs are every row once."""
    pools = _pools({"rte": 16})
    plan = planned(pools, _settings(epochs=2), MERGED, 1, {"rte": Fraction(1, 2)})
    assert [len(steps) for steps in plan] == [2, 2]
    assert sorted(_rows([s for steps in plan for s in steps], "rte")) == list(range(16))


def test_a_thousand_rows_give_a_thousand_distinct_rows():
    """A published sampler drew 222 distinct rows of 1,000 where it bucketed by length."""
    lengths = np.random.default_rng(0).integers(5, 128, 1000)
    pools = {"rte": task_sampling.Pool(lengths, np.arange(1000))}
    drawn = _rows(task_sampling.merged(pools, _settings(batch_size=16), 0, 0), "rte")
    assert len(drawn) == len(set(drawn)) == 1000


def test_batches_are_drawn_anew_each_epoch():
    """A published sampler fixed the members of each batch once and for all."""
    pools = {"rte": task_sampling.Pool(np.arange(1, 201) % 50 + 5, np.arange(200))}
    first, second = (
        {tuple(sorted(step.batches[0])) for step in steps}
        for steps in planned(pools, _settings(epochs=2, batch_size=8), MERGED, 1)
    )
    assert first != second
    assert len(first & second) < 5


@pytest.mark.parametrize("kind", [MERGED, UNIFORM])
def test_fixed_batches_are_the_same_in_every_epoch_in_another_order(kind):
    """Algorithm 1 packs a task's rows before the first epoch, at random."""
    pools = {"rte": task_sampling.Pool(np.arange(5, 205), np.arange(200))}
    settings = _settings(epochs=3, batch_size=8, batches="fixed")
    epochs = [
        [tuple(step.batches[0].tolist()) for step in steps]
        for steps in planned(pools, settings, kind, 1)
    ]
    assert len(set(epochs[0])) == 25
    assert {frozenset(steps) for steps in epochs} == {frozenset(epochs[0])}
    assert epochs[0] != epochs[1] != epochs[2]
    assert sorted(row for batch in epochs[0] for row in batch) == list(range(200))
    spans = [max(batch) - min(batch) for batch in epochs[0]]
    assert np.median(spans) > 100  # by length they would be about 8


def test_fixed_batches_are_those_of_one_pass_in_every_further_pass():
    """Nineteen rows are five batches, three steps: ceil(3 x 2.5 x epoch) of them are 8 and 15."""
    pools = {"rte": task_sampling.Pool(np.arange(5, 24), np.arange(19))}
    settings = _settings(epochs=2, batch_size=4, accumulation=2, batches="fixed")
    once = planned(pools, settings, MERGED, 3)
    more = planned(pools, settings, MERGED, 3, {"rte": Fraction(5, 2)})
    assert [len(steps) for steps in more] == [8, 7]
    drawn = Counter(str(step) for steps in _plain(more) for step in steps)
    assert drawn == dict.fromkeys(map(str, _plain(once)[0]), 5)


def test_all_tasks_are_merged_and_shuffled():
    """Algorithm 1: batches of all tasks in one random order, one task a batch."""
    steps = task_sampling.merged(_pools({"rte": 80, "cola": 160}), _settings(batch_size=8), 0, 0)
    order = [step.task for step in steps]
    assert (order.count("rte"), order.count("cola")) == (10, 20)
    assert order not in (sorted(order), sorted(order, reverse=True))


@pytest.mark.parametrize("kind", [MERGED, UNIFORM])
def test_the_same_seed_gives_the_same_steps_whatever_the_order_of_tasks(kind):
    first, again, other = (
        _plain(planned(_pools(sizes), _settings(epochs=2, accumulation=2), kind, seed))
        for sizes, seed in (
            ({"rte": 40, "cola": 30}, 5),
            ({"cola": 30, "rte": 40}, 5),
            ({"rte": 40, "cola": 30}, 6),
        )
    )
    assert first == again != other


@pytest.mark.parametrize("kind", [MERGED, UNIFORM])
def test_only_kept_rows_are_drawn(kind):
    pools = {"rte": task_sampling.Pool(np.full(20, 9), np.arange(0, 20, 2))}
    for steps in planned(pools, _settings(epochs=3), kind, 0):
        assert set(_rows(steps, "rte")) <= set(range(0, 20, 2))


SIZES_16_81_1 = {"a": 16, "b": 81, "c": 1}
CHANCES = [
    (PowerSampling(kind="power", alpha=1), (16 / 98, 81 / 98, 1 / 98)),
    (PowerSampling(kind="power", alpha=0), (1 / 3, 1 / 3, 1 / 3)),
    (PowerSampling(kind="power", alpha=0.75), (8 / 36, 27 / 36, 1 / 36)),  # 2^3, 3^3, 1
    (TemperatureSampling(kind="temperature", temperature=1), (16 / 98, 81 / 98, 1 / 98)),
    (TemperatureSampling(kind="temperature", temperature=2), (4 / 14, 9 / 14, 1 / 14)),
    (TemperatureSampling(kind="temperature", temperature=4), (2 / 6, 3 / 6, 1 / 6)),
    (UNIFORM, (1 / 3, 1 / 3, 1 / 3)),
    (WeightedSampling(kind="weights", weights={"c": 5, "a": 1, "b": 2}), (1 / 8, 2 / 8, 5 / 8)),
]


@pytest.mark.parametrize(("kind", "expected"), CHANCES)
def test_chances_are_as_worked_by_hand(kind, expected):
    chances = task_sampling.chances(SIZES_16_81_1, kind)
    assert tuple(chances[task] for task in "abc") == pytest.approx(expected)


@pytest.mark.parametrize(("kind", "expected"), CHANCES)
def test_tasks_come_as_often_as_their_chances_say(kind, expected):
    settings = _settings(epochs=120, batch_size=1)  # 98 steps an epoch, 11,760 in all
    plan = planned(_pools(SIZES_16_81_1), settings, kind, 1)
    assert {len(steps) for steps in plan} == {98}
    drawn = Counter(step.task for steps in plan for step in steps)
    total = sum(drawn.values())
    for task, chance in zip("abc", expected, strict=True):
        # Five standard deviations of a binomial share.
        assert abs(drawn[task] / total - chance) < 5 * (chance * (1 - chance) / total) ** 0.5


@given(SIZES, COUNTS, COUNTS, COUNTS, SEEDS)
def test_drawn_tasks_go_through_all_their_rows_before_one_comes_again(
    sizes, epochs, batch_size, accumulation, seed
):
    settings = _settings(epochs=epochs, batch_size=batch_size, accumulation=accumulation)
    plan = planned(_pools(sizes), settings, UNIFORM, seed)
    assert {len(steps) for steps in plan} == {task_sampling.steps_per_epoch(sizes, settings)}
    for task, size in sizes.items():
        rows = iter(_rows([step for steps in plan for step in steps], task))
        while taken := list(islice(rows, max(size, 1))):
            assert len(set(taken)) == len(taken)  # the last pass may be cut short
            assert max(taken) < size


def test_a_later_pass_is_packed_anew_and_not_in_order_of_length():
    pools = {"rte": task_sampling.Pool(np.arange(5, 405), np.arange(400))}
    first, second = planned(pools, _settings(epochs=2, batch_size=8), UNIFORM, 2)
    members = [{tuple(sorted(step.batches[0])) for step in steps} for steps in (first, second)]
    assert members[0] != members[1]
    means = [float(step.batches[0].mean()) for step in first]
    assert means != sorted(means)


def test_the_draw_of_tasks_differs_from_epoch_to_epoch():
    plan = planned(_pools({"rte": 100, "cola": 100}), _settings(epochs=2), UNIFORM, 0)
    first, second = ([step.task for step in steps] for steps in plan)
    assert first != second


def test_a_step_counts_the_rows_of_all_its_batches():
    assert task_sampling.Step("rte", (np.arange(4), np.arange(3))).rows == 7


@pytest.mark.parametrize(
    ("sizes", "batch_size", "accumulation", "expected"),
    [
        ({}, 4, 1, 0),
        ({"rte": 8}, 4, 1, 2),
        ({"rte": 9}, 4, 1, 3),
        ({"rte": 9}, 4, 2, 2),  # batches 4, 4, 1: groups of two and of one
        ({"rte": 9, "cola": 1}, 4, 2, 3),  # no step has two tasks
        ({"rte": 9, "cola": 0}, 4, 4, 1),
    ],
)
def test_steps_per_epoch(sizes, batch_size, accumulation, expected):
    settings = _settings(batch_size=batch_size, accumulation=accumulation)
    assert task_sampling.steps_per_epoch(sizes, settings) == expected


@pytest.mark.parametrize("kind", [MERGED, UniformSampling(kind="uniform")])
def test_the_steps_after_some_are_those_that_follow(kind):
    plan = task_sampling.Plan(_pools({"cola": 20, "rte": 9}), _settings(epochs=3), kind, 1)
    epochs = _plain(plan.epochs())
    every = [(epoch, step) for epoch, steps in enumerate(epochs) for step in steps]
    for count in range(len(every) + 1):
        left = list(plan.after(count))
        plain = _plain(steps for _, steps in left)
        further_steps = [
            (epoch, step) for (epoch, _), steps in zip(left, plain, strict=True) for step in steps
        ]
        assert further_steps == every[count:]
