"""The environment of a contestant's process.

Run with: python -m pytest tests/benchmarks/test_rounds.py
"""

from __future__ import annotations

from benchmarks import rounds


def test_numpy_takes_the_kernels_of_this_processor(monkeypatch) -> None:
    """A machine may hold every program to older ones: half the rate of the ceiling."""
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    environment = rounds._environment(2)
    assert "OPENBLAS_CORETYPE" not in environment
    assert (environment["OMP_NUM_THREADS"], environment["OPENBLAS_NUM_THREADS"]) == ("2", "1")
