"""`--help` of a stage names what it reads and writes.

Run with: python -m pytest tests/stages/test_help.py
"""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from stages import distil, results


@pytest.mark.parametrize(
    ("stage", "named"),
    [
        (distil, ("prepared", "transfer", "soft_labels", "feature_teachers", "student")),
        (results, ("evaluation",)),
    ],
    ids=["distil", "results"],
)
def test_help_names_what_is_read_and_written(stage, named) -> None:
    result = CliRunner().invoke(stage.app, ["--help"])
    assert result.exit_code == 0
    assert not [name for name in named if f"data/{name}" not in result.stdout]
