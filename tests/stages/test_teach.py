"""The teach stage: which tasks, members and folds it knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from pipeline.errors import ParamsError
from pipeline.teachers import teach as teacher
from stages import teach

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def called(tmp_path, monkeypatch) -> list[tuple[str, str, str]]:
    """The sample profile with two folds; the calls of `teacher.teach` in place of training."""
    monkeypatch.chdir(tmp_path)
    yaml, calls = YAML(), []
    params = yaml.load((ROOT / "profiles" / "sample.yaml").read_text(encoding="utf-8"))
    params["teachers"]["folds"] = [1, 2]
    with Path("params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(params, file)
    monkeypatch.setattr(teacher, "teach", lambda *names: calls.append(names[:3]))
    return calls


def run(task: str = "rte", member: str = "m1", fold: str = "2") -> None:
    arguments = ["--task", task, "--member", member, "--fold", fold]
    CliRunner().invoke(teach.app, arguments, catch_exceptions=False)


def test_it_teaches_one_member_one_task_without_one_fold(called):
    run()
    assert called == [("rte", "m1", "2")]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"task": "cola"}, "no such name under teachers.tasks; there are: mnli, qqp, rte, qnli"),
        ({"member": "m9"}, "no such name under teachers.members; there are: m1, m2, m3"),
        ({"fold": "3"}, "no such name under teachers.folds; there are: 1, 2"),
        ({"fold": "all"}, "no such name under teachers.folds; there are: 1, 2"),
    ],
)
def test_names_that_params_lacks_are_refused(called, wrong, message):
    with pytest.raises(ParamsError, match=message):
        run(**wrong)
    assert called == []
