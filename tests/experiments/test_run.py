"""Tests of experiments/run.py: the commands it runs, none of which is run here."""

import sys
from pathlib import Path

import pytest

from experiments import run
from experiments import settings as grid


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    commands: list[tuple[str, ...]] = []
    monkeypatch.setattr(run, "_run", lambda *command: commands.append(command))
    return commands


def _call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["evidence", *arguments])
    monkeypatch.setenv(run.JOBS, "1")
    return run.main()


@pytest.mark.parametrize("only", [["half"], ["plain"], ["plain", "crossfit"], ["half", "plain"]])
def test_teachers_leave_the_profiles_own_parameters(
    ran: list[tuple[str, ...]],
    only: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    # or the queue would lay `~teachers.members.m2` over parameters that have no m2
    assert _call(monkeypatch, "--only", *only, "--data", str(tmp_path), "--", "teachers") == 0
    assert ran[-1][2:] == (
        "stages.profile",
        "apply",
        "glue-cpu",
        "--set",
        f"data.folder={tmp_path}",
    )
    wanted = {setting.of_teachers for setting in grid.chosen(only)}
    assert sum("orchestration.repro" in command for command in ran) == len(wanted)


def test_teachers_of_each_set_of_changes_are_made_under_these(
    ran: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert _call(monkeypatch, "--only", "plain", "--data", str(tmp_path), "--", "teachers") == 0
    applied, repro, _ = ran
    assert [part for part in applied if part in grid.PLAIN] == list(grid.PLAIN)
    stages = ("ensemble", "feature_teachers")
    assert repro[2:] == ("orchestration.repro", "--jobs", "2", "--until", *stages)


def test_missing_data_is_told(
    ran: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _call(monkeypatch, "teachers") == 2
    assert "no folder of GLUE files" in capsys.readouterr().err
    assert not ran


@pytest.mark.parametrize("what", ["list", "teachers", "queue", "gather"])
def test_a_setting_that_is_not_there_is_refused(
    ran: list[tuple[str, ...]],
    what: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _call(monkeypatch, "--only", "half", "anealed", "--", what) == 2
    told = capsys.readouterr()
    assert told.err.startswith(
        "error: no such setting; did you mean annealed?\n  seen: anealed\n  where: --only\n"
    )
    assert "fix: choose from half, same, " in told.err
    assert not told.out
    assert not ran


def test_commands_are_all_settings_with_the_first_seed_then_with_the_next() -> None:
    settings = grid.chosen(["half", "same"])
    names = [command[5] for command in run.commands(settings, [1, 2])]
    assert names == ["half-1", "same-1", "half-2", "same-2"]
    *_, last = run.commands(settings[:1], [3])
    assert last[-2:] == ["-S", "student.seed=3"]
