"""Revisions and experiments of a small DVC project, compared as a user does.

Run with: python -m pytest tests/stages/test_compare.py
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.evaluation import revisions
from stages import _cli, compare

pytestmark = pytest.mark.medium  # a small project, run through DVC
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "experiments.md"
PARAMS = "student: {seed: 1, gain: 2.0}\nteachers: {tasks: {rte: {}}}\n"
PIPELINE = """
stages:
  evaluate:
    cmd: python evaluate.py
    deps: [evaluate.py]
    params: [student, teachers]
    metrics: [{reports/summary.json: {cache: false}}]
"""
EVALUATE = """
import json, pathlib
from ruamel.yaml import YAML
params = YAML(typ="safe").load(pathlib.Path("params.yaml"))
gain = params["student"]["gain"]
figures = {"student": 50 + gain, "baseline": 50.0, "difference": gain, "low": gain - 1,
           "high": gain + 1.04}
taught = {"teacher_tasks": figures} if params["teachers"]["tasks"] else {}
pathlib.Path("reports").mkdir(exist_ok=True)
whole = {"glue": figures, "tasks": {"rte": figures}, **taught}
pathlib.Path("reports/summary.json").write_text(json.dumps(whole))
"""
Run = Callable[..., tuple[object, str, str]]


def _environment() -> dict[str, str]:
    """This process's environment, without this user's Git and DVC settings."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("DVC_", "GIT_"))}
    whose = {f"GIT_{who}_NAME": "test" for who in ("AUTHOR", "COMMITTER")}
    mails = {f"GIT_{who}_EMAIL": "test@example.org" for who in ("AUTHOR", "COMMITTER")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    proxies = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")  # no network
    git = {"GIT_CONFIG_GLOBAL": os.devnull, **whose, **mails}
    return {**own, **git, **proxies, "DVC_NO_ANALYTICS": "1", "PATH": path}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one stage, run at HEAD, and two experiments, `more` and `none`."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "params.yaml").write_text(PARAMS)
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "evaluate.py").write_text(EVALUATE)
    dvc = [sys.executable, "-m", "dvc"]
    for command in (
        ["git", "init", "-q", "-b", "main"],
        [*dvc, "init", "-q"],
        [*dvc, "repro", "-q"],
        ["git", "add", "-A"],
        ["git", "commit", "-qm", "base"],
        [*dvc, "exp", "run", "-q", "-n", "more", "-S", "student.gain=3.5"],
        ["git", "checkout", "-q", "HEAD", "--", "."],
        [*dvc, "exp", "run", "-q", "-n", "none", "-S", "~teachers.tasks.rte"],
    ):
        subprocess.run(command, cwd=folder, env=_environment(), check=True)
    subprocess.run(["git", "checkout", "-q", "HEAD", "--", "."], cwd=folder, check=True)
    return folder


@pytest.fixture
def run(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run(*revisions)` compares them in this process; exit code, stdout and stderr."""
    monkeypatch.chdir(project)
    monkeypatch.delenv("DVC_STAGE", raising=False)

    def call(*arguments: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["compare", *arguments])
        with pytest.raises(SystemExit) as end:
            _cli.run(compare.app)
        return end.value.code or 0, *capsys.readouterr()

    return call


def _rows(text: str) -> list[list[str]]:
    """Cells of the printed lines between the table's rules, a list a line."""
    lines = [line for line in text.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def test_without_a_name_it_is_head_the_workspace_and_all_experiments(run: Run) -> None:
    code, out, _ = run()
    assert code == 0
    head = ["-", "52.0", "+2.0 (1.0 to 3.0)", "+2.0 (1.0 to 3.0)"]
    assert _rows(out)[1:] == [
        ["HEAD", *head],
        ["workspace", *head],
        ["more", "student.gain: 2.0 -> 3.5", "53.5", "+3.5 (2.5 to 4.5)", "+3.5 (2.5 to 4.5)"],
        ["none", "teachers.tasks.rte: {} -> (absent)", "52.0", "+2.0 (1.0 to 3.0)", "-"],
    ]


def test_named_revisions_are_compared_with_the_first(run: Run) -> None:
    code, out, _ = run("more", "main")
    assert code == 0
    assert [row[:3] for row in _rows(out)[1:]] == [
        ["more", "-", "53.5"],
        ["main", "student.gain: 3.5 -> 2.0", "52.0"],
    ]
    assert out.endswith("against more. Scores: percent on dev rows, with 95 % intervals.\n")


def test_an_unknown_revision_is_the_users_mistake(run: Run) -> None:
    code, out, err = run("HEAD", "nope")
    assert (code, out) == (2, "")
    assert err.startswith("error: unknown Git revision 'nope'\n")
    assert "dvc exp list" in err


def test_many_long_changes_fit_120_columns() -> None:
    gap = {"student": 100.0, "difference": -15.3, "low": -25.3, "high": -10.0}
    params = {"teachers": {"members": {f"member{at}": {"learning_rate": at} for at in range(9)}}}
    first = revisions.Revision("HEAD", {}, {})
    summary = {"glue": gap, "teacher_tasks": gap}
    second = revisions.Revision("a-branch/with-a-very-long-name", params, summary)
    text = revisions.text(revisions.table([first, second]))
    assert max(map(len, text.splitlines())) <= 120
    assert text.count("-15.3 (-25.3 to -10.0)") == 2


def test_the_guides_line_shows_what_changed_and_the_glue_score(project: Path) -> None:
    (line,) = re.findall(r"^dvc (exp show --only-changed .*)$", GUIDE.read_text("utf-8"), re.M)
    command = [sys.executable, "-m", "dvc", *shlex.split(line), "--md"]
    table = subprocess.run(
        command, cwd=project, env=_environment(), capture_output=True, text=True, check=True
    ).stdout
    heads = {cell.strip() for cell in table.splitlines()[0].strip("|").split("|")}
    figures = {f"glue.{name}" for name in ("student", "difference", "low", "high")}
    assert heads >= {"Experiment", "student.gain", *figures}
    assert not [head for head in heads if "/" in head or "tasks.rte." in head]
    assert len(heads) <= 8


def test_metrics_diff_says_whether_the_student_is_better(project: Path) -> None:
    command = [sys.executable, "-m", "dvc", "metrics", "diff", "--md", "HEAD", "more"]
    table = subprocess.run(
        command, cwd=project, env=_environment(), capture_output=True, text=True, check=True
    ).stdout
    rows = [[cell.strip() for cell in line.split("|")[2:-1]] for line in table.splitlines()]
    assert ["tasks.rte.difference", "2.0", "3.5", "1.5"] in rows
    assert ["glue.low", "1.0", "2.5", "1.5"] in rows
