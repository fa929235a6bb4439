"""Every kind of bad value of one key, and the exact line that reports it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.params import file
from tests.pipeline.params.conftest import Values, put

NAME = "lower-case letters, digits and _, a letter first, 40 at most (it names stages)"
COMMIT = "a commit of 40 lower-case hex digits (a branch or a tag can move)"


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        # wrong kinds of value; nothing is converted in silence
        ("student/epochs", "3", "student.epochs: must be a whole number, not '3'"),
        ("student/epochs", True, "student.epochs: must be a whole number, not true"),
        ("student/epochs", 3.0, "student.epochs: must be a whole number, not 3.0"),
        ("student/epochs", None, "student.epochs: must be a whole number, not null"),
        ("student/learning_rate", "2e-5", "student.learning_rate: must be a number, not '2e-5'"),
        ("student/learning_rate", False, "student.learning_rate: must be a number, not false"),
        ("student/clip_norm", float("nan"), "student.clip_norm: must be a finite number, not .nan"),
        ("student/clip_norm", float("inf"), "student.clip_norm: must be a finite number, not .inf"),
        ("data/folder", 3, "data.folder: must be text, not 3"),
        ("data/folder", "", "data.folder: must be text that is not empty, not ''"),
        ("machine", None, "machine: must be a mapping of settings, not null"),
        ("ensemble", [1], "ensemble: must be a mapping of settings, not [1]"),
        ("tasks", "rte", "tasks: must be a mapping of names, not rte"),
        ("tasks/rte/rows", 5, "tasks.rte.rows: must be a mapping of settings, not 5"),
        # values out of range
        ("student/epochs", 0, "student.epochs: must be at least 1, not 0"),
        ("student/learning_rate", 0, "student.learning_rate: must be above 0, not 0"),
        ("student/learning_rate", 1.5, "student.learning_rate: must be below 1, not 1.5"),
        ("student/dropout", 1.0, "student.dropout: must be below 1, not 1.0"),
        ("student/seed", -1, "student.seed: must be at least 0, not -1"),
        ("student/seed", 2**32, "student.seed: must be at most 4.29497e+09, not 4294967296"),
        (
            "distillation/hard_weight",
            1.1,
            "distillation.hard_weight: must be at most 1 or annealed, not 1.1",
        ),
        ("distillation/temperature", 0, "distillation.temperature: must be above 0, not 0"),
        (
            "distillation/loss",
            {"kind": "kld"},
            "distillation.loss.kind: must be cross_entropy, dist, dkd, kl or mse, not kld; "
            "did you mean kl?",
        ),
        (
            "distillation/loss",
            {"kind": "kl", "beta": 2.0},
            "distillation.loss.beta: unknown key",
        ),
        ("student/head", {"kind": "linear", "pooling": "cls"}, "student.head.dropout: missing"),
        (
            "student/head",
            {"pooling": "cls", "dropout": 0.1},
            "student.head.kind: missing; one of linear, ranking or san",
        ),
        (
            "student/sampling/kind",
            "size",
            "student.sampling.kind: must be merged, power, temperature, uniform or weights, "
            "not size",
        ),
        ("teachers/folds", 3, "teachers.folds: must be a list, not 3"),
        (
            "teachers/folds",
            ["al"],
            "teachers.folds[0]: must be all or a whole number, not al; did you mean all?",
        ),
        ("student/accumulation", 0, "student.accumulation: must be at least 1, not 0"),
        ("student/layer_decay", 0.0, "student.layer_decay: must be above 0, not 0.0"),
        (
            "transfer/rte",
            {"source": "file", "rows": None, "file": "../x.tsv"},
            "transfer.rte.file: must be the name of a file, without a folder, not ../x.tsv",
        ),
        ("tasks/rte/rows/train", 0, "tasks.rte.rows.train: must be at least 1, not 0"),
        # one of several words
        (
            "data/source",
            "smaple",
            "data.source: must be hub, local, official or sample, not smaple; did you mean sample?",
        ),
        (
            "ensemble/rule",
            "no",
            "ensemble.rule: must be dev_weighted, mean_logit or mean_probability, not no",
        ),
        ("machine/threads", "fast", "machine.threads: must be auto or a whole number, not fast"),
        ("machine/threads", 0, "machine.threads: must be auto or at least 1, not 0"),
        (
            "student/encoder/layers",
            "every_secnd",
            "student.encoder.layers: must be all, every_second or a list, not every_secnd; "
            "did you mean every_second?",
        ),
        # spellings
        (
            "machine/device",
            "gpu",
            "machine.device: must be auto, cpu, mps, cuda or cuda:1, not gpu",
        ),
        (
            "data/sources/hub/revision",
            "main",
            f"data.sources.hub.revision: must be {COMMIT}, not main",
        ),
        (
            "data/sources/hub/repo",
            "a/b/c",
            "data.sources.hub.repo: must be a repository's name such as google-bert/"
            "bert-base-uncased, not a/b/c",
        ),
        (
            "data/sources/official/glue_url",
            "dl.fbaipublicfiles.com",
            "data.sources.official.glue_url: must be an address that starts with http:// or "
            "https://, not dl.fbaipublicfiles.com",
        ),
        (
            "student/encoder/sha256",
            "ABC",
            "student.encoder.sha256: must be a SHA-256 of 64 lower-case hex digits, not ABC",
        ),
        # names
        (
            "teachers/members/m-4",
            {"seed": 4},
            f"teachers.members.m-4: the name must be {NAME}, not m-4",
        ),
        (
            "teachers/members/m.4",
            {"seed": 4},
            f"teachers.members.'m.4': the name must be {NAME}, not m.4",
        ),
        # lists
        ("student/encoder/layers", [0], "student.encoder.layers[0]: must be at least 1, not 0"),
        (
            "student/encoder/layers",
            [1, "x"],
            "student.encoder.layers[1]: must be a whole number, not x",
        ),
    ],
)
def test_one_bad_value_gives_one_line(
    values: Values, faults: Callable[[Values], list[str]], path: str, value: Any, line: str
) -> None:
    assert faults(put(values, path, value)) == [line]


@pytest.mark.parametrize(
    ("name", "good"),
    [("m" * 40, True), ("m" * 41, False), ("1m", False), ("M", False), ("é", False)],
)
def test_names(
    values: Values, faults: Callable[[Values], list[str]], name: str, good: bool
) -> None:
    put(values, f"teachers/members/{name}", {"seed": 4})
    if good:
        assert name in file.check(values).teachers.members
    else:
        assert [line.split(" must")[0] for line in faults(values)] == [
            f"teachers.members.{name}: the name"
        ]
