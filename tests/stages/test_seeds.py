"""The command line: what it asks for, what it refuses, what it prints; nothing is trained here.

Run with: python -m pytest tests/stages/test_seeds.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.replication import experiments, figures, results, workspace
from tests import command_line
from tests.pipeline.replication.conftest import project  # noqa: F401  a fixture
from tests.pipeline.replication.test_table import BASE


def evaluations(runs: Any) -> dict[str, dict[int, Path]]:
    found: dict[str, dict[int, Path]] = {}
    for run in runs:
        found.setdefault(run.setting, {})[run.seed] = Path(run.name)
    return found


@pytest.fixture
def asked(project: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:  # noqa: F811
    """What would be made; everything is finished then."""
    made: list[Any] = []
    monkeypatch.setattr(experiments, "make", lambda *arguments: made.append(arguments))
    monkeypatch.setattr(experiments, "fetch", evaluations)
    monkeypatch.setattr(figures, "gather", lambda setting, folders: dict(BASE))
    monkeypatch.setattr(experiments, "commits", lambda names: [f"{len(names)} runs"])
    return made


def test_every_seed_of_every_setting_is_made_and_shown(asked: list[Any]) -> None:
    warm = "warm=distillation.temperature=2.0,distillation.hard_weight=0.25"
    options = ("--setting", warm, "--jobs", "3", "--of", "all")
    process = command_line.run("seeds", "2", "1", "2", *options)
    assert (process.returncode, process.stderr) == (0, "")
    ((runs, jobs),) = asked
    names = ["base-all-2", "warm-all-2", "base-all-1", "warm-all-1"]
    assert ([run.name for run in runs], jobs) == (names, 3)
    assert process.stdout.startswith("| Task | Setting |")
    assert "`warm`, seeds 1, 2, run at 2 runs: " in process.stdout
    assert (results.FOLDER / "results.md").read_text("utf-8") == process.stdout
    assert sorted(path.name for path in results.FOLDER.iterdir()) == ["figures.json", "results.md"]


def test_show_runs_nothing(asked: list[Any]) -> None:
    assert command_line.run("seeds", "1", "--show").returncode == 0
    assert asked == []


def test_show_without_a_finished_run_names_the_command(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiments, "fetch", lambda _: {})
    warm = "warm=distillation.loss={kind: kl}"
    process = command_line.run("seeds", "1", "2", "--setting", warm, "--show")
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr == (
        "error: no run with these parameters is finished\n"
        "  seen: base-1, warm-1, base-2, warm-2\n"
        f"  fix: mtdnnkd seeds 1 2 --setting '{warm}'\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument"),
        (["-1"], "-1"),
        (["4294967296"], "less than or equal to 4294967295"),
        (["1", "--of", "teachers"], "'teachers' is not one of"),
        (["1", "--jobs", "0"], "greater than or equal to 1"),
        (["1", "--setting", "student.epochs=1"], "not a setting with a name"),
        (["1", *["--setting", "a=student.epochs=1"] * 2], "two settings of one name"),
        (["1", "--setting", "a=student.epochs=0"], "student.epochs"),
        (["1", "--setting", "a=student.seed=3"], "each of its runs sets"),
        (["9999", "--of", "all"], "no seed can be derived"),
    ],
)
def test_a_mistake_ends_with_2_before_anything_is_run(
    asked: list[Any], arguments: list[str], message: str
) -> None:
    process = command_line.run("seeds", *arguments)
    assert process.returncode == 2
    assert message in process.stderr
    assert "Traceback" not in process.stderr
    assert asked == []


def test_a_run_under_way_is_seen_through(asked: list[Any]) -> None:
    """`--show` in another terminal: params.yaml is then that of a run."""
    before = Path("params.yaml").read_text("utf-8")
    (workspace.KEPT / "written").mkdir(parents=True)
    (workspace.KEPT / "params.yaml").write_text(before, "utf-8")
    workspace.write_params(before.replace("temperature: 1.0", "temperature: 2.0"))
    assert command_line.run("seeds", "5").returncode == 0
    (((run,), _),) = asked
    assert run.text == before.replace("seed: 2018\n  encoder", "seed: 5\n  encoder")
