"""Keys and sections that do not fit, and the exact line that reports each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.pipeline.params.conftest import Values, put

ROWS = {"train": None, "dev": None, "test": None}
NAME = "lower-case letters, digits and _, a letter first, 40 at most (it names stages)"
RANDOM = {"source": "random", "seed": 1, "depth": 2, "hidden": 8, "attention_heads": 2}
CUSTOM = {
    "title": "Mine",
    "labels": ["no", "yes"],
    "sentence1": "text",
    "label": "class",
    "metrics": ["accuracy"],
}


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        # unknown and misspelt keys
        ("studnt", {}, "studnt: unknown key; did you mean student?"),
        ("zzz", 1, "zzz: unknown key"),
        ("student/epoch", 1, "student.epoch: unknown key; did you mean epochs?"),
        (
            "student/temperature",
            2,
            "student.temperature: unknown key; temperature belongs to distillation",
        ),
        ("data/sources/sample/sed", 1, "data.sources.sample.sed: unknown key; did you mean seed?"),
        ("tasks/rte/row", 1, "tasks.rte.row: unknown key; did you mean rows?"),
        (
            "teachers/members/m1/learning_rat",
            1e-5,
            "teachers.members.m1.learning_rat: unknown key; did you mean learning_rate?",
        ),
        (
            "teachers/tasks/rte/epoch",
            3,
            "teachers.tasks.rte.epoch: unknown key; did you mean epochs?",
        ),
        (
            "student/encoder/packge",
            "x",
            "student.encoder.packge: unknown key; did you mean package?",
        ),
        (
            "student/encoder/depth",
            3,
            "student.encoder.depth: unknown key; did you mean path?",
        ),
        # nothing where something is needed
        ("tasks/rte/rows", {"train": None, "dev": None}, "tasks.rte.rows.test: missing"),
        ("teachers/members", {}, "teachers.members: empty, needs at least one entry"),
        ("teachers/tasks", {}, "teachers.tasks: empty, needs at least one entry"),
        ("student/encoder/layers", [], "student.encoder.layers: empty, needs at least one entry"),
        # encoders: the kind is named first
        (
            "student/encoder",
            {"package": "x"},
            "student.encoder.source: missing; one of hub, folder, wheel or random",
        ),
        (
            "teachers/members/m1/encoder",
            {"source": "whel"},
            "teachers.members.m1.encoder.source: must be hub, folder, wheel or random, not whel; "
            "did you mean wheel?",
        ),
        (
            "teachers/members/m1/encoder",
            {"source": "hub", "repo": "a/b"},
            "teachers.members.m1.encoder.revision: missing",
        ),
        (
            "student/encoder",
            {"source": "folder", "path": "", "sha256": "0" * 64},
            "student.encoder.path: must be text that is not empty, not ''",
        ),
        # keys of one section that contradict each other
        (
            "student/encoder/layers",
            [4, 2],
            "student.encoder: layers must rise, each named once, not [4, 2]",
        ),
        (
            "student/encoder/layers",
            [2, 2],
            "student.encoder: layers must rise, each named once, not [2, 2]",
        ),
        (
            "student/encoder",
            RANDOM | {"hidden": 9},
            "student.encoder: hidden (9) must be a multiple of attention_heads (2)",
        ),
        (
            "student/encoder",
            RANDOM | {"layers": [1, 3]},
            "student.encoder: layers names 3, but depth is 2",
        ),
        (
            "teachers/members/m2",
            {"seed": 1},
            "teachers: members m1 and m2 have the same settings and the same seed (1), "
            "so they would be one teacher twice",
        ),
        (
            "teachers/members/m2",
            {"seed": 1, "dropout": 0.1, "batch_size": 32},  # the section's own values, spelt out
            "teachers: members m1 and m2 have the same settings and the same seed (1), "
            "so they would be one teacher twice",
        ),
        # sections that contradict each other
        (
            "tasks/rt",
            {"rows": ROWS},
            "tasks.rt: not a GLUE task (cola, sst2, mrpc, stsb, qqp, mnli, qnli, rte, wnli) "
            "and without `custom`; did you mean rte?",
        ),
        (
            "tasks/rte",
            {"rows": ROWS, "custom": CUSTOM},
            "tasks.rte.custom: rte is a GLUE task; give your own task another name",
        ),
        (
            "teachers/tasks/rt",
            {},
            "teachers.tasks.rt: no such task under `tasks`; add it there, or take it out here "
            "(dvc exp run -S '~teachers.tasks.rt'); did you mean rte?",
        ),
    ],
)
def test_one_bad_value_gives_one_line(
    values: Values, faults: Callable[[Values], list[str]], path: str, value: Any, line: str
) -> None:
    assert faults(put(values, path, value)) == [line]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"metrics": []}, "tasks.mine.custom.metrics: empty, needs at least one entry"),
        ({"label": "text"}, "tasks.mine.custom: column text is named twice"),
        ({"sentence2": "class"}, "tasks.mine.custom: column class is named twice"),
        ({"labels": ["a", "a"]}, "tasks.mine.custom: label a is named twice"),
        (
            {"labels": ["a"]},
            "tasks.mine.custom: labels needs two names or more, or [] for scores",
        ),
        (
            {"metrics": ["pearson"]},
            "tasks.mine.custom: metric pearson is not for a task with classes",
        ),
        (
            {"metrics": ["accuracy", "accuracy"]},
            "tasks.mine.custom: metric accuracy is named twice",
        ),
        (
            {"labels": ["a", "b", "c"], "metrics": ["f1"]},
            "tasks.mine.custom: metric f1 is for two classes, here are 3",
        ),
        (
            {"labels": []},
            "tasks.mine.custom: metric accuracy is not for a task with scores (labels: []); "
            "low (0) must be below high (0) in a task with scores",
        ),
        (
            {"metrics": ["acuracy"]},
            "tasks.mine.custom.metrics[0]: must be accuracy, f1, matthews, pearson or spearman, "
            "not acuracy; did you mean accuracy?",
        ),
        ({"labels": [0, "1"]}, "tasks.mine.custom.labels[0]: must be text, not 0"),
    ],
)
def test_a_task_of_ones_own(
    values: Values, faults: Callable[[Values], list[str]], changes: Values, line: str
) -> None:
    assert faults(put(values, "tasks/mine", {"rows": ROWS, "custom": CUSTOM | changes})) == [line]


def test_a_misspelt_key_is_not_also_missing(
    values: Values, faults: Callable[[Values], list[str]]
) -> None:
    values["studnt"] = values.pop("student")
    values["machine"]["thread"] = values["machine"].pop("threads")
    assert faults(values) == [
        "machine.thread: unknown key; did you mean threads?",
        "studnt: unknown key; did you mean student?",
    ]


def test_all_faults_come_at_once_in_the_order_of_the_sections(
    values: Values, faults: Callable[[Values], list[str]]
) -> None:
    values["data"] = None
    values["tasks"]["Bad"] = {"rows": ROWS | {"dev": 0}}
    values["tasks"][1] = {"rows": ROWS}
    values["teachers"]["tasks"]["snli"] = {}
    values["student"]["epochs"] = 0
    del values["distillation"]["temperature"]
    assert faults(values) == [
        "data: must be a mapping of settings, not null",
        f"tasks.Bad: the name must be {NAME}, not Bad",
        "tasks.Bad.rows.dev: must be at least 1, not 0",
        "tasks[1]: the name must be text, not 1",
        "student.epochs: must be at least 1, not 0",
        "distillation.temperature: missing",
        "tasks.Bad: not a GLUE task (cola, sst2, mrpc, stsb, qqp, mnli, qnli, rte, wnli) "
        "and without `custom`",
        "teachers.tasks.snli: no such task under `tasks`; add it there, or take it out here "
        "(dvc exp run -S '~teachers.tasks.snli'); did you mean wnli?",
    ]
