"""Whatever stands in params.yaml, the report is a report: no value makes the check itself fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.errors import ParamsError
from pipeline.params import file, profiles
from tests.pipeline.params.conftest import SAMPLE, Values, put_all

ODD = ([["m1", "m2"]], [], {}, None, "x", -1, True, 1e400, {"a": {"b": [1]}}, {1: None})
RANKING = {
    "kind": "ranking",
    "pooling": "pooler",
    "dropout": 0.1,
    "negatives": 2,
    "gamma": 1.0,
    "weight": 0.5,
    "positive": "yes",
}
MINE = {
    "rows": {"train": 50, "dev": None, "test": None},
    "custom": {
        "title": "Mine",
        "labels": ["yes", "no"],
        "sentence1": "a",
        "sentence2": "b",
        "label": "c",
        "metrics": ["f1"],
    },
}
RICH = {
    "tasks/mine": MINE,
    "student/heads": {"mine": RANKING},
    "teachers/tasks/mine": {"head": RANKING, "early_stopping": {"share": 0.5, "patience": 1}},
    "teachers/folds": [1, 2],
    "refinement/candidates": {"c1": {"seed": 1}, "c2": {"seed": 2, "encoder": None}},
    "refinement/head": {"kind": "linear", "pooling": "pooler", "dropout": 0.1},
    "selection/top": 1,
    "ensemble/calibration": "held_out",
    "ensemble/members": ["m1"],
    "distillation/features": {
        "member": "m1",
        "hidden": {"weight": 1.0, "loss": "mse", "layers": [[1, 2]]},
        "attention": None,
    },
    "tuning/tasks": {"mine": {"epochs": 2}},
}
"""A value of most of the kinds that the profiles leave out."""


def test_settings_of_most_kinds_can_be_used(values: Values) -> None:
    file.check(put_all(values, RICH))


@pytest.mark.parametrize(("profile", "step"), [("sample", 3), ("glue-cpu", 2), ("rich", 1)])
def test_no_value_at_any_place_makes_the_check_fail(
    profile: str, step: int, values: Values
) -> None:
    if profile == "rich":
        put_all(values, RICH)
    else:
        values = profiles.values(profile, folder=SAMPLE.parent)
    for at, (holder, key) in enumerate(places(values)):
        old = holder[key]
        for odd in ODD[at % step :: step]:  # some of them, for time, where the rich one has all
            holder[key] = odd
            reported(values, (key, odd))
        holder[key] = old


def places(inside: Any) -> Iterator[tuple[Any, Any]]:
    """Every mapping and list inside, with each of its keys."""
    keys = inside if isinstance(inside, dict) else range(len(inside) * isinstance(inside, list))
    for key in list(keys):
        yield inside, key
        if isinstance(inside[key], dict | list):
            yield from places(inside[key])


def reported(values: Values, change: Any) -> None:
    try:
        file.check(values)
    except ParamsError:
        pass
    except Exception as error:  # to say of thousands of values which one it was
        raise AssertionError(f"{change}: {error!r}") from error
