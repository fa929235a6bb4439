"""The forge's workflow and the pre-commit hooks call make targets that there are.

Run with: python -m pytest tests/test_public_checks.py
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
WORKFLOW, HOOKS = ".github/workflows/checks.yml", ".pre-commit-config.yaml"


def read(name: str) -> Any:
    return YAML(typ="safe").load((ROOT / name).read_text("utf-8"))


@pytest.mark.parametrize(
    ("lines", "targets"),
    [
        (
            [step["run"] for step in read(WORKFLOW)["jobs"]["checks"]["steps"] if "run" in step],
            ["setup", "checks", "test"],
        ),
        ([hook["entry"] for hook in read(HOOKS)["repos"][0]["hooks"]], ["checks", "test-fast"]),
    ],
    ids=[WORKFLOW, HOOKS],
)
def test_they_call_make_targets(lines: list[str], targets: list[str]) -> None:
    assert lines == [f"make {target}" for target in targets]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert set(targets) <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_the_workflow_runs_every_python_that_the_project_supports() -> None:
    versions = read(WORKFLOW)["jobs"]["checks"]["strategy"]["matrix"]["python"]
    assert versions == ["3.11", "3.12", "3.13"]
    assert 'requires-python = ">=3.11,<3.14"' in (ROOT / "pyproject.toml").read_text("utf-8")
