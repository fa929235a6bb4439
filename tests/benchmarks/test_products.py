"""Gains of oneDNN and bfloat16, by hand and with a narrow model.

Run with: python -m pytest tests/benchmarks/test_products.py
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import products
from benchmarks.contestants import __main__
from benchmarks.contestants.products import difference


def test_a_gain_is_taken_within_each_turn() -> None:
    turns = [
        {"mkl": {"training": {"cpu": mkl}}, "auto": {"training": {"cpu": auto}}}
        for mkl, auto in ((6.0, 3.0), (6.0, 2.0))
    ]
    assert products.gains(turns, "auto", "training", "cpu") == (2.0, 3.0)


def test_differences_by_hand() -> None:
    """Logits (0, 0) and (0, ln 3) have probabilities 1/2 and 1/4 of the first class."""
    one, other = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[0.0, np.log(3)], [1.0, 1.0]])
    largest = difference(one, other)
    assert largest["logit"] == pytest.approx(np.log(3))
    assert largest["probability"] == pytest.approx(0.25)


@pytest.mark.medium
def test_modes_take_turns_and_differ_by_their_products_alone(job, state) -> None:
    switched = replace(job, contestant="products", repeats=2)
    details = __main__.measure(__main__.prepare(switched))["details"]
    assert [[*turn] for turn in details["turns"]] == [["mkl", "auto", "bfloat16"]] * 2
    assert [*details["turns"][0]["mkl"]] == ["training", "scoring"]
    logits = {mode: largest["logit"] for mode, largest in details["differences"].items()}
    assert logits["mkl"] == 0
    assert logits["auto"] < 1e-5 < logits["bfloat16"] < 0.1
