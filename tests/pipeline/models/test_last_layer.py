"""A last layer of which one token is needed gives it as the whole layer does.

Run with: python -m pytest tests/pipeline/models/test_last_layer.py
"""

from __future__ import annotations

import threading

import pytest
import torch
from transformers import AutoConfig, AutoModel

from pipeline.models import dropout, encoders, last_layer
from pipeline.models.model import MultiTaskModel
from pipeline.params.heads import LinearHead, SanHead
from pipeline.tasks import GLUE
from tests.pipeline.models.test_attention import FAMILIES, SIZES, batch, family

SHORT = ("bert", "roberta", "electra", "camembert", "xlm-roberta")
ROBERTAS = {name: SIZES | {"pad_token_id": 1} for name in ("camembert", "xlm-roberta")}
LENGTHS = {"padded": (20, 7, 1), "whole": (20, 20)}


def built(name, rate=0.0, implementation="sdpa"):
    config = AutoConfig.for_model(name, **{**FAMILIES, **ROBERTAS}[name])
    encoders._set_dropout(config, rate)
    torch.manual_seed(0)
    encoder = AutoModel.from_config(config, attn_implementation=implementation).double().train()
    for weight in encoder.parameters():  # biases too, which are 0 at first
        torch.nn.init.normal_(weight, std=0.3)
    return encoder


def first(encoder, inputs, alone):
    with last_layer.shortened(encoder), last_layer.first_token(alone):
        return encoder(**inputs).last_hidden_state


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("name", SHORT)
def test_value_and_gradients_are_those_of_the_whole_layer(name, lengths, implementation):
    encoder, inputs = built(name, implementation=implementation), batch(*lengths)
    short, whole = (first(encoder, inputs, alone) for alone in (True, False))
    assert short.shape == (len(lengths), 1, 16)
    assert whole.shape == (len(lengths), 20, 16)
    torch.testing.assert_close(short[:, 0], whole[:, 0], rtol=0, atol=1e-10)
    weights = dict(encoder.named_parameters())
    upstream = torch.randn_like(short[:, 0])
    ours, theirs = (
        torch.autograd.grad(found[:, 0], [*weights.values()], upstream, allow_unused=True)
        for found in (short, whole)
    )
    for title, one, other in zip(weights, ours, theirs, strict=True):
        if title.endswith(f"layer.{SIZES['num_hidden_layers'] - 1}.attention.self.key.bias"):
            assert one is None, "softmax does not see what is added to all scores of a row"
            assert other.abs().max() < 1e-10
        elif other is not None:
            torch.testing.assert_close(one, other, rtol=0, atol=1e-9, msg=lambda m, t=title: t + m)


def test_layers_below_and_other_passes_are_whole():
    encoder, inputs = built("bert"), batch(20, 7)
    with last_layer.shortened(encoder):
        plain = encoder(**inputs, output_hidden_states=True)
        with last_layer.first_token(True):
            short = encoder(**inputs, output_hidden_states=True)
    shapes = [tuple(states.shape) for states in short.hidden_states]
    assert shapes == [(2, 20, 16), (2, 20, 16), (2, 1, 16)]
    assert plain.last_hidden_state.shape == (2, 20, 16)


@pytest.mark.parametrize("name", ["albert", "distilbert", "modernbert", "mpnet", "deberta-v2"])
def test_other_families_keep_their_layers(name):
    encoder, inputs = family(name, 0.0).eval(), batch(20, 7)
    alone = first(encoder, inputs, True)
    assert torch.equal(alone, encoder(**inputs).last_hidden_state)


def test_a_decoder_keeps_its_layers():
    config = AutoConfig.for_model("bert", **SIZES, is_decoder=True)
    encoder = AutoModel.from_config(config).eval()
    assert first(encoder, batch(20, 7), True).shape == (2, 20, 16)


def test_blocks_within_blocks_and_afterwards():
    encoder = built("bert")
    last = encoders.layer_stack(encoder)[-1]
    with last_layer.shortened(encoder):
        with last_layer.shortened(encoder):
            pass
        assert "forward" in vars(last)
    assert "forward" not in vars(last)
    with pytest.raises(ValueError, match="loss"), last_layer.shortened(encoder):
        raise ValueError("loss")
    assert "forward" not in vars(last)


def test_what_one_thread_asks_for_is_not_asked_for_by_another():
    encoder, inputs, found = built("bert"), batch(20, 7), []
    with last_layer.shortened(encoder), last_layer.first_token(True):
        other = threading.Thread(target=lambda: found.append(encoder(**inputs).last_hidden_state))
        other.start()
        other.join()
    assert found[0].shape == (2, 20, 16)


def test_dropped_attention_has_the_expected_value():
    """Linear in the mask, so its mean over masks is what comes without dropout."""
    encoder = built("bert", rate=0.3)
    attention = encoders.layer_stack(encoder)[-1].attention.self
    states = torch.randn(2, 6, 16, dtype=torch.float64)
    total = torch.zeros(2, 1, 16, dtype=torch.float64)
    with torch.no_grad(), dropout.seeded(5):
        for _ in range(4000):
            total += last_layer._attend(attention, states, None)
        assert not torch.equal(total / 4000, last_layer._attend(attention.eval(), states, None))
        expected = last_layer._attend(attention, states, None)
    torch.testing.assert_close(total / 4000, expected, rtol=0, atol=0.1)


@pytest.mark.parametrize("pooling", ["cls", "pooler", "mean"])
def test_only_heads_that_read_one_token_ask_for_one(pooling):
    encoder, inputs = built("bert").float().eval(), batch(20, 7)
    head = LinearHead(kind="linear", pooling=pooling, dropout=0.0)
    model = MultiTaskModel(encoder, {"rte": GLUE["rte"]}, {"rte": head}).eval()
    seen = []
    encoder.register_forward_hook(lambda _m, _i, out: seen.append(out.last_hidden_state.shape[1]))
    plain = model("rte", inputs)
    with last_layer.shortened(encoder):
        short = model("rte", inputs)
    assert seen == [20, 20 if pooling == "mean" else 1]
    torch.testing.assert_close(short, plain, rtol=0, atol=1e-5)


def test_a_san_head_and_inner_states_read_all_tokens():
    san = SanHead(kind="san", steps=2, dropout=0.0, prediction_dropout=0.0)
    cls = LinearHead(kind="linear", pooling="cls", dropout=0.0)
    tasks = {name: GLUE[name] for name in ("rte", "cola")}
    encoder, inputs = built("bert").float().eval(), batch(20, 7)
    model = MultiTaskModel(encoder, tasks, {"rte": san, "cola": cls}).eval()
    with last_layer.shortened(encoder):
        _, hidden, _ = model.forward_with_internals("cola", inputs, attentions=False)
        assert {states.shape[1] for states in hidden} == {20}
        texts = torch.ones_like(inputs["input_ids"])
        texts[:, 4:] = 2
        read = []
        model.head("rte").register_forward_pre_hook(
            lambda _m, given: read.append(given[0].tokens.shape[1])
        )
        model("rte", inputs | {"texts": texts})
    assert read == [20]
