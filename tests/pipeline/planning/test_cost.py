"""The cost model by hand-computed numbers, and its memory against what torch keeps.

Run with: python -m pytest tests/pipeline/planning/test_cost.py
"""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.planning import cost
from pipeline.planning.cost import Load, Training
from pipeline.planning.devices import Device
from pipeline.planning.encoder_shapes import Shape

SHAPE = Shape(layers=2, hidden=4, intermediate=16, heads=2, vocabulary=10)
# 10 GFLOP/s reached, 1 GB/s
DEVICE = Device("toy", "a toy", None, 1e9, {"float32": 2e10}, {"float32": 0.5})
LOADS = st.builds(Load, st.floats(0, 1e6), st.floats(0, 1e9), st.floats(0, 1e12))


def test_forward_by_hand() -> None:
    """One row of 3 tokens: products of 4 x 16 + 2 x 64 weights, attention of 9 pairs."""
    products = 2 * (4 * 16 + 2 * 4 * 16) * 3
    attention = 2 * 9 * 4 + 2 * 9 * 4
    assert cost.forward(SHAPE, Load(1, 3, 9)) == 2 * (products + attention) == 2592
    assert cost.training(SHAPE, Load(1, 3, 9)) == 3 * 2592


def test_bert_large_by_the_rule_of_six() -> None:
    """Six times weights times tokens, as others count; attention is 6 % more at 384 tokens."""
    large = Shape(layers=24, hidden=1024, intermediate=4096, heads=16, vocabulary=30522)
    flop = cost.training(large, Load(1, 384, 384**2))
    assert flop == pytest.approx(739.2e9, rel=1e-3)
    assert flop / (6 * 24 * 12 * 1024**2 * 384) == pytest.approx(1 + 384 / (6 * 1024))


@given(LOADS, LOADS, st.floats(0, 100))
def test_cost_is_linear_in_the_load(one: Load, other: Load, factor: float) -> None:
    both = cost.forward(SHAPE, one) + factor * cost.forward(SHAPE, other)
    assert cost.forward(SHAPE, one.plus(other.times(factor))) == pytest.approx(both)


def test_seconds_of_large_steps_are_those_of_the_products() -> None:
    work = Training(Load(0, 1e9, 0), batches=10, steps=10)
    products = 3 * 2 * 2 * 192 * 1e9 / 1e10
    updates = 10 * 1e6 * 40 / 1e9
    seconds = cost.seconds_of_training(SHAPE, work, 1e6, "adamw", DEVICE, "float32")
    assert seconds == pytest.approx(products + updates) == pytest.approx(230.4 + 0.4)


def test_seconds_of_small_steps_are_those_of_issuing_them() -> None:
    work = Training(Load(0, 1.0, 0), batches=1000, steps=500)
    seconds = cost.seconds_of_training(SHAPE, work, 1e6, "adamax", DEVICE, "float32")
    assert seconds == pytest.approx(1000 * 2 * cost.HOST + 500 * 1e6 * 88 / 1e9)


def test_seconds_of_scoring() -> None:
    assert cost.seconds_of_scoring(SHAPE, Load(0, 1e9, 0), DEVICE, "float32") == pytest.approx(76.8)


def test_activations_by_hand() -> None:
    tokens = 3 * 5
    inner = 40 * 4 + 8 * 16
    assert cost.activations(SHAPE, 3, 5, "float32", fused=True) == 2 * inner * tokens
    pairs = 12 * 2 * 5
    assert cost.activations(SHAPE, 3, 5, "float32", fused=False) == 2 * (inner + pairs) * tokens
    one = cost.activations(SHAPE, 3, 5, "float32", fused=True, layers=1)
    assert one == inner * tokens
    short = cost.activations(SHAPE, 3, 5, "bfloat16", fused=True)
    assert short == 2 * (34 * 4 + 4 * 16) * tokens + 2 * 2 * 192


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("hidden", "inner", "heads", "length"), [(64, 256, 4, 24), (64, 96, 2, 48), (96, 384, 4, 8)]
)
def test_activations_are_what_torch_keeps(
    precision: str, hidden: int, inner: int, heads: int, length: int
) -> None:
    """The difference of two depths, so that embeddings and heads fall out."""
    rows = 4
    bytes_of_layer = _kept(3, hidden, inner, heads, rows, length, precision) - _kept(
        2, hidden, inner, heads, rows, length, precision
    )
    shape = Shape(layers=1, hidden=hidden, intermediate=inner, heads=heads, vocabulary=10)
    expected = cost.activations(shape, rows, length, precision, fused=False)
    assert bytes_of_layer == pytest.approx(expected, rel=0.02)


def _kept(
    layers: int, hidden: int, inner: int, heads: int, rows: int, length: int, precision: str
) -> int:
    """Bytes that a BERT in training keeps for its backward pass, weights not counted."""
    import torch
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=10,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
    )
    model = BertModel(config, add_pooling_layer=False).train()
    own = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    storages: dict[int, tuple[int, torch.Tensor]] = {}  # holds the tensors: addresses come again

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            storages[storage.data_ptr()] = (storage.nbytes(), tensor)
        return tensor

    mask = torch.ones(rows, length, dtype=torch.long)
    mask[0, -1] = 0  # without padding attention takes another way
    short = torch.autocast("cpu", torch.bfloat16) if precision != "float32" else None
    with (
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
        short or contextlib.nullcontext(),
    ):
        model(input_ids=torch.ones_like(mask), attention_mask=mask)
    return sum(size for size, _ in storages.values())


def test_memory_adds_up() -> None:
    memory = cost.Memory(1, 2, 4, 8, 16)
    assert memory.total == 31
    assert replace(memory, activations=0).total == 23
