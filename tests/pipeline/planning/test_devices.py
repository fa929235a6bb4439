"""Named devices: precision, rates, and shares of the peak recomputed from their sources.

Run with: python -m pytest tests/pipeline/planning/test_devices.py
"""

from __future__ import annotations

import pytest

from pipeline.errors import ParamsError
from pipeline.planning import cost, devices
from pipeline.planning.cost import Load
from pipeline.planning.encoder_shapes import KNOWN

ROW = cost.training(KNOWN["google-bert/bert-large-uncased"], Load(1, 384, 384**2))
# ModernBERT-base: 22 layers of 768, attention 4 and gated feed-forward 3 x 1,152 widths each.
SMALL_ROW = 3 * 22 * 2 * (4 * 768**2 + 3 * 768 * 1152) * 128


@pytest.mark.parametrize(
    ("name", "precision", "rows_a_second", "row"),
    [
        ("a100-80gb", "bfloat16", 110.5, ROW),
        ("a100-40gb", "bfloat16", 110.5, ROW),
        ("v100-32gb", "float16", 52, ROW),
        ("v100-32gb", "float32", 12, ROW),
        ("h100", "bfloat16", 310, ROW),
        ("t4", "float16", 32 / 0.30, SMALL_ROW),
    ],
)
def test_shares_are_those_of_the_runs_they_come_from(
    name: str, precision: str, rows_a_second: float, row: float
) -> None:
    device = devices.find(name)
    share = rows_a_second * row / device.peak[precision]
    assert device.reached[precision] == pytest.approx(share, abs=0.007)


@pytest.mark.parametrize("name", devices.NAMED)
def test_every_device_has_a_share_for_every_peak(name: str) -> None:
    device = devices.find(name)
    assert device.name == name
    assert {*device.peak} == {*device.reached}
    assert all(0.05 < share < 1 for share in device.reached.values())
    assert "float32" in device.peak


@pytest.mark.parametrize(
    ("name", "setting", "precision"),
    [
        ("a100-80gb", "auto", "bfloat16"),
        ("l4", "auto", "bfloat16"),
        ("v100-32gb", "auto", "float32"),
        ("t4", "auto", "float32"),
        ("cpu", "auto", "float32"),
        ("v100-32gb", "float16", "float16"),
        ("h100", "float32", "float32"),
    ],
)
def test_precision(name: str, setting: str, precision: str) -> None:
    assert devices.find(name).precision(setting) == precision


@pytest.mark.parametrize(("name", "setting"), [("t4", "bfloat16"), ("cpu", "float16")])
def test_a_precision_without_fast_products_is_refused(name: str, setting: str) -> None:
    with pytest.raises(ParamsError, match=f"{name} has no fast {setting} products"):
        devices.find(name).precision(setting)


def test_rate() -> None:
    assert devices.find("a100-40gb").rate("bfloat16") == pytest.approx(81.12e12)


def test_an_unknown_device_is_named_with_its_neighbour() -> None:
    with pytest.raises(ParamsError, match="did you mean a100-80gb") as error:
        devices.find("a100-80g")
    assert error.value.fix is not None
    assert "v100-32gb" in error.value.fix
