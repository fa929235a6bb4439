"""Attention that is shown is transformers' own, before dropout.

Run with: python -m pytest tests/pipeline/model/test_attention.py
"""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers import AutoConfig, AutoModel

from pipeline.errors import EncoderError
from pipeline.model import attention, encoders

HEADS, WIDTH = 3, 4
SIZES = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
}
LOCAL = {"local_attention": 4, "num_hidden_layers": 3}
SPECIAL = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
FAMILIES = {
    "bert": SIZES,
    "roberta": SIZES | {"pad_token_id": 1},
    "electra": SIZES | {"embedding_size": 8},
    "albert": SIZES | {"embedding_size": 8},
    "distilbert": {"vocab_size": 50, "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32},
    "modernbert": SIZES | LOCAL | SPECIAL | {"cls_token_id": 1, "sep_token_id": 2},
    "mpnet": SIZES | SPECIAL,
    "deberta-v2": SIZES | {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
}
EAGER = {"mpnet", "deberta-v2"}  # their attention has terms of its own for positions


def family(name, rate=0.1):
    config = AutoConfig.for_model(name, **FAMILIES[name])
    encoders._set_dropout(config, rate)
    torch.manual_seed(0)
    return AutoModel.from_config(config).train()


def batch(*lengths, width=20):
    """Token ids, and a mask of rows with these lengths."""
    mask = (torch.arange(width) < torch.tensor(lengths)[:, None]).long()
    ids = torch.arange(len(lengths) * width).view(len(lengths), width) % 40 + 5
    return {"input_ids": ids * mask, "attention_mask": mask}


def states(rows=2, length=5, heads=HEADS):
    torch.manual_seed(1)
    shape = rows, heads, length, WIDTH
    return [torch.randn(shape, dtype=torch.float64, requires_grad=True) for _ in range(3)]


def added(lengths, width):
    """The mask as numbers to be added, `(rows, 1, 1, width)`."""
    padding = torch.arange(width) >= torch.tensor(lengths)[:, None]
    lowest = torch.finfo(torch.float64).min
    return torch.zeros(padding.shape, dtype=torch.float64).masked_fill(padding, lowest)[
        :, None, None
    ]


class Plain(nn.Module):
    is_causal = False


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_what_is_shown_is_transformers_eager_attention(name):
    """With no dropout: the same states and the same probabilities, which add up to 1."""
    encoder, inputs = family(name, rate=0.0), batch(20, 7)
    encoder.set_attn_implementation("eager")
    theirs = encoder(**inputs, output_hidden_states=True, output_attentions=True)
    assert attention.show(encoder)
    assert (encoder.config._attn_implementation == "eager") == (name in EAGER)
    ours = encoder(**inputs, output_hidden_states=True, output_attentions=True)
    mask = inputs["attention_mask"].bool()
    for one, other in zip(ours.attentions, theirs.attentions, strict=True):
        of_tokens = mask[:, None, :, None].expand_as(one)
        torch.testing.assert_close(one[of_tokens], other[of_tokens], rtol=0, atol=1e-6)
    last, expected = ours.last_hidden_state[mask], theirs.last_hidden_state[mask]
    torch.testing.assert_close(last, expected, rtol=0, atol=1e-5)


def test_probabilities_are_shown_before_dropout():
    given = states()
    output, probabilities = attention.attend_shown(Plain(), *given, added((5, 3), 5), 0.5)
    torch.testing.assert_close(probabilities.sum(-1), torch.ones_like(probabilities[..., 0]))
    without, same = attention.attend_shown(Plain(), *given, added((5, 3), 5), 0.0)
    assert torch.equal(probabilities, same)
    assert not torch.allclose(output, without)
    assert not probabilities[1, :, :, 3:].any(), "padding is not attended to"


def test_probabilities_are_dropped_by_what_is_asked_to():
    query, key, value = states()
    output, probabilities = attention.attend_shown(
        Plain(), query, key, value, None, 0.5, drop=lambda weights, rate: weights * rate
    )
    expected = (0.5 * probabilities @ value).transpose(1, 2)
    torch.testing.assert_close(output, expected)


def test_attention_with_terms_of_its_own_is_not_shown():
    query, key, value = states()
    with pytest.raises(EncoderError, match="terms of its own"):
        attention.attend_shown(Plain(), query, key, value, None, softcap=2.0)
