"""Profiles: composed with their comments, applied whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ParamsError
from pipeline.params import profiles

pytestmark = pytest.mark.medium

FOLDER = Path(__file__).resolve().parents[3] / "profiles"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Profiles of one's own: the sample and what a test adds."""
    (tmp_path / "profiles").mkdir()
    shutil.copy(FOLDER / "sample.yaml", tmp_path / "profiles")
    return tmp_path / "profiles"


def lines(changes: Any) -> list[str]:
    return [str(change) for change in changes]


def test_the_base_comes_first() -> None:
    assert profiles.names(FOLDER) == ["sample", "glue-base", "glue-cpu", "paper"]


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
    values = profiles.values("glue-cpu", overrides, FOLDER)
    assert values["student"]["epochs"] == 2
    assert "cola" not in values["tasks"]
    assert list(values["transfer"]) == ["qqp", "mnli", "qnli"]


@pytest.mark.parametrize(
    ("name", "overrides", "message"),
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
    tmp_path: Path, name: str, overrides: list[str], message: str
) -> None:
    target = tmp_path / "params.yaml"
    target.write_text("student: {epochs: 4}\n")
    with pytest.raises(ParamsError) as error:
        profiles.apply(name, overrides, FOLDER, target)
    assert message in str(error.value)
    assert target.read_text() == "student: {epochs: 4}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def test_the_error_names_the_profile_and_the_change() -> None:
    with pytest.raises(ParamsError) as error:
        profiles.text("glue-cpu", ["student.epoch=1"], FOLDER)
    assert str(error.value.where) == f"{FOLDER / 'glue-cpu.yaml'} --set student.epoch=1"


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
    with pytest.raises(ParamsError) as error:
        profiles.text("mine", folder=folder)
    assert error.value.what.startswith(what)
    assert error.value.where in (folder / "mine.yaml", str(folder / "mine.yaml"))


def test_apply_says_what_it_replaced(tmp_path: Path) -> None:
    target = tmp_path / "params.yaml"
    shutil.copy(FOLDER / "sample.yaml", target)
    changes = profiles.apply(
        "sample",
        ["student.seed=7", "teachers.members.m4={seed: 4}", "~tasks.wnli"],
        FOLDER,
        target,
    )
    assert lines(changes) == [
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
    assert target.read_text() == profiles.text_here("glue-cpu", folder=FOLDER)


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
