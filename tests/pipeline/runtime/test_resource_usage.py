"""A stage's cost is kept outside the artifacts, only when DVC runs it.

Run with: python -m pytest tests/pipeline/runtime/test_resource_usage.py
"""

from __future__ import annotations

from pipeline.runtime import resource_usage


def test_cost_is_recorded_under_the_stages_name(tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("DVC_STAGE", "teach@rte-m1")
    resource_usage.record()
    (cost,) = resource_usage.read(tmp_path / resource_usage.FOLDER)
    assert cost["stage"] == "teach@rte-m1"
    assert cost["cpu_seconds"] > 0
    assert cost["peak_mib"] > 10


def test_nothing_is_recorded_without_dvc(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_STAGE", raising=False)
    resource_usage.record()
    assert not list(tmp_path.iterdir())
