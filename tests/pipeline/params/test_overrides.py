"""Overlays: what is merged, what is replaced whole, and changes from the command line."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ParamsError
from pipeline.params import overrides, yaml_text

BASE: dict[str, Any] = {
    "data": {"source": "sample", "folder": "data/local"},
    "tasks": {"rte": {"rows": {"train": None}}, "wnli": {"rows": {"train": 5}}},
    "teachers": {
        "encoder": {"source": "wheel", "package": "x"},
        "epochs": 3,
        "tasks": {"rte": {"epochs": 5}},
        "members": {"m1": {"seed": 1, "epochs": 2}, "m2": {"seed": 2}},
    },
    "student": {"epochs": 4, "encoder": {"source": "wheel", "layers": "all"}},
}


def value_at(values: Any, path: str) -> Any:
    for key in path.split("."):
        values = values[key]
    return values


@pytest.mark.parametrize(
    ("over", "path", "value"),
    [
        ({"student": {"epochs": 6}}, "student.epochs", 6),
        ({"student": {"epochs": None}}, "student.epochs", None),
        ({"student": {"epochs": 6}}, "student.encoder.layers", "all"),
        ({"tasks": {"rte": {}}}, "tasks", {"rte": {}}),
        ({"teachers": {"tasks": {"qqp": {}}}}, "teachers.tasks", {"qqp": {}}),
        ({"teachers": {"members": {"a": {"seed": 9}}}}, "teachers.members", {"a": {"seed": 9}}),
        ({"teachers": {"members": {"a": {"seed": 9}}}}, "teachers.epochs", 3),
        ({"student": {"encoder": {"source": "hub"}}}, "student.encoder", {"source": "hub"}),
        ({"teachers": {"encoder": {"source": "hub"}}}, "teachers.encoder", {"source": "hub"}),
        ({"data": "x"}, "data", "x"),
        ({"new": {"a": 1}}, "new.a", 1),
    ],
)
def test_merge(over: dict[str, Any], path: str, value: Any) -> None:
    merged = copy.deepcopy(BASE)
    overrides.merge(merged, over)
    assert value_at(merged, path) == value


SETTINGS = st.recursive(
    st.none() | st.integers(),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)  # the machine may be busy
@given(
    st.dictionaries(st.sampled_from("abc"), SETTINGS),
    st.dictionaries(st.sampled_from("abc"), SETTINGS),
)
def test_merging_the_same_overlay_again_changes_nothing(
    base: dict[str, Any], over: dict[str, Any]
) -> None:
    once = copy.deepcopy(base)
    overrides.merge(once, copy.deepcopy(over))
    twice = copy.deepcopy(once)
    overrides.merge(twice, copy.deepcopy(over))
    assert twice == once
    assert set(once) == set(base) | set(over)


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("student.epochs=1", "student.epochs", 1),
        ("student.learning_rate=2e-5", "student.learning_rate", 2e-5),
        ("tasks.rte.rows.train=null", "tasks.rte.rows.train", None),
        ("tasks.wnli.rows.train=", "tasks.wnli.rows.train", None),
        ("data.source=no", "data.source", "no"),
        ("student.encoder.layers=[2, 4]", "student.encoder.layers", [2, 4]),
        ("student.name=a=b", "student.name", "a=b"),
        ("teachers.members.m4={seed: 4}", "teachers.members.m4", {"seed": 4}),
        ("teachers.members.m4={seed: 4}", "teachers.members.m1.seed", 1),
        ("+teachers.members.m4={seed: 4}", "teachers.members.m4", {"seed": 4}),
        ("++teachers.members.m4.seed=4", "teachers.members.m4", {"seed": 4}),
        # one member is merged, all members together are replaced
        ("teachers.members.m1={seed: 9}", "teachers.members.m1", {"seed": 9, "epochs": 2}),
        ("teachers.members={a: {seed: 9}}", "teachers.members", {"a": {"seed": 9}}),
        ("student.encoder={source: hub}", "student.encoder", {"source": "hub"}),
        ("student={epochs: 1}", "student.encoder.source", "wheel"),
    ],
)
def test_change(override: str, path: str, value: Any) -> None:
    changed = copy.deepcopy(BASE)
    overrides.change(changed, override)
    assert value_at(changed, path) == value


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("glue", "work/glue"),
        ("../glue", "glue"),
        ("./a b: #1", "work/a b: #1"),  # YAML would cut it short
        ("a=b", "work/a=b"),
    ],
)
def test_a_folder_becomes_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, folder: str
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    changed = copy.deepcopy(BASE)
    overrides.change(changed, f"data.folder={text}")
    assert changed["data"]["folder"] == str(tmp_path / folder)


def test_folders_that_are_absolute_or_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/people/ada")
    changed = copy.deepcopy(BASE)
    overrides.change(changed, "data.folder=/mnt/glue")
    assert changed["data"]["folder"] == "/mnt/glue"
    overrides.change(changed, "data.folder=~/glue")
    assert changed["data"]["folder"] == "/people/ada/glue"


def test_delete() -> None:
    changed = copy.deepcopy(BASE)
    overrides.change(changed, "~tasks.wnli")
    overrides.change(changed, "~teachers.members.m1.epochs")
    assert changed["tasks"] == {"rte": {"rows": {"train": None}}}
    assert changed["teachers"]["members"]["m1"] == {"seed": 1}


@pytest.mark.parametrize(
    ("override", "text"),
    [
        (
            "student.epochs",
            "no `=` in it\n  seen: student.epochs\n  where: --set\n"
            "  fix: write key=value, or ~key to delete",
        ),
        (
            "student..epochs=1",
            "not a key; its parts are joined by single dots\n  seen: student..epochs\n"
            "  where: --set student..epochs=1",
        ),
        ("=1", "not a key; its parts are joined by single dots\n  seen: \n  where: --set =1"),
        (
            "student.epochs.x=1",
            "student.epochs is a single value and has no keys\n  seen: 4\n"
            "  where: --set student.epochs.x=1",
        ),
        (
            "student.epochs={",
            "not readable as YAML\n  seen: line 1, column 2: expected the node content, "
            "but found '<stream end>'\n  where: --set student.epochs={",
        ),
        ("data.folder=", "an empty folder name\n  where: --set data.folder"),
        ("~tasks.wnl", "tasks.wnl: no such key; did you mean wnli?\n  where: --set ~tasks.wnl"),
        ("~task.wnli", "task: no such key; did you mean tasks?\n  where: --set ~task.wnli"),
        ("~student.epochs.x", "student.epochs.x: no such key\n  where: --set ~student.epochs.x"),
    ],
)
def test_changes_that_cannot_be_made(override: str, text: str) -> None:
    changed = copy.deepcopy(BASE)
    with pytest.raises(ParamsError) as error:
        overrides.change(changed, override)
    assert str(error.value) == text
    assert changed == BASE


def test_a_mapping_that_is_emptied_stays_a_mapping() -> None:
    text = "a:\n  # first\n  b: {c: 1}   # one\n  d: 2\n\ne: 3\n"
    values = yaml_text.parse_kept(text, "test")
    for override in ("~a.b", "~a.d"):
        overrides.change(values, override)
    assert yaml_text.parse(yaml_text.dump_kept(values), "test") == {"a": {}, "e": 3}
