"""`--help` of a stage names what it reads and writes, and loads no heavy library for it.

Run with: python -m pytest tests/stages/test_help.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stages import distil, results

ROOT = Path(__file__).resolve().parents[2]
STAGES = sorted(path.stem for path in (ROOT / "stages").glob("[!_]*.py"))
# Any one of them would make `--help` take up to several seconds.
HEAVY = {
    *("torch", "transformers", "tokenizers", "safetensors", "pandas", "scipy", "sklearn"),
    *("huggingface_hub", "requests", "dvc"),
}


@pytest.mark.parametrize(
    ("stage", "named"),
    [
        (distil, ("prepared", "transfer", "soft_labels", "feature_teachers", "student")),
        (results, ("evaluation",)),
    ],
    ids=["distil", "results"],
)
def test_help_names_what_is_read_and_written(stage, named) -> None:
    told = CliRunner().invoke(stage.app, ["--help"])
    assert told.exit_code == 0
    assert not [name for name in named if f"data/{name}" not in told.stdout]


@pytest.mark.parametrize("stage", STAGES)
def test_help_loads_no_heavy_library(stage: str) -> None:
    code = (
        f"import runpy, sys; sys.argv = [{stage!r}, '--help']\n"
        f"try:\n    runpy.run_module('stages.{stage}', run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code\n"
        f"print(*sorted({HEAVY!r} & set(sys.modules)), sep=', ', file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ended.stdout.lstrip().startswith("Usage:")
    assert ended.stderr.strip() == ""
