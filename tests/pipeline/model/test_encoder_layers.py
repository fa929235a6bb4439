"""Layers of encoders of several families, all of them and some.

Run with: python -m pytest tests/pipeline/model/test_encoder_layers.py
"""

from __future__ import annotations

import pytest
import transformers

from pipeline.errors import EncoderError
from pipeline.model.encoder_layers import keep_layers, layer_stack

BERT = {
    "hidden_size": 8,
    "num_hidden_layers": 6,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "vocab_size": 200,
}
TOKENS = ("pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id")
FAMILIES = {
    "Bert": (BERT, "encoder.layer"),
    "DistilBert": (
        {"dim": 8, "n_layers": 2, "n_heads": 2, "hidden_dim": 16, "vocab_size": 200},
        "transformer.layer",
    ),
    "ModernBert": ({**BERT, **dict.fromkeys(TOKENS, 0)}, "layers"),
}


def small(kind):
    """A small randomly initialised encoder of some family."""
    config = getattr(transformers, f"{kind}Config")(**FAMILIES[kind][0])
    return getattr(transformers, f"{kind}Model")(config)


@pytest.mark.parametrize("kind", FAMILIES)
def test_the_stack_is_that_of_the_family(kind):
    model = small(kind)
    assert layer_stack(model) is model.get_submodule(FAMILIES[kind][1])


def test_a_model_without_that_many_layers_has_no_stack():
    model = small("Bert")
    model.config.num_hidden_layers = 5
    with pytest.raises(EncoderError, match="no stack of layers"):
        layer_stack(model)


@pytest.mark.parametrize(
    ("layers", "numbers"),
    [("all", [0, 1, 2, 3, 4, 5]), ("every_second", [1, 3, 5]), ([1, 6], [0, 5])],
)
def test_named_layers_are_kept(layers, numbers):
    model = small("Bert")
    whole = list(model.encoder.layer)
    keep_layers(model, layers)
    assert [whole.index(layer) for layer in model.encoder.layer] == numbers
    assert model.config.num_hidden_layers == len(numbers)


def test_layers_of_other_families_are_kept():
    model = small("DistilBert")
    second = model.transformer.layer[1]
    keep_layers(model, [2])
    assert list(model.transformer.layer) == [second]
    assert model.config.num_hidden_layers == 1


@pytest.mark.parametrize("layers", [[1, 7], []])
def test_layers_that_are_not_there_are_refused(layers):
    with pytest.raises(EncoderError, match="has 6 layers"):
        keep_layers(small("Bert"), layers)


def test_an_encoder_whose_layers_differ_cannot_be_cut():
    with pytest.raises(EncoderError, match="cannot be cut"):
        keep_layers(small("ModernBert"), "every_second")
