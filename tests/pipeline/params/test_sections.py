"""What the sections work out: a teacher's settings from the section, its task and its member."""

from __future__ import annotations

from typing import Any

import pydantic
import pytest

from pipeline.params import file, sections

TASK, MEMBER = {"epochs": 5, "learning_rate": 2e-5}, {"seed": 1, "epochs": 7, "dropout": 0.2}


@pytest.mark.parametrize(
    ("task", "member", "epochs", "learning_rate"),
    [
        ({}, {"seed": 1}, 3, 1e-4),
        (TASK, {"seed": 1}, 5, 2e-5),
        ({}, MEMBER, 7, 1e-4),
        (TASK, MEMBER, 7, 2e-5),  # the member has the last word
    ],
)
def test_training_of_one_teacher(
    values: dict[str, Any],
    task: dict[str, Any],
    member: dict[str, Any],
    epochs: int,
    learning_rate: float,
) -> None:
    values["teachers"] |= {"epochs": 3, "learning_rate": 1e-4, "batch_size": 32}
    values["teachers"]["tasks"]["rte"] = task
    values["teachers"]["members"]["m1"] = member
    training = file.check(values).teachers.training("rte", "m1")
    assert type(training) is sections.Training
    assert (training.epochs, training.learning_rate) == (epochs, learning_rate)
    assert training.batch_size == 32  # nobody changed it


def test_given_lists_training_settings_only() -> None:
    member = sections.Member(seed=3, dropout=0.2, warmup=0.0, epochs=2)
    assert member.given() == {"epochs": 2, "warmup": 0.0}


def test_whole_numbers_are_numbers(values: dict[str, Any]) -> None:
    values["student"]["clip_norm"] = 2
    clip = file.check(values).student.clip_norm
    assert clip == 2.0
    assert isinstance(clip, float)


@pytest.mark.parametrize("device", ["auto", "cpu", "mps", "cuda", "cuda:0", "cuda:11"])
def test_devices(values: dict[str, Any], device: str) -> None:
    values["machine"]["device"] = device
    assert file.check(values).machine.device == device


def test_members_may_share_a_seed_if_something_else_differs(values: dict[str, Any]) -> None:
    values["teachers"]["members"] = {"a": {"seed": 1}, "b": {"seed": 1, "dropout": 0.2}}
    assert list(file.check(values).teachers.members) == ["a", "b"]


def test_a_task_with_scores_and_a_task_with_classes(values: dict[str, Any]) -> None:
    rows = {"train": 10, "dev": None, "test": None}
    scores = {
        "title": "Scores",
        "labels": [],
        "sentence1": "a",
        "sentence2": "b",
        "label": "s",
        "metrics": ["spearman"],
        "low": -1,
        "high": 1.5,
    }
    classes = scores | {"labels": ["no", "yes"], "metrics": ["f1", "accuracy"]}
    values["tasks"] |= {
        "mine": {"rows": rows, "custom": scores},
        "ours": {"rows": rows, "custom": classes},
    }
    tasks = file.check(values).tasks
    assert tasks["mine"].custom is not None
    assert (tasks["mine"].custom.low, tasks["mine"].custom.high) == (-1.0, 1.5)
    assert tasks["ours"].custom is not None


def test_settings_do_not_change_after_reading(values: dict[str, Any]) -> None:
    with pytest.raises(pydantic.ValidationError):
        file.check(values).student.epochs = 9  # type: ignore[misc]


def test_a_task_may_switch_early_stopping_off(values: dict[str, Any]) -> None:
    values["teachers"]["early_stopping"] = {"share": 0.1, "patience": 1}
    values["teachers"]["tasks"]["rte"] = {"early_stopping": None}
    teachers = file.check(values).teachers
    assert teachers.training("rte", "m1").early_stopping is None
    assert teachers.training("qqp", "m1").early_stopping is not None
