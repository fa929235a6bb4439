"""Schedule and rates of lower layers against numbers worked by hand; what is not decayed.

Run with: python -m pytest tests/pipeline/training/test_optimizers.py
"""

from __future__ import annotations

import pytest
import torch
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel

from pipeline.errors import EncoderError
from pipeline.training import optimizers


@pytest.mark.parametrize(
    ("step", "expected"),
    # 10 steps, 20 % warm-up, highest rate 9: thirds while rising, eighths while falling
    [(0, 3.0), (1, 6.0), (2, 9.0), (6, 4.5), (9, 1.125)],
)
def test_rate_rises_then_falls_linearly(settings, step, expected):
    changed = settings.model_copy(update={"warmup": 0.2, "learning_rate": 9.0})
    assert optimizers.rate(step, 10, changed) == pytest.approx(expected)


def test_without_warmup_the_first_step_has_the_highest_rate(settings):
    changed = settings.model_copy(update={"warmup": 0.0, "learning_rate": 0.5})
    assert optimizers.rate(0, 1, changed) == 0.5


@pytest.mark.parametrize(
    ("name", "kind"), [("adamw", torch.optim.AdamW), ("adamax", torch.optim.Adamax)]
)
def test_biases_and_norms_are_not_decayed(settings, name, kind):
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4))
    changed = settings.model_copy(update={"optimizer": name, "weight_decay": 0.1})
    optimizer = optimizers.build(optimizers.groups(model, changed), changed, "cpu")
    assert isinstance(optimizer, kind)
    shapes = {
        group["weight_decay"]: [tuple(p.shape) for p in group["params"]]
        for group in optimizer.param_groups
    }
    assert shapes == {0.1: [(4, 3)], 0.0: [(4,), (4,), (4,)]}


class _Model(torch.nn.Module):
    """An encoder and one head, as a multi-task model holds them."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder
        self.heads = torch.nn.Linear(8, 2)


def _bert():
    size = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8}
    return BertModel(BertConfig(vocab_size=9, num_hidden_layers=3, **size))


def _distilbert():
    size = {"dim": 8, "n_heads": 2, "hidden_dim": 8}
    return DistilBertModel(DistilBertConfig(vocab_size=9, n_layers=3, **size))


# Three layers, decay 1/2: the highest layer 1/2, then 1/4, 1/8, the embeddings 1/16.
FACTORS = {
    "bert": (
        _bert,
        {
            "encoder.embeddings.": 1 / 16,
            "encoder.encoder.layer.0.": 1 / 8,
            "encoder.encoder.layer.1.": 1 / 4,
            "encoder.encoder.layer.2.": 1 / 2,
            "encoder.pooler.": 1.0,
            "heads.": 1.0,
        },
    ),
    "distilbert": (
        _distilbert,
        {
            "encoder.embeddings.": 1 / 16,
            "encoder.transformer.layer.0.": 1 / 8,
            "encoder.transformer.layer.1.": 1 / 4,
            "encoder.transformer.layer.2.": 1 / 2,
            "heads.": 1.0,
        },
    ),
}


@pytest.mark.parametrize(("encoder", "expected"), FACTORS.values(), ids=list(FACTORS))
def test_rates_fall_from_layer_to_layer(settings, encoder, expected):
    model = _Model(encoder())
    changed = settings.model_copy(update={"layer_decay": 0.5})
    optimizer = optimizers.build(optimizers.groups(model, changed), changed, "cpu")
    optimizers.set_rate(optimizer, 3.0)
    rates = {w: group["lr"] for group in optimizer.param_groups for w in group["params"]}
    assert len(rates) == len(list(model.parameters()))
    for name, weight in model.named_parameters():
        (factor,) = (value for start, value in expected.items() if name.startswith(start))
        assert rates[weight] == 3.0 * factor, name


def test_layer_decay_leaves_weight_decay_as_it_is(settings):
    model = _Model(_bert())
    changed = settings.model_copy(update={"layer_decay": 0.5, "weight_decay": 0.1})
    for group in optimizers.build(optimizers.groups(model, changed), changed, "cpu").param_groups:
        for weight in group["params"]:
            assert group["weight_decay"] == (0.1 if weight.ndim >= 2 else 0.0)


def test_embeddings_behind_the_layers_count_as_embeddings(settings):
    """DeBERTa and MPNet register their tables of relative positions after the layers."""
    encoder = _bert()
    encoder.positions = torch.nn.Embedding(4, 8)
    encoder.norm = torch.nn.LayerNorm(8)
    factors = optimizers.layer_factors(_Model(encoder), 0.5)
    assert factors[encoder.positions.weight] == 1 / 16
    assert encoder.norm.weight not in factors


def test_layer_decay_of_one_makes_two_groups_and_needs_no_layers(settings):
    model = torch.nn.Sequential(torch.nn.Linear(3, 4))
    optimizer = optimizers.build(optimizers.groups(model, settings), settings, "cpu")
    optimizers.set_rate(optimizer, 0.3)
    assert [group["lr"] for group in optimizer.param_groups] == [0.3, 0.3]


def test_an_encoder_without_layers_is_refused_by_name(settings):
    encoder = _bert()
    encoder.config.num_hidden_layers = 7
    changed = settings.model_copy(update={"layer_decay": 0.9})
    with pytest.raises(EncoderError, match="no stack of layers") as error:
        optimizers.groups(_Model(encoder), changed)
    assert "layer_decay" in str(error.value)


def test_weights_beside_the_model_are_trained_at_the_heads_rate(settings):
    projection = torch.nn.Parameter(torch.ones(2, 2))
    frozen = torch.nn.Parameter(torch.ones(2, 2), requires_grad=False)
    changed = settings.model_copy(update={"layer_decay": 0.5})
    optimizer = optimizers.build(
        optimizers.groups(_Model(_bert()), changed, [projection, frozen]), changed, "cpu"
    )
    optimizers.set_rate(optimizer, 2.0)
    rates = {w: group["lr"] for group in optimizer.param_groups for w in group["params"]}
    assert rates[projection] == 2.0
    assert frozen not in rates


def test_adamaxs_decay_is_decoupled(settings):
    """Without a gradient's pull a weight shrinks by rate times decay and nothing else."""
    layer = torch.nn.Linear(2, 1)
    torch.nn.init.constant_(layer.weight, 2.0)
    torch.nn.init.constant_(layer.bias, 3.0)
    given = {"optimizer": "adamax", "learning_rate": 0.1, "weight_decay": 0.5}
    optimizer = optimizers.build(
        optimizers.groups(layer, settings), settings.model_copy(update=given), "cpu"
    )
    for weight in layer.parameters():
        weight.grad = torch.zeros_like(weight)
    optimizers.set_rate(optimizer, 0.1)
    optimizer.step()
    torch.testing.assert_close(layer.weight, torch.full((1, 2), 2.0 * (1 - 0.1 * 0.5)))
    torch.testing.assert_close(layer.bias, torch.full((1,), 3.0))  # biases are exempt


def test_without_decay_adamax_is_torchs():
    """The state is saved and loaded half-way."""
    ends = []
    for module in (optimizers, torch.optim):
        torch.manual_seed(0)
        model = torch.nn.Linear(3, 2)
        optimizer = module.Adamax(model.parameters(), lr=0.1, weight_decay=0.0)
        for step in range(4):
            if step == 2:
                state = optimizer.state_dict()
                optimizer = module.Adamax(model.parameters(), lr=0.3)
                optimizer.load_state_dict(state)
            model(torch.ones(1, 3)).square().sum().backward()
            optimizer.step()
            optimizer.zero_grad()
        ends.append(model.state_dict())
    torch.testing.assert_close(*ends, rtol=0, atol=0)
