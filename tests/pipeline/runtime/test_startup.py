"""What a stage's process sets for itself; what the user has set stays.

Run with: python -m pytest tests/pipeline/runtime/test_startup.py
"""

from __future__ import annotations

import gc
import os

import pytest

from pipeline.runtime import startup


@pytest.fixture(autouse=True)
def threshold_restored():
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize(("before", "after"), [(None, "passive"), ("active", "active")])
def test_idle_threads_sleep_unless_the_user_wants_them_awake(monkeypatch, before, after) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", before or "")
    if before is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    startup.prepare()
    assert os.environ["OMP_WAIT_POLICY"] == after


def test_the_collector_runs_seldom() -> None:
    gc.set_threshold(700, 10, 10)
    startup.prepare()
    assert gc.get_threshold() == (50_000, 20, 20)
