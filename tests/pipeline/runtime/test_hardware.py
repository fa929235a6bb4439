"""Device, precision and threads, with the reason for each.

Run with: python -m pytest tests/pipeline/runtime/test_hardware.py
"""

from __future__ import annotations

import pytest
import torch

from pipeline.errors import ParamsError
from pipeline.params.machine import Machine
from pipeline.runtime import hardware


def settings(**changes):
    base = {"device": "cpu", "precision": "auto", "engine": "fast", "threads": "auto"}
    base |= {"shards": "auto", "labelling_tokens": 512, "checkpoint_seconds": 120}
    return Machine(**{**base, **changes})


@pytest.fixture(autouse=True)
def threads_restored():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("cores", "jobs", "threads"), [(8, "1", 8), (8, "2", 4), (2, "2", 1), (2, "3", 1), (4, "", 4)]
)
def test_cores_are_divided_among_stages_side_by_side(monkeypatch, cores, jobs, threads):
    import psutil

    monkeypatch.setattr(psutil, "cpu_count", lambda logical: cores)
    monkeypatch.setattr(hardware, "_allowed", lambda: cores)
    monkeypatch.setenv(hardware.JOBS, jobs)
    assert hardware.set_up(settings()).threads == threads


def test_the_cpu_works_in_float32_and_says_why(capsys):
    chosen = hardware.set_up(settings(threads=1))
    assert (chosen.device, chosen.precision, chosen.threads) == ("cpu", "float32", 1)
    assert "no fast 16-bit products assumed" in capsys.readouterr().err


@pytest.mark.parametrize(("engine", "shards"), [("fast", 3), ("plain", 1)])
def test_the_plain_engine_has_whole_batches(engine, shards, capsys):
    chosen = hardware.set_up(settings(engine=engine, shards=3))
    assert (chosen.engine, chosen.shards) == (engine, shards)
    assert f"{engine} engine" in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(ParamsError, match=r"machine\.device"):
        hardware.set_up(settings(device="cuda"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_is_found():
    assert hardware.set_up(settings(device="auto")).device == "cuda"


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_narrow_weights_are_not_shared_between_threads(precision):
    """Torch keeps them in one place for all threads, and each thread empties it when it is done.

    Kept or not decides in which precision the gradients of a weight's uses add up.
    """
    chosen = hardware.set_up(settings(precision=precision))
    weight = torch.nn.Parameter(torch.ones(2, 2))
    with chosen.autocast():
        first, second = (torch.ones(2, 2) @ weight for _ in range(2))
    assert first.dtype == getattr(torch, precision)
    narrowed = [one.grad_fn.next_functions[1][0] for one in (first, second)]
    assert narrowed[0] is not narrowed[1]


@pytest.mark.parametrize(
    ("wanted", "memory", "tokens"),
    [
        (3000, 80 * 10**9, 3000),
        ("auto", None, 4096),
        ("auto", 80 * 10**9, 65536),  # 74.5 GiB: 76,293 and the power of two below
        ("auto", 64 * 2**30, 65536),
        ("auto", 64 * 2**30 - 1, 32768),
        ("auto", 16 * 10**9, 8192),
        ("auto", 2 * 2**30, 4096),
    ],
)
def test_tokens_of_a_scoring_pass_depend_on_the_memory(wanted, memory, tokens):
    assert hardware.labelling_tokens(wanted, memory) == tokens


def test_a_cpu_scores_as_many_tokens_as_the_profiles_say():
    assert hardware.set_up(settings(labelling_tokens="auto")).labelling_tokens == 4096
