"""Drafts become artifacts whole or not at all.

Run with: python -m pytest tests/pipeline/runtime/test_artifacts.py
"""

from __future__ import annotations

import contextlib
import errno
import itertools
from pathlib import Path

import pytest

from pipeline.runtime import artifacts


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def everything(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_sha256_of_known_bytes(folder):
    (folder / "abc").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert artifacts.sha256(folder / "abc") == expected


@pytest.mark.parametrize(
    "failure", [KeyboardInterrupt(), ValueError(), OSError(errno.ENOSPC, "no space")]
)
def test_a_failure_leaves_the_earlier_file_and_no_draft(folder, failure):
    path = Path("data/x/y.txt")
    artifacts.write_json(path, {"run": 1})
    with pytest.raises(type(failure)), artifacts.new_file(path) as staging:
        staging.write_text("half")
        raise failure
    assert artifacts.read_json(path) == {"run": 1}
    assert everything(folder) == ["data/x/y.txt"]


@pytest.mark.parametrize(
    "failure", [KeyboardInterrupt(), ValueError(), OSError(errno.ENOSPC, "no space")]
)
def test_a_failure_leaves_the_earlier_folder_and_no_draft(folder, failure):
    path = Path("data/teachers/rte/m1")
    with artifacts.new_folder(path) as staging:
        (staging / "a").write_text("1")
    with pytest.raises(type(failure)), artifacts.new_folder(path) as staging:
        (staging / "b").write_text("half")
        raise failure
    assert everything(folder) == ["data/teachers/rte/m1/a"]


def test_a_new_folder_takes_the_place_of_the_old_one_whole(folder):
    for name in ("a", "b"):
        with artifacts.new_folder(Path("data/student")) as staging:
            (staging / name).write_text(name)
    assert everything(folder) == ["data/student/b"]


def test_drafts_lie_outside_the_folders_that_dvc_hashes():
    with artifacts.new_folder(Path("data/teachers/rte/m1")) as staging:
        assert staging.parent == Path("data") / artifacts.STAGING


def test_json_has_one_spelling_and_refuses_nan():
    assert artifacts.dump_json({"b": 1, "a": "é"}) == '{\n  "a": "é",\n  "b": 1\n}\n'
    with pytest.raises(ValueError, match="JSON compliant"):
        artifacts.dump_json({"a": float("nan")})


def test_an_interruption_between_the_two_renames_puts_the_old_folder_back(folder, monkeypatch):
    path = Path("data/student")
    with artifacts.new_folder(path) as staging:
        (staging / "a").write_text("1")
    replace = Path.replace

    def interrupted(self, target):
        if target == path and "-old" not in self.name:
            raise KeyboardInterrupt
        return replace(self, target)

    with pytest.raises(KeyboardInterrupt), artifacts.new_folder(path) as staging:
        monkeypatch.setattr(Path, "replace", interrupted)
        (staging / "b").write_text("2")
    assert everything(folder) == ["data/student/a"]


PAIR = (Path("data/logits/rte"), Path("data/teachers/rte"))


def write_pair(content: str) -> None:
    with artifacts.new_folders(*PAIR) as stagings:
        for staging in stagings:
            (staging / content).write_text(content)


def test_two_folders_take_their_places_together(folder):
    for content in ("1", "2"):
        write_pair(content)
        assert everything(folder) == [f"data/logits/rte/{content}", f"data/teachers/rte/{content}"]


def test_a_failure_leaves_both_earlier_folders_and_no_draft(folder):
    write_pair("1")
    with pytest.raises(ValueError), artifacts.new_folders(*PAIR) as (first, _):  # noqa: PT011
        (first / "half").write_text("2")
        raise ValueError
    assert everything(folder) == ["data/logits/rte/1", "data/teachers/rte/1"]


@pytest.mark.parametrize("call", [1, 2, 3, 4])
@pytest.mark.parametrize("earlier", [True, False])
def test_interrupted_at_any_rename_both_or_neither_are_new(folder, monkeypatch, call, earlier):
    if earlier:
        write_pair("1")
    calls, replace = itertools.count(1), Path.replace
    last = 4 if earlier else 2  # renames in all: the old ones away, the new ones there

    def interrupted(self, target):
        replace(self, target)
        if next(calls) == call:
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with contextlib.suppress(KeyboardInterrupt):
        write_pair("2")
    content = "2" if call >= last else "1"
    whole = [f"data/logits/rte/{content}", f"data/teachers/rte/{content}"]
    assert everything(folder) == (whole if earlier or call >= last else [])


def test_a_linked_folder_has_second_names_but_of_what_is_left_out(folder):
    source = Path("source/deep")
    source.mkdir(parents=True)
    for name in ("a", "log"):
        (source / name).write_text(name)
    artifacts.link_folder(Path("source"), Path("data/links"), leave_out="log")
    assert everything(folder / "data") == ["links/deep/a"]
    assert (Path("data/links/deep/a")).samefile(source / "a")


def test_a_copied_folder_has_the_bytes_and_can_be_written_to(folder):
    source = Path("source/deep")
    source.mkdir(parents=True)
    (source / "a").write_bytes(b"abc")
    (source / "a").chmod(0o444)
    (source / "b").symlink_to((source / "a").absolute())
    artifacts.copy_folder(Path("source"), Path("copy"))
    (source / "a").unlink()
    for name in ("a", "b"):
        assert (Path("copy/deep") / name).read_bytes() == b"abc"
        (Path("copy/deep") / name).write_bytes(b"changed")
