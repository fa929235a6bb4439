"""The environment of a contestant's process.

Run with: python -m pytest tests/benchmarks/test_rounds.py
"""

from __future__ import annotations

import os

from benchmarks import rounds
from pipeline.runtime import startup


def test_others_start_without_what_our_stages_set(monkeypatch) -> None:
    monkeypatch.setattr(os, "environ", {})
    before = rounds._environment(1)
    startup.prepare()
    assert rounds._environment(1) == before


def test_numpy_takes_the_kernels_of_this_processor(monkeypatch) -> None:
    """A machine may hold every program to older ones: half the rate of the ceiling."""
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    environment = rounds._environment(2)
    assert "OPENBLAS_CORETYPE" not in environment
    assert (environment["OMP_NUM_THREADS"], environment["OPENBLAS_NUM_THREADS"]) == ("2", "1")
