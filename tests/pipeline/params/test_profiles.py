"""Profiles: all of them usable, composed with their comments, applied whole or not at all."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ParamsError
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
    return profiles.values(name, folder=FOLDER)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Profiles of one's own: the sample and what a test adds."""
    (tmp_path / "profiles").mkdir()
    shutil.copy(FOLDER / "sample.yaml", tmp_path / "profiles")
    return tmp_path / "profiles"


def lines(changes: Any) -> list[str]:
    return [str(change) for change in changes]


def test_the_base_comes_first() -> None:
    assert profiles.names(FOLDER) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_can_be_used(name: str) -> None:
    file.check(settings(name))


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
    found = settings(name)
    for key in path.split("."):
        found = found[key]
    assert found == value


def test_the_papers_six_candidates_are_both_casings_with_three_dropouts() -> None:
    section = file.check(settings("paper")).refinement
    found = set()
    for own in section.candidates.values():
        encoder = own.encoder or section.encoder
        assert isinstance(encoder, HubEncoder)
        found.add((encoder.repo.removeprefix("google-bert/bert-large-"), own.dropout))
    assert found == {(case, rate) for case in ("cased", "uncased") for rate in (0.1, 0.2, 0.3)}
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


def test_the_base_without_changes_is_its_own_text() -> None:
    text = (FOLDER / "sample.yaml").read_text().replace("$schema=../", "$schema=")
    assert profiles.text("sample", folder=FOLDER) == text


@pytest.mark.parametrize(
    ("override", "removed", "added"),
    [
        ("student.seed=7", ["  seed: 2018"], ["  seed: 7"]),
        ("teachers.members.m4={seed: 4}", [], ["    m4: {seed: 4}"]),
        ("~tasks.wnli", ["  wnli: {rows: {train: null, dev: null, test: null}}"], []),
        (
            "tasks.rte.rows.train=50",
            ["  rte: {rows: {train: null, dev: null, test: null}}"],
            ["  rte: {rows: {train: 50, dev: null, test: null}}"],
        ),
    ],
)
def test_one_change_changes_one_line(override: str, removed: list[str], added: list[str]) -> None:
    before = profiles.text("sample", folder=FOLDER).splitlines()
    after = profiles.text("sample", [override], FOLDER).splitlines()
    # by number of times, as some lines occur in two sections
    assert sorted(after) == sorted(_without(before, removed) + added)


def _without(texts: list[str], gone: list[str]) -> list[str]:
    left = list(texts)
    for text in gone:
        left.remove(text)
    return left


def test_an_overlay_keeps_the_comments_of_both(folder: Path) -> None:
    (folder / "mine.yaml").write_text(
        "# My own. Run it:\n#   make repro PROFILE=mine\n\n"
        "data:\n  source: local  # files of mine\n\n"
        "teachers:\n  members:  # just two\n    a: {seed: 1}\n    b: {seed: 2}\n"
    )
    text = profiles.text("mine", folder=folder)
    assert text.startswith("# My own. Run it:\n#   make repro PROFILE=mine\n\n# yaml-language-")
    assert "minutes" not in text  # the sample's first comment is about the sample
    assert "source: local  # files of mine\n" in text
    assert "folder: data/local          # the local source" in text
    assert "members:  # just two\n    a: {seed: 1}\n    b: {seed: 2}\n\nensemble:\n" in text
    assert profiles.summary("mine", folder) == "My own"


def test_overrides_work_in_their_order() -> None:
    overrides = ["student.epochs=1", "student.epochs=2", "~tasks.cola", "~transfer.rte"]
    found = profiles.values("glue-cpu", overrides, FOLDER)
    assert found["student"]["epochs"] == 2
    assert "cola" not in found["tasks"]
    assert list(found["transfer"]) == ["qqp", "mnli", "qnli"]


@pytest.mark.parametrize(
    ("name", "overrides", "says"),
    [
        ("glu-cpu", [], "no such profile; did you mean glue-cpu?"),
        ("../params", [], "no such profile"),
        ("sample", ["student.epoch=1"], "student.epoch: unknown key; did you mean epochs?"),
        ("sample", ["studnt.epochs=1"], "studnt: unknown key; did you mean student?"),
        ("sample", ["~student.epochs"], "student.epochs: missing"),
        ("sample", ["~tasks.rte"], "teachers.tasks.rte: no such task under `tasks`"),
        ("sample", ["teachers.members.m-4={seed: 4}"], "teachers.members.m-4: the name must be"),
        ("glue-cpu", ["data.folder=no/such"], f"no such folder\n  seen: {Path.cwd()}/no/such"),
        ("glue-cpu", [f"data.folder={__file__}"], f"not a folder\n  seen: {__file__}"),
        ("paper", ["student.optimizer=sgd"], "student.optimizer: must be adamw or adamax, not sgd"),
    ],
)
def test_errors_leave_params_yaml_untouched(
    tmp_path: Path, name: str, overrides: list[str], says: str
) -> None:
    target = tmp_path / "params.yaml"
    target.write_text("student: {epochs: 4}\n")
    with pytest.raises(ParamsError) as caught:
        profiles.apply(name, overrides, FOLDER, target)
    assert says in str(caught.value)
    assert target.read_text() == "student: {epochs: 4}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def test_the_error_names_the_profile_and_the_change() -> None:
    with pytest.raises(ParamsError) as caught:
        profiles.text("glue-cpu", ["student.epoch=1"], FOLDER)
    assert str(caught.value.where) == f"{FOLDER / 'glue-cpu.yaml'} --set student.epoch=1"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"a: [1\n", "not readable as YAML"),
        (b"- a\n", "not a mapping of sections"),
        (b"", "not a mapping of sections"),
        (b"\xff\n", "not UTF-8 text"),
        (b"studnt: {}\n", "1 fault in the parameters:\n  - studnt: unknown key; did you mean"),
    ],
)
def test_profiles_that_cannot_be_read(folder: Path, content: bytes, what: str) -> None:
    (folder / "mine.yaml").write_bytes(content)
    with pytest.raises(ParamsError) as caught:
        profiles.text("mine", folder=folder)
    assert caught.value.what.startswith(what)
    assert caught.value.where in (folder / "mine.yaml", str(folder / "mine.yaml"))


def test_apply_says_what_it_replaced(tmp_path: Path) -> None:
    target = tmp_path / "params.yaml"
    shutil.copy(FOLDER / "sample.yaml", target)
    found = profiles.apply(
        "sample",
        ["student.seed=7", "teachers.members.m4={seed: 4}", "~tasks.wnli"],
        FOLDER,
        target,
    )
    assert lines(found) == [
        "tasks.wnli: {rows: {train: null, dev: null, test: null}} -> (absent)",
        "teachers.members.m4: (absent) -> {seed: 4}",
        "student.seed: 2018 -> 7",
    ]
    assert lines(profiles.apply("sample", [], FOLDER, target))[-1] == "student.seed: 7 -> 2018"
    assert target.read_text() == profiles.text("sample", folder=FOLDER)


def test_nothing_to_change_touches_nothing(tmp_path: Path) -> None:
    target = tmp_path / "params.yaml"
    target.write_text("# my own note\n" + (FOLDER / "sample.yaml").read_text())
    before = target.stat().st_mtime_ns, target.read_bytes()
    assert profiles.apply("sample", ["student.seed=2018"], FOLDER, target) == []
    assert (target.stat().st_mtime_ns, target.read_bytes()) == before


@pytest.mark.parametrize("content", [None, b"a: [1\n", b"- x\n", b"\xff"])
def test_apply_mends_a_params_yaml_that_is_missing_or_broken(
    tmp_path: Path, content: bytes | None
) -> None:
    target = tmp_path / "params.yaml"
    if content is not None:
        target.write_bytes(content)
    assert profiles.current(target) is None
    profiles.apply("glue-cpu", [], FOLDER, target)
    assert target.read_text() == profiles.text("glue-cpu", folder=FOLDER)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, ["a: 1 -> 2"]),
        ({"a": 1}, {"a": True}, ["a: 1 -> true"]),
        ({"a": 1e-5}, {"a": None}, ["a: 1e-05 -> null"]),
        ({"a": None}, {}, ["a: null -> (absent)"]),
        ({}, {"a": {"b": [1, "x"]}}, ["a: (absent) -> {b: [1, x]}"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, ["a.c: 2 -> 3", "a.b: 1 -> (absent)"]),
        ({"a": {"b": 1}}, {"a": 5}, ["a: {b: 1} -> 5"]),
    ],
)
def test_changes(old: Any, new: Any, expected: list[str]) -> None:
    assert lines(profiles.changes(old, new)) == expected
