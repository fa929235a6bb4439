"""Compiled layers give what layers give, for batches of any size, and are as before afterwards.

Run with: python -m pytest tests/pipeline/models/test_compilation.py
"""

from __future__ import annotations

import pytest
import torch
from transformers import AutoConfig, AutoModel

from pipeline.models import compilation, dropout, encoders
from tests.pipeline.models.test_attention import FAMILIES, batch, family

TRACED = "aot_eager"  # traces forward and backward and needs no compiler of C++ or of a GPU
BATCHES = [batch(*lengths, width=max(lengths)) for lengths in ((20, 7, 3), (12, 2), (9, 8, 7, 6))]


def passed(encoder, inputs):
    """The encoder's output and the gradients of its weights."""
    found = encoder(**inputs).last_hidden_state
    weights = [*encoder.parameters()]
    return found, torch.autograd.grad(found.square().sum(), weights, allow_unused=True)


@pytest.fixture(autouse=True)
def fresh():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.mark.parametrize("name", ["bert", "electra", "albert"])
def test_values_and_gradients_are_those_of_plain_layers(name):
    encoder = family(name, 0.0).double().train()
    for inputs in BATCHES:
        plain = passed(encoder, inputs)
        with compilation.compiled(encoder, TRACED):
            found = passed(encoder, inputs)
        for one, other in zip((found[0], *found[1]), (plain[0], *plain[1]), strict=True):
            if one is None or other is None:  # of weights that are not used, one may have zeros
                assert not any(each.any() for each in (one, other) if each is not None)
            else:
                torch.testing.assert_close(one, other, rtol=0, atol=1e-9)


def test_one_layer_is_compiled_for_all_layers_and_sizes():
    encoder, made = family("bert", 0.0).double().train(), []

    def counted(graph, inputs):
        made.append(graph)
        return graph.forward

    with compilation.compiled(encoder, counted):
        for inputs in BATCHES:
            encoder(**inputs)
    assert encoder.config.num_hidden_layers > 1
    assert len(made) == 1


def test_names_of_weights_do_not_change():
    encoder = family("bert")
    before = list(encoder.state_dict())
    with compilation.compiled(encoder, TRACED):
        assert list(encoder.state_dict()) == before


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_trains_compiled_layers_with_the_same_masks_again():
    config = AutoConfig.for_model("bert", **FAMILIES["bert"])
    encoders._set_dropout(config, 0.1)
    encoder = AutoModel.from_config(config, attn_implementation="sdpa").cuda().train()
    inputs = {name: each.cuda() for name, each in batch(20, 7, 3).items()}
    found = []
    with compilation.compiled(encoder), dropout.seeded(1):
        for _ in range(2):
            torch.manual_seed(1)
            found.append(passed(encoder, inputs)[0])
    assert torch.equal(*found)
