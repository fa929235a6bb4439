"""A training stage gives the same weights with accelerate installed and without it.

transformers calls accelerate in some of its own functions wherever it finds it.

Run with: python -m pytest tests/stages/test_accelerate.py
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TEACH = ("teach", "--task", "rte", "--member", "m1", "--fold", "all")
WEIGHTS = ("encoder/model.safetensors", "heads.safetensors")
PINS = ROOT / "requirements-bench.txt"


def run(folder: Path, *arguments: str, packages: Path | None = None) -> None:
    """Run a stage's command line in a folder, with further packages on Python's path."""
    path = os.pathsep.join(str(part) for part in (ROOT, packages) if part)
    process = subprocess.run(
        [sys.executable, "-m", f"stages.{arguments[0]}", *arguments[1:]],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr


@pytest.fixture(scope="module")
def accelerate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with accelerate alone, at the version that the benchmarks pin."""
    if importlib.util.find_spec("accelerate") is not None:
        pytest.skip("this environment has accelerate: run in the one that `make setup` makes")
    (pin,) = (
        line for line in PINS.read_text("utf-8").splitlines() if line.startswith("accelerate")
    )
    folder = tmp_path_factory.mktemp("packages")
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--target", str(folder))
    process = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, pin],
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        pytest.skip(f"pip cannot install {pin}: {process.stderr.strip()}")
    return folder


@pytest.fixture
def project(tiny_params, tmp_path: Path) -> Path:
    """The tiny profile with all that one teacher of it needs."""
    values = tiny_params.model_dump(mode="json")
    (tmp_path / "params.yaml").write_text(json.dumps(values), encoding="utf-8")  # JSON is YAML
    for stage, option, name in (
        ("download", "--task", "rte"),
        ("prepare", "--task", "rte"),
        ("initialize", "--member", "m1"),
    ):
        run(tmp_path, stage, option, name)
    return tmp_path


def test_a_teacher_has_the_same_weights_beside_accelerate_and_without_it(
    project: Path, accelerate: Path
) -> None:
    teacher = project / "data" / "teachers" / "rte" / "m1" / "all"
    weights = []
    for packages in (None, accelerate):
        run(project, *TEACH, packages=packages)
        weights.append({name: (teacher / name).read_bytes() for name in WEIGHTS})
        teacher.rename(project / f"teacher-{len(weights)}")
    assert weights[0] == weights[1]
