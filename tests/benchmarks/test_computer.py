"""What is told of the machine.

Run with: python -m pytest tests/benchmarks/test_computer.py
"""

from __future__ import annotations

import platform

import pytest
import torch

from benchmarks import computer

PROCESSORS = {
    "model name\t: AMD EPYC\ncpu family\t: 26\nmodel\t\t: 2\n\nmodel name\t: other\n": (
        "AMD EPYC, family 26 model 2"
    ),
    "processor\t: 0\nBogoMIPS\t: 50.00\n": "aarch64",
}


@pytest.mark.parametrize("text", PROCESSORS)
def test_the_processor_has_its_generation(text, tmp_path, monkeypatch) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(text)
    monkeypatch.setattr(computer, "_INFO", info)
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert computer._cpu() == PROCESSORS[text]


def test_kernels_name_what_multiplies_narrow_numbers(monkeypatch) -> None:
    features = {"avx512_bf16": True, "amx_bf16": False, "avx2": True}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    assert computer._kernels() == "AVX512 avx512_bf16"
