"""The commands that `python -m experiments` runs, none of which is run here."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from experiments import run
from experiments import settings as grid
from experiments.__main__ import app
from stages import _cli

ROOT = Path(__file__).resolve().parents[2]
# Any one of them would make `--help` take up to several seconds.
HEAVY = {"torch", "transformers", "pandas", "scipy", "sklearn", "numpy", "pyarrow", "dvc"}


@pytest.fixture
def run_commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    commands: list[tuple[str, ...]] = []
    monkeypatch.setattr(run, "_run", lambda *command: commands.append(command))
    return commands


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run `python -m experiments` with these arguments in this process and give its exit code."""
    monkeypatch.setattr(sys, "argv", ["experiments", *arguments])
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as end:
            _cli.run(app)
    finally:
        signal.signal(signal.SIGTERM, before)
    return int(end.value.code or 0)


@pytest.mark.parametrize("only", [["half"], ["plain"], ["plain", "crossfit"], ["half", "plain"]])
def test_teachers_leave_the_profiles_own_parameters(
    run_commands: list[tuple[str, ...]],
    only: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    named = [part for name in only for part in ("--only", name)]
    # or the queue would lay `~teachers.members.m2` over parameters that have no m2
    assert call(monkeypatch, "teachers", *named, "--data", str(tmp_path)) == 0
    assert run_commands[-1][2:] == (
        "stages.profile",
        "apply",
        "glue-cpu",
        "--set",
        f"data.folder={tmp_path}",
    )
    changes = {setting.of_teachers for setting in grid.select(only)}
    assert sum("orchestration.repro" in command for command in run_commands) == len(changes)


def test_teachers_of_each_set_of_changes_are_made_under_these(
    run_commands: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert call(monkeypatch, "teachers", "--only", "plain", "--data", str(tmp_path)) == 0
    applied, repro, _ = run_commands
    assert [part for part in applied if part in grid.PLAIN] == list(grid.PLAIN)
    until = ("--until", "ensemble", "--until", "feature_teachers")
    assert repro[2:] == ("orchestration.repro", "--jobs", "2", *until)


def test_missing_data_is_told(
    run_commands: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, "teachers", "--data", "nowhere") == 2
    assert "no folder of GLUE files" in capsys.readouterr().err
    assert not run_commands


@pytest.mark.parametrize("what", [("list",), ("teachers", "--data", "."), ("queue",), ("gather",)])
def test_a_setting_that_is_not_there_is_refused(
    run_commands: list[tuple[str, ...]],
    what: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, *what, "--only", "half", "--only", "anealed") == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(
        "error: no such setting; did you mean annealed?\n  seen: anealed\n  where: --only\n"
    )
    assert "fix: choose from half, same, " in printed.err
    assert not printed.out
    assert not run_commands


def test_commands_are_all_settings_with_the_first_seed_then_with_the_next() -> None:
    settings = grid.select(["half", "same"])
    names = [command[5] for command in run.commands(settings, [1, 2])]
    assert names == ["half-1", "same-1", "half-2", "same-2"]
    *_, last = run.commands(settings[:1], [3])
    assert last[-2:] == ["-S", "student.seed=3"]


def test_help_has_an_example_of_every_command_and_loads_no_heavy_library() -> None:
    """One process asks for all of them."""
    code = (
        "import sys\nfrom typer.main import get_command\nfrom typer.testing import CliRunner\n"
        "from experiments.__main__ import app\n"
        "for name in get_command(app).commands:\n"
        "    printed = CliRunner().invoke(app, [name, '--help']).stdout\n"
        "    assert f'Example: python -m experiments {name}' in printed, printed\n"
        f"print(*sorted({HEAVY!r} & set(sys.modules)))"
    )
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (process.stdout.strip(), process.stderr) == ("", "")
