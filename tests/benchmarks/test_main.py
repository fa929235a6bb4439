"""The command line of the benchmarks.

Run with: python -m pytest tests/benchmarks/test_main.py
"""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from benchmarks.__main__ import NAMES, OTHERS, app
from pipeline.errors import PipelineError


def test_help_has_every_name_and_an_example() -> None:
    page = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).stdout
    assert "Example: python -m benchmarks trainer" in page
    assert [name for name in (*NAMES, *OTHERS) if name not in page] == []


@pytest.mark.parametrize(("name", "fault"), [("speed", "no such benchmark"), ("lengths", "--data")])
def test_faults_name_what_is_wrong(name, fault) -> None:
    error = CliRunner().invoke(app, [name]).exception
    assert isinstance(error, PipelineError)
    assert fault in str(error)
    assert "fix: python -m benchmarks" in str(error)
