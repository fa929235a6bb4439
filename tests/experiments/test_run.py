"""The commands that `python -m experiments` runs, none of which is run here."""

import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from experiments import run
from experiments import settings as grid
from experiments.__main__ import app
from pipeline.params import profiles, yaml_text
from pipeline.replication import experiments, settings
from pipeline.replication.settings import Run
from stages import _cli

ROOT = Path(__file__).resolve().parents[2]
# Any one of them would make `--help` take up to several seconds.
HEAVY = {"torch", "transformers", "pandas", "scipy", "sklearn", "numpy", "pyarrow", "dvc"}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[Run], int]]:
    """What would be made."""
    calls: list[tuple[list[Run], int]] = []
    monkeypatch.setattr(experiments, "make", lambda runs, jobs: calls.append((runs, jobs)))
    return calls


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


def test_the_grid_is_run_over_the_profile_and_the_folder_of_files(
    made: list[tuple[list[Run], int]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    only = ("--only", "plain", "--only", "half", "--seed", "2", "--seed", "1")
    assert call(monkeypatch, "run", "--data", str(tmp_path), *only, "--jobs", "3") == 0
    ((runs, jobs),) = made
    assert jobs == 3
    assert [run.name for run in runs] == ["half-2", "plain-2", "half-1", "plain-1"]
    for one in runs:
        changes = (f"data.folder={tmp_path}", *grid.select([one.setting])[0].changes)
        wanted = profiles.values("glue-cpu", [*changes, f"student.seed={one.seed}"])
        assert yaml_text.parse(one.text, one.name) == wanted


def test_missing_data_is_told(
    made: list[tuple[list[Run], int]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, "run", "--data", "nowhere") == 2
    assert "no folder of GLUE files" in capsys.readouterr().err
    assert not made


@pytest.mark.parametrize("what", [("list",), ("run", "--data", "."), ("gather",)])
def test_a_setting_that_is_not_there_is_refused(
    made: list[tuple[list[Run], int]],
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
    assert not made


def test_every_setting_is_a_command_that_means_the_same() -> None:
    for setting, command in zip(grid.SETTINGS, run.commands(grid.SETTINGS, [1, 2]), strict=True):
        program, tool, *words = shlex.split(command)
        assert (program, tool, words[:2]) == ("mtdnnkd", "seeds", ["1", "2"])
        if setting.changes:
            assert words[2] == "--setting"
            assert settings.parse(words[3]).changes == setting.changes
        assert len(words) == (4 if setting.changes else 2)


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
