"""Another processor reruns nothing, and values for `auto` are written once.

Run with: python -m pytest tests/dvc/test_processor.py
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

pytestmark = pytest.mark.slow

OLDER = {"ATEN_CPU_CAPABILITY": "avx2"}


def processor(project: Any) -> str:
    manifest = json.loads((project.root / "data/teachers/rte/m1/all/model.json").read_text())
    written: str = manifest["training"]["processor"]
    return written


@pytest.mark.skipif(
    not torch.backends.cpu.get_cpu_capability().startswith("AVX512"), reason="needs AVX-512"
)
def test_a_finished_clone_on_another_processor_runs_nothing(as_committed: Any) -> None:
    project = as_committed
    assert "no stage to run" in project.python("-m", "orchestration.repro", **OLDER)
    assert "AVX512" in processor(project)
    project.dvc("repro", "--single-item", "--force", "teach@rte-m1-all", **OLDER)
    assert processor(project).endswith("AVX2 mkl")


def test_auto_is_written_as_a_value_once_and_then_stands(as_committed: Any) -> None:
    project = as_committed
    before = project.lock()
    project.change(lambda params: params["machine"].update(precision="auto", shards="auto"))
    refused = project.dvc("repro", "teach@rte-m1-all", code=None)
    assert "auto decides the bytes of results" in refused
    assert "python -m stages.profile resolve" in refused
    shown = project.python("-m", "orchestration.repro")
    assert "params.yaml: machine.precision: auto -> float32, this machine's value" in shown
    assert "params.yaml: machine.shards: auto -> " in shown
    assert "auto" not in project.lock()
    assert project.python("-m", "stages.profile", "resolve").endswith("that decides results\n")
    assert before.count("shards: 2") == project.lock().count("shards: ")
