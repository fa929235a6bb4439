"""Heads and pooling against numbers worked by hand; padding changes nothing.

Run with: python -m pytest tests/pipeline/test_model.py
"""

from __future__ import annotations

import pytest
import torch

from pipeline import encoders
from pipeline.errors import EncoderError
from pipeline.model import Head, MultiTaskModel, start_at_mean
from pipeline.params.sections import Head as HeadSettings
from pipeline.tasks import GLUE

TOKENS = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [90.0, 90.0]]])
MASK = torch.tensor([[1, 1, 0]])


@pytest.mark.parametrize(
    ("pooling", "vector"), [("mean", [2.0, 3.0]), ("cls", [1.0, 2.0]), ("pooler", [7.0, 8.0])]
)
def test_pooling(pooling, vector):
    head = Head(2, 2, HeadSettings(pooling=pooling, dropout=0.0))
    with torch.no_grad():
        head.linear.weight.copy_(torch.eye(2))
    assert head(TOKENS, torch.tensor([[7.0, 8.0]]), MASK).tolist() == [vector]


@pytest.fixture
def model(tiny, head):
    encoder, _ = encoders.load(tiny, 0.0)
    return MultiTaskModel(encoder, {name: GLUE[name] for name in ("rte", "mnli", "stsb")}, head)


@pytest.mark.parametrize(("task", "outputs"), [("rte", 2), ("mnli", 3), ("stsb", 1)])
def test_every_task_has_a_head_of_its_width(model, task, outputs):
    inputs = {"input_ids": torch.ones(4, 5).long(), "attention_mask": torch.ones(4, 5).long()}
    assert model(task, inputs).shape == (4, outputs)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_padding_of_any_length_changes_nothing(tiny, pooling):
    encoder, _ = encoders.load(tiny, 0.0)
    model = MultiTaskModel(
        encoder, {"rte": GLUE["rte"]}, HeadSettings(pooling=pooling, dropout=0.0)
    ).eval()
    ids, found = torch.randint(5, 60, (3, 7)), []
    for padding in (0, 1, 20):
        padded = torch.nn.functional.pad(ids, (0, padding))
        mask = torch.nn.functional.pad(torch.ones_like(ids), (0, padding))
        found.append(model("rte", {"input_ids": padded, "attention_mask": mask}))
    torch.testing.assert_close(found[0], found[1])
    torch.testing.assert_close(found[0], found[2])


def test_an_unused_pooler_is_neither_kept_nor_counted(tiny):
    encoder, _ = encoders.load(tiny, 0.0)
    with_pooler = sum(p.numel() for p in encoder.parameters())
    model = MultiTaskModel(encoder, {"rte": GLUE["rte"]}, HeadSettings(pooling="mean", dropout=0.0))
    assert model.parameter_count() == with_pooler - (8 * 8 + 8) + (8 * 2 + 2)


def test_a_regression_head_starts_at_the_mean(model):
    start_at_mean(model, "stsb", 2.5)
    assert model.head("stsb").linear.bias.tolist() == [2.5]


def test_an_encoder_without_pooler_cannot_pool_by_it(tiny):
    encoder, _ = encoders.load(tiny, 0.0)
    encoder.pooler = None
    with pytest.raises(EncoderError, match="no trained pooler"):
        MultiTaskModel(encoder, {"rte": GLUE["rte"]}, HeadSettings(pooling="pooler", dropout=0.0))


def test_first_weights_do_not_hang_on_the_order_of_tasks(tiny, head):
    found = []
    for names in (("rte", "mnli"), ("mnli", "rte")):
        encoder, _ = encoders.load(tiny, 0.0)
        torch.manual_seed(0)
        model = MultiTaskModel(encoder, {name: GLUE[name] for name in names}, head)
        found.append(model.head("rte").linear.weight)
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=0)


@pytest.mark.parametrize("name", ["type", "train", "values", "forward", "half"])
def test_a_task_may_have_any_name(tiny, head, name):
    encoder, _ = encoders.load(tiny, 0.0)
    assert MultiTaskModel(encoder, {name: GLUE["rte"]}, head).head(name)
