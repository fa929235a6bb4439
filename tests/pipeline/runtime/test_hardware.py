"""Device, precision and threads, with the reason for each.

Run with: python -m pytest tests/pipeline/runtime/test_hardware.py
"""

from __future__ import annotations

import pytest
import torch

from pipeline.params.machine import Machine
from pipeline.runtime import hardware


def settings(**changes):
    base = {"device": "cpu", "precision": "float32", "products": "auto", "engine": "fast"}
    base |= {"threads": "auto", "shards": 2, "labelling_tokens": 512, "checkpoint_seconds": 120}
    return Machine(**{**base, **changes})


@pytest.fixture(autouse=True)
def threads_restored():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_the_log_line_gives_every_choice_with_its_reason(capsys):
    chosen = hardware.set_up(settings(threads=1, products="mkl"))
    assert (chosen.device, chosen.precision, chosen.threads) == ("cpu", "float32", 1)
    assert (chosen.products, chosen.chip.split()[-1]) == ("mkl", "mkl")
    line = capsys.readouterr().err
    assert "cpu (set in params.yaml), float32 (set in params.yaml), products by mkl (set in" in line


@pytest.mark.parametrize(("engine", "shards"), [("fast", 3), ("plain", 1)])
def test_the_plain_engine_has_whole_batches(engine, shards, capsys):
    chosen = hardware.set_up(settings(engine=engine, shards=3))
    assert (chosen.engine, chosen.shards) == (engine, shards)
    assert f"{engine} engine" in capsys.readouterr().err


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
