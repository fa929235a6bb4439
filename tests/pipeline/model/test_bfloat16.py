"""Narrow copies: what is copied, what is shared, how near their numbers are.

Run with: python -m pytest tests/pipeline/model/test_bfloat16.py
"""

from __future__ import annotations

import pytest
import torch

from pipeline.model import bfloat16, padding
from pipeline.runtime.thread_pool import ThreadPool
from tests.pipeline.model.test_attention import FAMILIES, batch
from tests.pipeline.model.test_padding import CPU, NARROW, arrays, model

HALVES = CPU.__class__("cpu", "float16", "mkl", 1, "plain", 1, 512, "")
AUTOCAST = sorted(set(FAMILIES) - bfloat16.FAMILIES)
KNOWN = sorted(set(FAMILIES) & bfloat16.FAMILIES)


def test_one_family_of_the_tests_runs_under_autocast():
    assert AUTOCAST == ["deberta-v2"]


@pytest.mark.parametrize("machine", [CPU, HALVES], ids=["float32", "float16"])
def test_other_precisions_have_no_copy(machine):
    found = model("bert")
    assert bfloat16.narrowed(found, machine) is found
    assert bfloat16.copies(found, found) == {}


@pytest.mark.parametrize("name", AUTOCAST)
def test_other_families_have_no_copy_but_autocast(name):
    found = model(name)
    assert bfloat16.narrowed(found, NARROW) is found
    with bfloat16.context(found, NARROW):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16


@pytest.mark.parametrize("name", KNOWN)
def test_tables_and_heads_are_shared_and_the_rest_is_narrow(name):
    found = model(name)
    before = {key: value.clone() for key, value in found.state_dict().items()}
    network = bfloat16.narrowed(found, NARROW)
    wide, narrow = dict(found.named_parameters()), dict(network.named_parameters())
    assert list(wide) == list(narrow)
    shared = {key for key in wide if narrow[key] is wide[key]}
    tables = {
        f"encoder.{key}.weight"
        for key, module in found.encoder.named_modules()
        if isinstance(module, torch.nn.Embedding)
    }
    assert shared == tables | {key for key in wide if key.startswith("heads.")}
    assert {narrow[key].dtype for key in set(wide) - shared} == {torch.bfloat16}
    assert {weight.dtype for weight in found.parameters()} == {torch.float32}
    for key, value in found.state_dict().items():
        assert torch.equal(value, before[key])
    buffers = {value.dtype for value in network.buffers() if value.is_floating_point()}
    assert buffers <= {torch.float32}  # such as angles of positions


@pytest.mark.parametrize("lengths", [(20, 7, 1), (20, 20)])
@pytest.mark.parametrize("name", KNOWN)
def test_logits_and_gradients_are_near_those_of_float32(name, lengths):
    """Within a fiftieth of their size for the logits, a twentieth for the whole gradient."""
    found, results = model(name), []
    inputs = padding.on_device(arrays(lengths), CPU)
    for machine in (CPU, NARROW):
        network = bfloat16.narrowed(found, machine)
        with bfloat16.context(network, machine):
            logits = network("rte", inputs)
        loss = torch.nn.functional.cross_entropy(logits, torch.arange(len(lengths)) % 2)
        weights = [weight for weight in network.parameters() if weight.requires_grad]
        gradients = torch.autograd.grad(loss, weights, allow_unused=True)
        results.append((logits, bfloat16.widened(gradients)))
    (wide, gradients), (narrow, near) = results
    assert narrow.dtype == torch.float32
    torch.testing.assert_close(narrow, wide, rtol=0, atol=0.02 * wide.abs().max().item())
    flat, other = (
        torch.cat([one.flatten() for one in some if one is not None]) for some in (gradients, near)
    )
    assert 0 < (flat - other).norm() < 0.05 * flat.norm()


def test_the_copy_follows_the_weights():
    found = model("bert")
    network = bfloat16.narrowed(found, NARROW)
    copies = bfloat16.copies(found, network)
    with torch.no_grad():
        for weight in found.parameters():
            weight.add_(1.0)
    for threads in (1, 3):
        bfloat16.follow(copies, ThreadPool(threads))
        for weight, narrow in copies.items():
            assert torch.equal(narrow, weight.to(torch.bfloat16))
    assert len(copies) == len(set(copies.values())) > 20


def test_layers_with_the_same_weights_keep_them():
    """As ALBERT's, and a copy of them is one, too."""
    found = model("albert")
    network = bfloat16.narrowed(found, NARROW)
    assert len(list(network.parameters())) == len(list(found.parameters()))


def test_gradients_are_widened_where_they_are_narrow():
    narrow, wide = torch.tensor([1.5], dtype=torch.bfloat16), torch.tensor([2.5])
    one, none, other = bfloat16.widened([narrow, None, wide])
    assert (one.dtype, one.tolist(), none) == (torch.float32, [1.5], None)
    assert other is wide


def test_a_frequent_token_keeps_what_single_rows_add_to_its_gradient():
    """A thousand rows add 1/1024 each: in bfloat16 the sum would stop at 1/4."""
    found = model("bert")
    network = bfloat16.narrowed(found, NARROW)
    table = network.encoder.embeddings.token_type_embeddings
    total = (table(torch.zeros(1024, dtype=torch.long)).float() / 1024).sum()
    (gradient,) = torch.autograd.grad(total, [table.weight])
    assert gradient[0].tolist() == [1.0] * gradient.shape[1]
    assert batch(1)["input_ids"].shape == (1, 20)
