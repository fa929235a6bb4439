"""Settings from the command line, and the params.yaml of every run.

Run with: python -m pytest tests/pipeline/replication/test_settings.py
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.errors import PipelineError
from pipeline.params import file, yaml_text
from pipeline.params.sections import Params
from pipeline.replication import settings
from pipeline.replication.settings import Run, Setting
from tests.pipeline.replication.conftest import SAMPLE

CANDIDATES = SAMPLE.replace(
    "candidates: {}", "candidates: {c1: {seed: 4}, c2: {seed: 5}, c3: {seed: 9}}"
)


def params(run: Run) -> Params:
    return file.check(yaml_text.parse(run.text, run.name))


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("warm=distillation.temperature=2.0", ["distillation.temperature=2.0"]),
        (
            "one=student.epochs=1, student.batch_size=8",
            ["student.epochs=1", "student.batch_size=8"],
        ),
        ("fold=teachers.folds=[1,2,3],~tasks.wnli", ["teachers.folds=[1,2,3]", "~tasks.wnli"]),
        (
            "dist=distillation.loss={kind: dist, inter: 1.0, intra: 2.0},student.epochs=1",
            ["distillation.loss={kind: dist, inter: 1.0, intra: 2.0}", "student.epochs=1"],
        ),
        ("nested=a.b={x: [1,2], y: {z: 3, w: 4}},c=5", ["a.b={x: [1,2], y: {z: 3, w: 4}}", "c=5"]),
    ],
)
def test_a_setting_has_a_name_and_changes(text: str, changes: Sequence[str]) -> None:
    setting = settings.parse(text)
    assert setting.name == text.partition("=")[0]
    assert setting.changes == tuple(changes)
    assert setting.against == settings.BASE


@pytest.mark.parametrize(
    "text",
    [
        "distillation.temperature=2.0",
        "warm",
        "warm=",
        "=student.epochs=1",
        "base=student.epochs=1",
        "a-b=student.epochs=1",
        "warm=student.epochs=1,",
    ],
)
def test_what_has_no_name_or_no_change_is_refused(text: str) -> None:
    with pytest.raises(PipelineError, match="not a setting with a name") as error:
        settings.parse(text)
    assert (error.value.seen, error.value.where) == (text, "--setting")


def test_two_settings_of_one_name_are_refused() -> None:
    with pytest.raises(PipelineError, match="two settings of one name"):
        settings.distinct([Setting("base"), Setting("warm"), Setting("warm")])


def test_runs_are_all_settings_with_one_seed_before_the_next() -> None:
    warm = settings.parse("warm=distillation.temperature=2.0")
    made = settings.runs(SAMPLE, [Setting("base"), warm], [7, 3], "student")
    assert [(run.setting, run.seed) for run in made] == [
        ("base", 7),
        ("warm", 7),
        ("base", 3),
        ("warm", 3),
    ]
    assert [run.name for run in made] == ["base-7", "warm-7", "base-3", "warm-3"]
    assert [params(run).student.seed for run in made] == [7, 7, 3, 3]
    assert [params(run).distillation.temperature for run in made] == [1.0, 2.0, 1.0, 2.0]
    assert {params(run).tuning.seed for run in made} == {2018}
    assert {params(run).teachers.members["m3"].seed for run in made} == {3}
    assert "# 1.0e-4" not in made[0].text
    assert "# Eq. 3; or mean_logit, dev_weighted" in made[0].text  # comments stay


def test_seeds_of_all_are_derived_from_the_given_one() -> None:
    """1,000,000 times the seed plus a model's own; the student's is the seed itself."""
    (run,) = settings.runs(CANDIDATES, [Setting("base")], [3], "all")
    assert run.name == "base-all-3"
    seeded = params(run)
    assert (seeded.student.seed, seeded.tuning.seed) == (3, 3)
    assert {name: one.seed for name, one in seeded.teachers.members.items()} == {
        "m1": 3_000_001,
        "m2": 3_000_002,
        "m3": 3_000_003,
    }
    candidates = {name: one.seed for name, one in seeded.refinement.candidates.items()}
    assert candidates == {"c1": 3_000_004, "c2": 3_000_005, "c3": 3_000_009}


@pytest.mark.parametrize(("seed", "own"), [(4295, 1), (1, 1_000_000), (4294, 967_296)])
def test_a_seed_that_cannot_be_derived_is_refused(seed: int, own: int) -> None:
    """4,294,967,295 is the largest; from 1,000,000 on an own seed may be another run's."""
    text = SAMPLE.replace("m1: {seed: 1}", f"m1: {{seed: {own}}}")
    with pytest.raises(PipelineError, match="no seed can be derived") as error:
        settings.runs(text, [Setting("base")], [seed], "all")
    assert error.value.where == "teachers.members.m1.seed in params.yaml"
    assert settings.runs(text, [Setting("base")], [seed], "student")


def test_the_largest_seeds_can_be_derived() -> None:
    text = SAMPLE.replace("m1: {seed: 1}", "m1: {seed: 967295}")
    (run,) = settings.runs(text, [Setting("base")], [4294], "all")
    assert params(run).teachers.members["m1"].seed == 2**32 - 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("student.epochs=none", "student.epochs"),
        ("student.epochs", "no `=` in it"),
        ("~tasks.nope", "no such key"),
        ("student.seed=4", "a setting changes a seed that each of its runs sets"),
    ],
)
def test_a_change_that_cannot_be_used_names_its_setting(change: str, message: str) -> None:
    with pytest.raises(PipelineError, match=message) as error:
        settings.runs(SAMPLE, [settings.parse(f"odd={change}")], [1], "student")
    assert error.value.where == "setting odd"


def test_a_params_yaml_that_cannot_be_used_is_an_error() -> None:
    with pytest.raises(PipelineError, match="1 fault in the parameters"):
        settings.runs(
            SAMPLE.replace("seed: 2018\n  encoder", "seed: -1\n  encoder"), [], [1], "all"
        )
