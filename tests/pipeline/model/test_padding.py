"""Masks made without a look at the device are transformers' own, for every family of encoder.

Run with: python -m pytest tests/pipeline/model/test_padding.py
"""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch

from pipeline.model import attention, bfloat16, padding
from pipeline.model.fast import attention as fast
from pipeline.model.fast import dropout
from pipeline.model.multitask import MultiTaskModel
from pipeline.params.heads.linear import LinearHead
from pipeline.runtime.hardware import Hardware
from pipeline.tasks import GLUE
from tests.calls import Calls
from tests.pipeline.model.test_attention import EAGER, FAMILIES, batch, family

CPU = Hardware("cpu", "float32", "mkl", 1, "plain", 1, 512, "")
NARROW = Hardware("cpu", "bfloat16", "mkl", 1, "plain", 1, 512, "")
HEADS = {"rte": LinearHead(kind="linear", pooling="mean", dropout=0.0)}
LENGTHS = {"padded": (20, 7, 1), "not padded": (20, 20)}


def arrays(lengths):
    return {name: tensor.numpy() for name, tensor in batch(*lengths).items()}


def model(name, rate=0.0):
    return MultiTaskModel(family(name, rate), {"rte": GLUE["rte"]}, HEADS).eval()


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("name", FAMILIES)
def test_an_encoder_computes_the_same_bytes_as_without(name, lengths):
    """Also ModernBERT, whose attention is local, and MPNet, whose mask is made here."""
    with torch.no_grad():
        expected = family(name, 0.0).eval()(**batch(*lengths)).last_hidden_state
        encoder = model(name).encoder
        inputs = padding.on_device(arrays(lengths), CPU)
        found = encoder(**padding.encoder_inputs(encoder, inputs)).last_hidden_state
    assert (encoder.config._attn_implementation == padding.SDPA) == (name not in EAGER)
    assert torch.equal(found, expected)


@contextlib.contextmanager
def as_it_is(encoder):
    yield


@contextlib.contextmanager
def shown(encoder):
    attention.show(encoder)
    yield


@contextlib.contextmanager
def trained_fast(encoder):
    with fast.replaced(encoder), dropout.replaced(encoder), dropout.seeded(1):
        yield


@pytest.mark.parametrize("machine", [CPU, NARROW], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("way", [as_it_is, shown, trained_fast])
@pytest.mark.parametrize("name", FAMILIES)
def test_no_pass_reads_from_the_device(name, way, lengths, machine):
    found = model(name, 0.1)
    inputs = padding.on_device(arrays(lengths), machine)
    with way(found.encoder), Calls() as calls:
        network = bfloat16.narrowed(found.train(), machine)
        with bfloat16.context(network, machine):
            network("rte", inputs).sum().backward()
    assert calls.counts.total() > 100
    assert calls.reads == {}


def test_what_transformers_does_alone_is_counted():
    """Or the tests above could not fail."""
    encoder = family("bert")
    with Calls() as calls:
        encoder(**batch(20, 7))
    assert calls.reads == {"_local_scalar_dense": 1}


def test_a_batch_without_padding_has_no_mask_on_the_device():
    whole, cut = (
        {"input_ids": np.ones((2, 3), int), "attention_mask": mask}
        for mask in (np.ones((2, 3), int), np.array([[1, 1, 1], [1, 1, 0]]))
    )
    assert set(padding.on_device(whole, CPU)) == {"input_ids"}
    assert padding.on_device(cut, CPU)["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]


def test_the_mask_of_a_batch_without_one_is_all_ones():
    ids = torch.tensor([[4, 0, 5]])
    assert padding.mask({"input_ids": ids}).tolist() == [[1, 1, 1]]
    assert padding.mask({"input_ids": ids, "attention_mask": ids * 0}).tolist() == [[0, 0, 0]]


def test_the_encoder_is_not_told_of_texts():
    ids = torch.ones(1, 3, dtype=torch.long)
    assert padding.encoder_inputs(family("bert"), {"input_ids": ids, "texts": ids}) == {
        "input_ids": ids
    }
