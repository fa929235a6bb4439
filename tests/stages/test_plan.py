"""The command line of the plan: light, and usable before anything was trained.

Run with: python -m pytest tests/stages/test_plan.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stages import _cli
from stages.plan import app

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the sample applied, and the current folder."""
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    shutil.copy(ROOT / "profiles" / "sample.yaml", tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(project, monkeypatch, capsys):
    """Run the command line in this process; gives exit code, stdout and stderr."""

    def call(*arguments: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["plan", *arguments])
        with pytest.raises(SystemExit) as end:
            _cli.run(app)
        return end.value.code or 0, *capsys.readouterr()

    return call


def row(out: str, stage: str) -> list[str]:
    """Cells of a stage's line; [] if it has none."""
    return next((cells for line in out.splitlines() if (cells := line.split())[:1] == [stage]), [])


def test_params_yaml_is_planned_by_default(run, project: Path) -> None:
    before = sorted(project.rglob("*"))
    code, out, _ = run("--device", "cpu", "--devices", "2")
    assert code == 0
    assert row(out, "teach")[:3] == ["teach", "12", "468"]  # 13 steps an epoch
    assert "- 2 x core of an AMD EPYC (Zen 4), float32: " in out
    assert sorted(project.rglob("*")) == before


def test_a_profile_with_changes_can_be_planned_without_applying_it(run) -> None:
    _, short, _ = run("--profile", "paper", "--set", "tuning.tasks={}", "--device", "h100")
    _, whole, _ = run("--profile", "paper", "--device", "h100")
    assert row(whole, "tune")[:2] == ["tune", "8"]
    assert not row(short, "tune")
    assert row(short, "refine")[:2] == ["refine", "6"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--device", "a100-80"), "no such device; did you mean a100-80gb?"),
        (("--profile", "papr"), "no such profile; did you mean paper?"),
        (("--profile", "paper", "--set", "studnt.epochs=1"), "studnt: unknown key"),
        (("--set", "student.epochs=1"), "--set needs --profile"),
        (("--devices", "0"), "Invalid value"),
    ],
)
def test_mistakes_end_with_2_and_a_word(run, arguments, message: str) -> None:
    code, _, err = run(*arguments)
    assert code == 2
    assert message in err
    assert "Traceback" not in err


def test_without_params_yaml(run, project: Path) -> None:
    (project / "params.yaml").unlink()
    code, _, err = run()
    assert code == 2
    assert "no such file" in err


@pytest.mark.parametrize(
    ("argument", "heavy"),
    [
        ("--help", {"numpy", "pyarrow", "pydantic", "torch"}),
        ("--profile=paper", {"torch", "transformers", "sklearn"}),
    ],
)
def test_help_and_plan_stay_light(project: Path, argument: str, heavy: set[str]) -> None:
    code = (
        f"import sys; sys.argv = ['plan', {argument!r}]\n"
        "from stages.plan import app\n"
        "try:\n    app()\nexcept SystemExit as end:\n    assert not end.code\n"
        f"loaded = {heavy!r} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout
