"""`make repro`'s driver: what runs side by side, what a failure stops, what a removal leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

TEACHERS = ["qqp-m1", "qqp-m2", "rte-m1", "rte-m2"]


@pytest.mark.parametrize("jobs", ["1", "9"])
def test_all_run_once_and_know_how_many_run_beside_them(toy: Any, jobs: str) -> None:
    toy.repro("--jobs", jobs)
    assert toy.runs() == [f"{name} {jobs}" for name in TEACHERS]
    assert (toy.folder / "data/soft_labels/qqp").read_text() == "m1\nm2\n"
    assert (toy.folder / "data/baseline").read_text() == "qqp\nrte\n"
    assert "no stage to run" in toy.repro("--jobs", jobs)
    assert toy.runs() == []


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_it_stops_at_a_named_stage(toy: Any, jobs: str) -> None:
    toy.repro("--jobs", jobs, "--until", "teach")
    assert [line.split()[0] for line in toy.runs()] == TEACHERS
    assert not (toy.folder / "data/soft_labels").exists()
    assert not (toy.folder / "data/baseline").exists()
    assert "no stage to run" in toy.repro("--until", "teach")
    told = toy.repro("--until", "teech", code=2)
    assert told.startswith("error: no such stage\n  seen: teech\n")


@pytest.mark.parametrize("jobs", ["two", "0", "-1", "1.5", "²", ""])
def test_a_wrong_number_of_jobs_is_told(toy: Any, jobs: str) -> None:
    output = toy.repro(f"--jobs={jobs}", code=2)
    told = f"argument --jobs: give a whole number, 1 or more, not '{jobs}'\n"
    assert output.endswith(told)
    assert toy.runs() == []


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_failure_stops_only_what_needs_it(toy: Any, jobs: str) -> None:
    fault = toy.folder / "fail-qqp-m2"
    fault.touch()
    output = toy.repro("--jobs", jobs, code=1)
    assert "failed: teach@qqp-m2\n" in output
    assert "not run, as they need a failed one: ensemble@qqp\n" in output
    assert (toy.folder / "data/soft_labels/rte").exists()
    assert (toy.folder / "data/baseline").exists()
    assert not (toy.folder / "data/soft_labels/qqp").exists()
    assert len(toy.runs()) == 4
    fault.unlink()
    toy.repro("--jobs", jobs)
    assert [line.split()[0] for line in toy.runs()] == ["qqp-m2"]
    assert (toy.folder / "data/soft_labels/qqp").read_text() == "m1\nm2\n"


def test_a_failed_light_stage_keeps_its_teachers_from_running(toy: Any) -> None:
    (toy.folder / "fail-qqp").touch()
    output = toy.repro("--jobs", "2", code=1)
    assert "failed: prepare@qqp\n" in output
    assert [line.split()[0] for line in toy.runs()] == ["rte-m1", "rte-m2"]
    assert (toy.folder / "data/soft_labels/rte").exists()


def test_a_removed_member_leaves_no_ghost(toy: Any) -> None:
    toy.repro()
    toy.runs()
    toy.params("m2")
    output = toy.repro()
    assert f"removed: {Path('data/teachers/qqp/m1')}" in output
    assert (toy.folder / "data/soft_labels/qqp").read_text() == "m2\n"
    assert toy.runs() == []


def test_what_no_stage_made_is_named_and_kept(toy: Any) -> None:
    toy.repro()
    stray = toy.folder / "data/teachers/qqp/mine"
    stray.write_text("notes")
    output = toy.repro(code=2)
    assert output.startswith("error: ")
    assert "data/teachers/qqp/mine" in output
    assert stray.read_text() == "notes"
    assert (toy.folder / "data/soft_labels/qqp").read_text() == "m1\nm2\n"


def test_outside_a_project_it_says_what_to_do(tmp_path: Path, toy: Any) -> None:
    toy.folder = tmp_path
    assert toy.repro(code=2).startswith("error: no such file\n  where: params.yaml\n")
    toy.params("m1")
    output = toy.repro(code=2)
    assert output.startswith("error: DVC cannot work here\n")
    assert "git init" in output
    assert "Traceback" not in output
