"""Device, precision, threads and shards, each with its reason, and what stands for auto.

Run with: python -m pytest tests/pipeline/runtime/test_choices.py
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from pipeline.errors import ParamsError
from pipeline.runtime import choices


@pytest.fixture
def cores(monkeypatch):
    """Sets the number of cores that this process sees."""
    import psutil

    def pretend(number):
        monkeypatch.setattr(psutil, "cpu_count", lambda logical: number)
        monkeypatch.setattr(choices, "_allowed", lambda: number)

    return pretend


@pytest.fixture
def processor(monkeypatch):
    """Sets what torch reports of the processor."""

    def pretend(**features):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)

    return pretend


@pytest.mark.parametrize(
    ("number", "jobs", "threads"), [(8, "1", 8), (8, "2", 4), (2, "2", 1), (2, "3", 1), (4, "", 4)]
)
def test_cores_are_divided_among_stages_side_by_side(cores, monkeypatch, number, jobs, threads):
    cores(number)
    monkeypatch.setenv(choices.JOBS, jobs)
    assert choices.threads("auto", "cpu")[0] == threads


@pytest.mark.parametrize(("number", "shards"), [(1, 1), (2, 2), (8, 8), (64, 8)])
def test_auto_is_replaced_by_values_of_this_machine(cores, number, shards):
    cores(number)
    asked = SimpleNamespace(device="cpu", precision="auto", shards="auto", labelling_tokens="auto")
    expected = {"precision": "float32", "shards": shards, "labelling_tokens": 4096}
    assert choices.values(asked) == expected


def test_values_that_stand_are_kept():
    asked = SimpleNamespace(device="cpu", precision="bfloat16", shards=3, labelling_tokens=600)
    assert choices.values(asked) == {}


@pytest.mark.parametrize(
    ("memory", "tokens"),
    [
        (None, 4096),
        (80 * 10**9, 65536),  # 74.5 GiB: 76,293 and the power of two below
        (64 * 2**30, 65536),
        (64 * 2**30 - 1, 32768),
        (16 * 10**9, 8192),
        (2 * 2**30, 4096),
    ],
)
def test_tokens_of_a_scoring_pass_depend_on_the_memory(memory, tokens):
    assert choices.tokens_for(memory) == tokens


@pytest.mark.parametrize(
    ("refuse", "key"),
    [
        (lambda: choices.precision("auto", "cpu"), "machine.precision"),
        (lambda: choices.shards("auto", "cpu", "fast"), "machine.shards"),
        (lambda: choices.labelling_tokens("auto"), "machine.labelling_tokens"),
    ],
)
def test_a_stage_refuses_auto_where_it_decides_bytes(refuse, key):
    with pytest.raises(ParamsError, match=key) as error:
        refuse()
    assert choices.RESOLVE in str(error.value)


def test_a_machine_that_would_choose_otherwise_keeps_the_value_and_says_so(cores):
    cores(8)
    assert choices.shards(2, "cpu", "fast") == (
        2,
        "set in params.yaml; auto would choose 8 here",
    )
    assert choices.shards(8, "cpu", "fast") == (8, "set in params.yaml")


@pytest.mark.parametrize(
    ("device", "engine", "reason"), [("cpu", "plain", "engine"), ("cuda", "fast", "device")]
)
def test_a_gpu_and_the_plain_engine_take_a_batch_in_one_piece(device, engine, reason):
    assert choices.shards(4, device, engine) == (1, f"for this {reason}")


@pytest.mark.parametrize(
    ("features", "slow"),
    [
        ({"avx512_f": True}, True),
        ({"avx512_f": True, "avx512_bf16": True}, False),
        ({"amx_bf16": True}, False),
        ({"architecture": "aarch64", "bf16": True}, False),
        ({}, True),
    ],
)
def test_bfloat16_is_called_slow_only_where_it_is_emulated(processor, features, slow):
    processor(**features)
    assert ("ten times slower" in choices.precision("bfloat16", "cpu")[1]) == slow


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(ParamsError, match=r"machine\.device"):
        choices.device("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_is_found():
    assert choices.device("auto")[0] == "cuda"
