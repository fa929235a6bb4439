"""The profiles of this project: all of them usable, with the settings that they promise."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipeline import stage_registry
from pipeline.params import file, profiles
from pipeline.params.encoders import HubEncoder

pytestmark = pytest.mark.medium

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "profiles"
SCHEMA = re.compile(r"^# yaml-language-server: \$schema=(.+)$", re.MULTILINE)
NAMES = ["sample", "glue-base", "glue-cpu", "paper"]


@cache
def settings(name: str) -> Any:
    """The settings of a profile as it is, composed once."""
    return profiles.as_written(name, folder=FOLDER)


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_can_be_used(name: str) -> None:
    file.check(settings(name))


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_has_a_baseline_of_the_students_epochs_and_one_of_its_steps(
    name: str,
) -> None:
    params = file.check(settings(name))
    assert params.baseline.budgets == ["epochs", "steps"]
    assert stage_registry.instances("baseline", params) == ["baseline@epochs", "baseline@steps"]


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_opens_with_what_it_is_its_command_and_its_needs(name: str) -> None:
    comment = profiles.text(name, folder=FOLDER).partition("\n\n")[0]
    assert all(line.startswith("#") for line in comment.splitlines())
    assert "make repro" in comment
    assert (f"PROFILE={name}" in comment) == (name != "sample")
    assert "# Needs " in comment
    assert 20 < len(profiles.summary(name, FOLDER)) < 100


@pytest.mark.parametrize("name", NAMES)
def test_an_editor_finds_the_schema_from_params_yaml(name: str) -> None:
    (path,) = SCHEMA.findall(profiles.text(name, folder=FOLDER))
    assert path == "docs/reference/params.schema.json"
    assert (ROOT / path).is_file()


def test_an_editor_finds_the_schema_from_the_profile() -> None:
    (path,) = SCHEMA.findall((FOLDER / "sample.yaml").read_text("utf-8"))
    assert path == "../docs/reference/params.schema.json"
    assert (FOLDER / path).is_file()


def test_sample_is_the_committed_params_yaml() -> None:
    sample = profiles.text("sample", folder=FOLDER).encode()
    if (ROOT / "params.yaml").read_bytes() == sample:
        return
    # Another profile may be applied just now; what counts is what is committed.
    committed = subprocess.run(
        ["git", "show", "HEAD:params.yaml"], cwd=ROOT, capture_output=True, check=False
    )
    assert committed.stdout == sample, "mtdnnkd profile apply sample, or change the profile"


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("glue-cpu", "data.source", "local"),
        ("glue-cpu", "student.encoder.layers", "every_second"),
        ("glue-base", "student.encoder.repo", "google-bert/bert-base-uncased"),
        ("glue-base", "machine.precision", "auto"),
        # arXiv 1904.09482 and its parent 1901.11504, section 4.2
        ("paper", "teachers.optimizer", "adamax"),
        ("paper", "teachers.learning_rate", 5e-5),
        ("paper", "teachers.batch_size", 32),
        ("paper", "teachers.epochs", 5),
        ("paper", "teachers.max_length", 512),
        ("paper", "teachers.warmup", 0.1),
        ("paper", "teachers.clip_norm", 1.0),
        ("paper", "ensemble.rule", "mean_probability"),
        ("paper", "distillation.hard_weight", 0.5),
        ("paper", "distillation.temperature", 1.0),
        ("paper", "student.encoder.repo", "google-bert/bert-large-cased"),
    ],
)
def test_what_the_profiles_promise(name: str, path: str, value: Any) -> None:
    setting = settings(name)
    for key in path.split("."):
        setting = setting[key]
    assert setting == value


def test_the_papers_six_candidates_are_both_casings_with_three_dropouts() -> None:
    section = file.check(settings("paper")).refinement
    candidates = set()
    for own in section.candidates.values():
        encoder = own.encoder or section.encoder
        assert isinstance(encoder, HubEncoder)
        candidates.add((encoder.repo.removeprefix("google-bert/bert-large-"), own.dropout))
    assert candidates == {(case, rate) for case in ("cased", "uncased") for rate in (0.1, 0.2, 0.3)}
    assert len(section.candidates) == 6


def test_the_papers_teachers_start_from_the_best_three_candidates() -> None:
    params = file.check(settings("paper"))
    assert (params.selection.top, params.selection.tasks) == (3, ["mnli", "rte"])
    assert [member.refined for member in params.teachers.members.values()] == [1, 2, 3]
    assert set(params.teachers.tasks) == {"mnli", "qqp", "rte", "qnli"}
    assert params.teachers.training("rte", "m1").learning_rate == 2e-5
    assert params.teachers.training("mnli", "m1").learning_rate == 5e-5


def test_the_papers_heads_are_the_same_wherever_a_task_is_trained() -> None:
    params = file.check(settings("paper"))
    heads = params.student.heads
    assert params.refinement.heads == heads
    assert params.refinement.head == params.student.head == params.teachers.head
    assert {task: own.head for task, own in params.teachers.tasks.items()} == {
        task: heads[task] for task in params.teachers.tasks
    }
    kinds = {task: heads.get(task, params.student.head).kind for task in params.tasks}
    assert kinds == {
        **dict.fromkeys(("cola", "sst2", "stsb"), "linear"),
        **dict.fromkeys(("mnli", "rte", "qqp", "mrpc"), "san"),
        "qnli": "ranking",
    }
    dropouts = {task: heads[task].dropout for task in heads}
    assert dropouts == dict.fromkeys(heads, 0.1) | {"mnli": 0.3, "cola": 0.05}
    assert "wnli" not in params.tasks


def test_all_trainings_of_the_paper_have_its_settings() -> None:
    params = file.check(settings("paper"))
    for training in (params.refinement, params.teachers, params.student, params.tuning):
        assert (training.optimizer, training.learning_rate) == ("adamax", 5e-5)
        assert (training.batch_size, training.epochs, training.max_length) == (32, 5, 512)
        assert (training.clip_norm, training.warmup, training.weight_decay) == (1.0, 0.1, 0.01)
