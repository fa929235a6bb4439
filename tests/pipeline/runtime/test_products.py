"""The library of float32 products on a CPU.

Run with: python -m pytest tests/pipeline/runtime/test_products.py
"""

from __future__ import annotations

import pytest
import torch

from pipeline.errors import ParamsError
from pipeline.runtime import products

AMD = {"cpu_name": "AMD EPYC"}
INTEL = {"cpu_name": "Intel Xeon"}
KINDS = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
MATMUL = torch.backends.mkldnn.matmul


@pytest.fixture(autouse=True)
def switch_restored():
    before = MATMUL.fp32_precision
    yield
    MATMUL.fp32_precision = before


@pytest.fixture
def processor(monkeypatch):
    """Sets what torch reports of the processor."""

    def pretend(features, kernels="AVX512"):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: kernels)

    return pretend


@pytest.mark.parametrize(
    ("features", "kernels", "library"),
    [
        (AMD, "AVX512", "onednn"),
        (AMD, "AVX2", "mkl"),
        (AMD | {"amx_tile": True}, "AVX512", "mkl"),
        (INTEL, "AVX512", "mkl"),
        ({"architecture": "aarch64"}, "DEFAULT", "mkl"),
    ],
)
def test_auto_takes_onednn_on_amd_with_avx512_and_no_amx(
    processor, monkeypatch, features, kernels, library
):
    processor(features, kernels)
    monkeypatch.setattr(products, "_error", lambda: 3e-7)
    assert products.switch("auto")[0] == library
    assert MATMUL.fp32_precision == ("bf16" if library == "onednn" else "none")


@pytest.mark.parametrize("wanted", ["auto", "onednn"])
def test_onednn_is_never_taken_where_it_rounds(processor, monkeypatch, wanted):
    processor(AMD)
    monkeypatch.setattr(products, "_error", lambda: 2e-3)
    if wanted == "auto":
        assert products.switch(wanted)[0] == "mkl"
    else:
        with pytest.raises(ParamsError, match=r"machine\.products"):
            products.switch(wanted)
    assert MATMUL.fp32_precision == "none"


@pytest.mark.parametrize("wanted", ["auto", "mkl"])
def test_products_are_in_float32(wanted):
    products.switch(wanted)
    torch.manual_seed(0)
    one, other = torch.randn(2, 300, 300)
    exact = one.double() @ other.double()
    assert (one @ other - exact).norm() / exact.norm() < 1e-6


def test_onednn_multiplies_narrow_tensors_and_float32_once_it_is_switched_on():
    one = torch.ones(2)
    products.switch("mkl")
    assert [products.by_onednn(one.to(kind)) for kind in KINDS] == [False, False, True, True]
    MATMUL.fp32_precision = "bf16"
    assert [products.by_onednn(one.to(kind)) for kind in KINDS] == [True, False, True, True]
