"""The ceiling of a training step, by hand and with a narrow model.

Run with: python -m pytest tests/benchmarks/test_limit.py
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from benchmarks import limit, rate
from benchmarks.contestants import __main__, ceiling
from benchmarks.job import PRECISIONS


def test_the_step_is_held_against_the_fastest_products() -> None:
    """MKL is faster in one turn, but oneDNN's median of 200 is above its 110."""
    turns = [
        {limit.STEP: {"cpu": step}, "MKL": {"cpu": mkl}, "oneDNN": {"cpu": onednn}}
        for step, mkl, onednn in ((60.0, 110.0, 100.0), (90.0, 110.0, 200.0), (75.0, 90.0, 250.0))
    ]
    assert limit.ceiling(turns, "cpu") == "oneDNN"
    assert limit.shares(turns, "cpu") == (60.0, 45.0, 30.0)


@pytest.mark.medium
@pytest.mark.parametrize("threads", [1, 2])
def test_every_library_multiplies_in_turns_with_the_step(job, state, monkeypatch, threads) -> None:
    monkeypatch.setattr(rate, "SQUARE", 64)
    limited = replace(job, contestant="limit", rows=10, length=8, threads=threads, repeats=2)
    details = __main__.measure(__main__.prepare(limited))["details"]
    shapes = ("the step's shapes", "64 x 64")
    onednn = ["oneDNN"] if ceiling._available("onednn") else []
    libraries = {"float32": ["MKL", *onednn, "numpy's OpenBLAS"], "bfloat16": ["oneDNN"]}
    assert len(details["turns"]) == 2
    for precision in PRECISIONS:
        rates = details["turns"][0][precision]
        named = [f"{library}, {of}" for of in shapes for library in libraries[precision]]
        assert [*rates] == [limit.STEP, *named]
        assert all(clocks["wall"] > 0 for clocks in rates.values())


def test_products_are_timed_by_the_library_that_they_are_named_after(state, monkeypatch) -> None:
    """On a processor with AMX oneDNN would round: it is tried and left out."""
    switched = []

    def switch(wanted):
        switched.append(wanted)
        if wanted == "onednn":
            raise ceiling.ParamsError("it would round")

    monkeypatch.setattr(ceiling.products, "switch", switch)
    works = {
        "step": ceiling.Work(1, "auto", lambda: switched.append("step")),
        "MKL": ceiling.Work(1, "mkl", lambda: switched.append("MKL")),
    }
    ceiling._rates(works)
    assert switched == ["auto", "step", "mkl", "MKL"]
    assert [*ceiling._libraries(torch.float32, "auto")] == ["MKL", "numpy's OpenBLAS"]
