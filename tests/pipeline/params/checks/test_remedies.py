"""A command that a line of the report names: DVC and `--set` read it, and the fault is gone."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from pipeline.params import file, profiles
from tests.pipeline.params.checks.test_heads import MEAN, POOLER, RANKING, SAN, custom
from tests.pipeline.params.conftest import SAMPLE, Values, changes, fix, put

STOP = {"share": 0.1, "patience": 1}
TWO = {"c1": {"seed": 1}, "c2": {"seed": 2}}
M1, M3 = {"seed": 1, "refined": 1}, {"seed": 3, "refined": 3}
HELD_OUT = {"ensemble/calibration": "held_out"}
PAIRS = {name: {"rows": {"train": 50, "dev": None, "test": None}} for name in ("rte", "qnli")}
OF_PAIRS = {"tasks": PAIRS, "selection/tasks": ["rte"], "teachers/tasks": {"rte": {}}}
REFINED = {"refinement/candidates": TWO, "selection/top": 2, "teachers/members/m1": M1}

SPOILT: list[dict[str, Any]] = [
    {"student/heads": {"snli": MEAN}},
    {"student/heads": {"cola": SAN}},
    {"student/heads": {"mnli": RANKING, "cola": MEAN}},
    {"teachers/tasks/mnli": {"head": RANKING}},
    {**OF_PAIRS, "teachers/tasks": {"rte": {}, "stsb": {}}, "teachers/head": SAN}
    | {"tasks": PAIRS | {"stsb": PAIRS["rte"]}},
    {"student/head": SAN, **OF_PAIRS, "tasks": PAIRS | {"sst2": PAIRS["rte"]}},
    {"teachers/folds": [1, 2, 3, 4], "tasks/rte/rows/train": 3},
    {**HELD_OUT, "teachers/folds": [1, 2], "tasks/rte/rows/train": 1},
    HELD_OUT,
    {**HELD_OUT, **REFINED},
    {**HELD_OUT, "teachers/folds": [1, 2], "teachers/tasks": {"stsb": {}}},
    {**REFINED, "teachers/folds": [1, 2]},
    {**REFINED, **HELD_OUT, "teachers/folds": [1, 2]},
    {"refinement/candidates": {"c1": {"seed": 1}}},
    {"refinement/candidates": TWO, "teachers/members/m3": M3},
    {"refinement/candidates": TWO | {"c3": {"seed": 3}}, "selection/top": 2}
    | {"teachers/members/m3": M3},
    {**REFINED, "teachers/members/m3": M3},
    {"teachers/members/m1": M1},
    {**REFINED, "teachers/head": POOLER},
    {**REFINED, **OF_PAIRS, "teachers/head": POOLER, "refinement/head": SAN},
    {**REFINED, **OF_PAIRS, "teachers/head": POOLER}
    | {"refinement/heads": {name: dict(SAN) for name in PAIRS}},
    {**REFINED, "teachers/early_stopping": STOP},
    {**REFINED, "teachers/members/m1": M1 | {"early_stopping": STOP}},
    {"tuning/tasks": {"rte": {"early_stopping": STOP}}},
    {"student/early_stopping": STOP, "tasks/wnli/rows/train": 4},
    {"tasks/mine": custom(["yes", "no"]), "student/heads": {"mine": RANKING}},
    {"tasks/mine": custom(["it's: a", "no"]), "student/heads": {"mine": RANKING}},
    {"tasks/mine": custom(["1", "null"]), "teachers/tasks/mine": {"head": RANKING}},
    {**OF_PAIRS, "tasks": PAIRS | {"mine": custom(["yes", "no"])}, "student/head": RANKING},
    {"student/heads": {"rte": RANKING | {"positive": "yes"}}},
]


@pytest.mark.parametrize("spoilt", SPOILT)
def test_each_command_mends(
    values: Values, faults: Any, spoilt: dict[str, Any], tmp_path: Path
) -> None:
    for path, value in spoilt.items():
        put(values, path, copy.deepcopy(value))
    (line,) = faults(values)
    commands = changes(line)
    assert commands
    for command in commands:
        for fixed in fix(values, command, tmp_path):
            file.check(fixed)


@pytest.mark.parametrize("folds", [["all"], [1, 2, 3]])
def test_no_advice_leads_from_one_fault_to_another(
    faults: Any, folds: list[Any], tmp_path: Path
) -> None:
    values = profiles.values("glue-cpu", folder=SAMPLE.parent)
    values["ensemble"]["calibration"], values["teachers"]["folds"] = "held_out", folds
    (line,) = faults(values)
    both = changes(line)
    assert len(both) == 2
    for command in both:
        for fixed in fix(values, command, tmp_path):
            file.check(fixed)
