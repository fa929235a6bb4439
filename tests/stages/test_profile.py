"""The command line of profiles: list, show, diff, apply, and the exit codes.

Run with: python -m pytest tests/stages/test_profile.py
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from stages import _cli
from stages.profile import app

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the sample applied, and the current folder."""
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    shutil.copy(ROOT / "profiles" / "sample.yaml", tmp_path / "params.yaml")
    (tmp_path / "data" / "local").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> object:
    """Run the command line in this process; gives exit code, stdout and stderr."""

    def call(*arguments: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["profile", *arguments])
        with pytest.raises(SystemExit) as end:
            _cli.run(app)
        return end.value.code or 0, *capsys.readouterr()

    return call


def test_list(run) -> None:
    code, out, _ = run("list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [
        "sample",
        "glue-base",
        "glue-cpu",
        "paper",
    ]
    assert "glue-cpu    Real GLUE files from a folder" in out


def test_show_prints_what_apply_writes(run, project: Path) -> None:
    (project / "my glue").mkdir()
    arguments = ("glue-cpu", "--set", "student.epochs=1", "--set", "data.folder=my glue")
    code, text, _ = run("show", *arguments)
    assert code == 0
    assert (project / "params.yaml").read_text() == (project / "profiles/sample.yaml").read_text()
    assert run("apply", *arguments)[0] == 0
    assert (project / "params.yaml").read_text() == text
    assert f"folder: {project / 'my glue'}" in text


def test_apply_says_what_it_replaced(run, project: Path) -> None:
    own = project / "params.yaml"
    own.write_text(own.read_text().replace("seed: 2018", "seed: 77", 1))
    code, out, _ = run("apply", "sample", "--set", "teachers.members.m4={seed: 4}")
    assert code == 0
    assert out.splitlines() == [
        "params.yaml: sample, values changed: 2",
        "  teachers.members.m4: (absent) -> {seed: 4}",
        "  student.seed: 77 -> 2018",
    ]


def test_apply_again_touches_nothing(run, project: Path) -> None:
    run("apply", "glue-cpu")
    before = (project / "params.yaml").stat().st_mtime_ns
    code, out, _ = run("apply", "glue-cpu")
    assert (code, out) == (0, "params.yaml: glue-cpu, values changed: 0\n")
    assert (project / "params.yaml").stat().st_mtime_ns == before


def test_apply_mends_a_broken_params_yaml(run, project: Path) -> None:
    (project / "params.yaml").write_text("student: [\n")
    code, out, _ = run("apply", "sample")
    assert (code, out) == (
        0,
        "params.yaml: sample, written new; there was none that could be read\n",
    )
    assert (project / "params.yaml").read_text() == run("show", "sample")[1]


def test_diff_with_params_yaml(run, project: Path) -> None:
    run("apply", "glue-base", "--set", "student.seed=7")
    assert run("diff", "glue-base")[1].splitlines() == [
        "params.yaml -> glue-base",
        "  student.seed: 7 -> 2018",
    ]


def test_diff_of_two_profiles(run) -> None:
    _, out, _ = run("diff", "sample", "glue-cpu")
    there = out.splitlines()
    assert there[:2] == ["sample -> glue-cpu", "  data.source: sample -> local"]
    _, out, _ = run("diff", "glue-cpu", "sample")
    assert len(out.splitlines()) == len(there)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["apply", "glu-cpu"], "error: no such profile; did you mean glue-cpu?\n  seen: glu-cpu"),
        (["show", "nothing-like-it"], "choose one of sample, glue-base, glue-cpu, paper"),
        (["diff", "sample", "papr"], "did you mean paper?"),
        (
            ["apply", "paper", "--set", "student.epoch=1"],
            "error: 1 fault in the parameters:\n"
            "  - student.epoch: unknown key; did you mean epochs?\n"
            "  where: profiles/paper.yaml --set student.epoch=1",
        ),
        (["apply", "paper", "--set", "~tasks.wnli"], "tasks.wnli: no such key"),
        (["apply", "sample", "--set", "student.epochs"], "no `=` in it"),
        (["apply", "glue-cpu", "--set", "data.folder=typo"], "fix: name the folder of your GLUE"),
        (["apply"], "Missing argument"),
        (["aply", "sample"], "No such command 'aply'"),
        ([], "Missing command"),
    ],
)
def test_mistakes_exit_with_2_and_change_nothing(
    run, project: Path, arguments: list[str], message: str
) -> None:
    code, out, err = run(*arguments)
    assert code == 2
    assert message in err
    assert "Traceback" not in out + err
    assert (project / "params.yaml").read_bytes() == (project / "profiles/sample.yaml").read_bytes()


def test_outside_a_project(
    run, project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    code, _, err = run("apply", "sample")
    assert code == 2
    assert "fix: run from the project's root" in err
