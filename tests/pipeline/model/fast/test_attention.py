"""Attention with own masks is transformers' attention in value, gradient and law.

Run with: python -m pytest tests/pipeline/model/fast/test_attention.py
"""

from __future__ import annotations

import contextlib

import pytest
import torch
from torch import nn
from transformers.integrations import sdpa_attention

from pipeline.model import attention as plain
from pipeline.model.fast import attention, dropout
from pipeline.runtime import products
from tests.pipeline.model.test_attention import (
    EAGER,
    FAMILIES,
    HEADS,
    WIDTH,
    Plain,
    added,
    batch,
    family,
    states,
)


def ones(monkeypatch):
    """Let masks drop nothing: what is left of the own function is its matrix products."""
    monkeypatch.setattr(attention.masks, "drop", lambda values, rate: values)


@pytest.mark.parametrize("scaling", [None, 0.3])
@pytest.mark.parametrize("lengths", [None, (5, 5), (5, 1), (2, 4)])
def test_values_and_gradients_are_torchs(monkeypatch, lengths, scaling):
    ones(monkeypatch)
    mask = None if lengths is None else added(lengths, 5)
    query, key, value = given = states()
    ours, probabilities = attention.attend(Plain(), *given, mask, 0.5, scaling)
    theirs = nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, scale=scaling
    ).transpose(1, 2)
    assert probabilities is None
    assert ours.shape == (2, 5, HEADS, WIDTH)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    upstream = torch.randn_like(ours)
    for one, other in zip(
        torch.autograd.grad(ours, given, upstream),
        torch.autograd.grad(theirs, given, upstream),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_gradients_with_dropout_are_those_of_finite_differences():
    def run(*given):
        with dropout.seeded(3):
            return attention.attend(Plain(), *given, added((5, 3), 5), 0.4)[0]

    assert torch.autograd.gradcheck(run, states())


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_probabilities_are_dropped_and_scaled(rate):
    """Of values that are the unit matrix, what comes out is the probabilities themselves."""
    rows, length = 200, 16
    query = torch.zeros(rows, 1, length, length)
    value = torch.eye(length).expand(rows, 1, length, length)
    with dropout.seeded(4):
        output, _ = attention.attend(Plain(), query, query, value, None, rate)
    left = 1 / length / (1 - rate)
    stayed = output != 0
    torch.testing.assert_close(output[stayed], torch.full((int(stayed.sum()),), left))
    error = (rate * (1 - rate) / output.numel()) ** 0.5
    assert abs(1 - stayed.double().mean().item() - rate) < 4 * error


class Causal(nn.Module):
    is_causal = True


class Grouped(nn.Module):
    is_causal, num_key_value_groups = False, HEADS


BIAS = torch.linspace(-1, 1, 25, dtype=torch.float64).view(1, 1, 5, 5)
FALLS_BACK = {
    "causal module": (Causal(), HEADS, None, 0.5, {}),
    "module that does not say": (nn.Module(), HEADS, None, 0.5, {}),
    "causal call": (Plain(), HEADS, None, 0.5, {"is_causal": True}),
    "grouped heads": (Grouped(), 1, added((5, 3), 5), 0.5, {}),
    "position bias": (Plain(), HEADS, None, 0.5, {"position_bias": BIAS}),
    "mask of bools": (Plain(), HEADS, added((5, 3), 5) == 0, 0.5, {}),
    "no dropout": (Plain(), HEADS, added((5, 3), 5), 0.0, {}),
}


@pytest.mark.parametrize("case", FALLS_BACK.values(), ids=FALLS_BACK)
def test_more_than_plain_attention_is_left_to_transformers(case):
    module, key_heads, mask, rate, others = case
    query, (_, key, value) = states()[0], states(heads=key_heads)
    outputs = []
    for function in (attention.attend, sdpa_attention.sdpa_attention_forward):
        torch.manual_seed(6)
        with dropout.seeded(6):
            outputs.append(function(module, query, key, value, mask, rate, **others)[0])
    assert torch.equal(*outputs)


def test_a_call_that_says_it_is_not_causal_counts_more_than_the_module(monkeypatch):
    ones(monkeypatch)
    given = states()
    ours, _ = attention.attend(Causal(), *given, None, 0.5, is_causal=False)
    theirs = nn.functional.scaled_dot_product_attention(*given).transpose(1, 2)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", FAMILIES)
def test_encoders_are_the_same_inside_the_block_but_for_masks(name, monkeypatch, tmp_path):
    """Same vectors of tokens, and afterwards the configuration as it was to the byte."""
    encoder, inputs = family(name), batch(20, 7, 1)
    ones(monkeypatch)
    expected = encoder.eval()(**inputs).last_hidden_state
    encoder.config.save_pretrained(tmp_path / "before")
    before = encoder.config._attn_implementation
    with attention.replaced(encoder), dropout.replaced(encoder):
        inside = encoder.config._attn_implementation
        hidden = encoder.train()(**inputs).last_hidden_state
    assert (before, inside) == (("eager", "eager") if name in EAGER else ("sdpa", "mtdnnkd"))
    assert encoder.config._attn_implementation == before
    mask = inputs["attention_mask"].bool()
    torch.testing.assert_close(hidden[mask], expected[mask], rtol=0, atol=1e-5)
    encoder.config.save_pretrained(tmp_path / "after")
    files = [(tmp_path / when / "config.json").read_bytes() for when in ("before", "after")]
    assert files[0] == files[1]


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_encoders_give_finite_numbers_and_gradients_in_any_precision(name, precision):
    """Where attention is local, padding far from every token may attend to nothing at all."""
    encoder, inputs = family(name), batch(20, 3)
    narrow = contextlib.nullcontext()
    if precision != "float32":
        narrow = torch.autocast("cpu", getattr(torch, precision))
    before = torch.get_rng_state()
    with attention.replaced(encoder), dropout.replaced(encoder), dropout.seeded(1), narrow:
        hidden = encoder(**inputs).last_hidden_state
    mask = inputs["attention_mask"].bool()
    assert hidden[mask].isfinite().all()
    weights = list(encoder.parameters())
    gradients = torch.autograd.grad(hidden[mask].square().sum(), weights, allow_unused=True)
    assert all(one.isfinite().all() for one in gradients if one is not None)
    assert torch.equal(before, torch.get_rng_state())  # no draw but ours


@pytest.mark.parametrize("wrong", [ValueError, KeyboardInterrupt])
def test_an_error_in_the_block_restores_too(wrong):
    encoder = family("bert")
    with pytest.raises(wrong), attention.replaced(encoder):
        raise wrong
    assert encoder.config._attn_implementation == "sdpa"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_keeps_its_own_attention():
    encoder = family("bert").cuda()
    with attention.replaced(encoder):
        assert encoder.config._attn_implementation == "sdpa"


@pytest.mark.parametrize("wrong", [None, ValueError])
def test_attention_that_is_shown_is_so_within_the_block_with_seeded_masks(wrong):
    encoder, inputs = family("bert", rate=0.5), batch(20, 7)
    assert plain.show(encoder)
    attentions = []
    with contextlib.suppress(ValueError), attention.replaced(encoder), dropout.replaced(encoder):
        assert encoder.config._attn_implementation == attention.SHOWN
        for _ in range(2):
            with dropout.seeded(1):
                attentions.append(encoder(**inputs, output_attentions=True).attentions[-1])
        if wrong:
            raise wrong
    assert encoder.config._attn_implementation == plain.SHOWN
    assert torch.equal(*attentions)
    of_tokens = inputs["attention_mask"].bool()[:, None, :].expand(2, 2, 20)
    sums = attentions[0].sum(-1)[of_tokens]
    torch.testing.assert_close(sums, torch.ones_like(sums))  # shown before dropout


@pytest.mark.parametrize(("length", "own"), [(256, True), (257, False)])
@pytest.mark.parametrize("library", ["mkl", "onednn"])
def test_without_dropout_short_rows_are_multiplied_whole_where_onednn_does_it(
    monkeypatch, library, length, own
):
    monkeypatch.setattr(products, "by_onednn", lambda _: library == "onednn")
    torch.manual_seed(7)
    query, key, value = torch.randn(3, 1, 1, length, 4)
    attended, _ = attention.attend(Plain(), query, key, value, None)
    weights = plain.probabilities(query, key, None, None)
    fused, _ = sdpa_attention.sdpa_attention_forward(Plain(), query, key, value, None)
    whole = (weights @ value).transpose(1, 2)
    torch.testing.assert_close(whole, fused)
    assert torch.equal(attended, whole if own and library == "onednn" else fused)
