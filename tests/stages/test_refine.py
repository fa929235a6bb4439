"""The refine stage: its command line.

Run with: python -m pytest tests/stages/test_refine.py
"""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from pipeline.errors import ParamsError
from pipeline.teachers import refine as refinement
from stages import refine

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yaml = YAML()
    params = yaml.load((ROOT / "profiles" / "sample.yaml").read_text(encoding="utf-8"))
    params["refinement"]["candidates"] = {"c1": {"seed": 1}}
    params["selection"]["top"] = 1
    with Path("params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(params, file)


def test_the_name_on_the_command_line_goes_to_the_training(monkeypatch):
    calls = []
    monkeypatch.setattr(refinement, "refine", lambda name, params: calls.append((name, params)))
    CliRunner().invoke(refine.app, ["--candidate", "c1"], catch_exceptions=False)
    ((name, params),) = calls
    assert name == "c1"
    assert list(params.refinement.candidates) == ["c1"]


def test_a_name_that_is_not_in_params_is_refused():
    with pytest.raises(
        ParamsError, match=r"no such name under refinement\.candidates; there are: c1"
    ):
        CliRunner().invoke(refine.app, ["--candidate", "c9"], catch_exceptions=False)
