"""The tune stage: its command line.

Run with: python -m pytest tests/stages/test_tune.py
"""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from pipeline.errors import ParamsError
from pipeline.student import tune as tuning
from stages import tune

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yaml = YAML()
    params = yaml.load((ROOT / "profiles" / "sample.yaml").read_text(encoding="utf-8"))
    params["tuning"]["tasks"] = {"mnli": {}}
    with Path("params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(params, file)


def test_the_name_on_the_command_line_goes_to_the_training(monkeypatch):
    calls = []
    monkeypatch.setattr(tuning, "tune", lambda name, params: calls.append((name, params)))
    CliRunner().invoke(tune.app, ["--task", "mnli"], catch_exceptions=False)
    ((name, params),) = calls
    assert name == "mnli"
    assert list(params.tuning.tasks) == ["mnli"]


def test_a_name_that_is_not_in_params_is_refused():
    with pytest.raises(ParamsError, match=r"no such name under tuning\.tasks; there are: mnli"):
        CliRunner().invoke(tune.app, ["--task", "rte"], catch_exceptions=False)
