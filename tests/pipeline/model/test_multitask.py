"""One encoder under many heads: widths, poolers, first weights, inner states.

Run with: python -m pytest tests/pipeline/model/test_multitask.py
"""

from __future__ import annotations

import pytest
import torch

from pipeline.errors import EncoderError
from pipeline.model import encoders
from pipeline.model.multitask import MultiTaskModel
from pipeline.params.heads.linear import LinearHead
from pipeline.params.heads.ranking import RankingHead
from pipeline.params.heads.san import SanHead
from pipeline.tasks import GLUE

SAN = SanHead(kind="san", steps=3, dropout=0.0, prediction_dropout=0.0)
RANKING = RankingHead(kind="ranking", pooling="cls", dropout=0.0, negatives=1, gamma=1, weight=0.5)


def linear(pooling="mean"):
    return LinearHead(kind="linear", pooling=pooling, dropout=0.0)


def build(tiny, heads, seed=0):
    encoder, _ = encoders.load(tiny, 0.0)
    torch.manual_seed(seed)
    return MultiTaskModel(encoder, {name: GLUE[name] for name in heads}, heads)


@pytest.fixture
def model(tiny, head):
    return build(tiny, dict.fromkeys(("rte", "mnli", "stsb"), head))


def inputs(rows=4, length=5):
    ones = torch.ones(rows, length, dtype=torch.long)
    return {"input_ids": 7 * ones, "attention_mask": ones}


@pytest.mark.parametrize(("task", "outputs"), [("rte", 2), ("mnli", 3), ("stsb", 1)])
def test_every_task_has_a_head_of_its_width(model, task, outputs):
    assert model(task, inputs()).shape == (4, outputs)


@pytest.mark.parametrize("head", [linear(), linear("cls"), RANKING, SAN])
def test_padding_of_any_length_changes_nothing(tiny, head):
    model = build(tiny, {"rte": head}).eval()
    ids, logits = torch.randint(5, 60, (3, 7)), []
    texts = torch.tensor([[0, 1, 1, 0, 2, 2, 0]] * 3, dtype=torch.uint8)
    for padding in (0, 1, 20):
        padded, kinds, mask = (
            torch.nn.functional.pad(tensor, (0, padding))
            for tensor in (ids, texts, torch.ones_like(ids))
        )
        batch = {"input_ids": padded, "attention_mask": mask, "texts": kinds}
        logits.append(model("rte", batch))
    torch.testing.assert_close(logits[0], logits[1])
    torch.testing.assert_close(logits[0], logits[2])


def test_an_unused_pooler_is_neither_kept_nor_counted(tiny):
    encoder, _ = encoders.load(tiny, 0.0)
    with_pooler = sum(p.numel() for p in encoder.parameters())
    model = build(tiny, {"rte": linear()})
    assert model.parameter_count() == with_pooler - (8 * 8 + 8) + (8 * 2 + 2)


@pytest.mark.parametrize(
    ("heads", "has_pooler"),
    [
        ({"rte": linear("pooler"), "mnli": SAN}, True),
        ({"rte": linear(), "qnli": RANKING.model_copy(update={"pooling": "pooler"})}, True),
        ({"rte": linear("cls"), "mnli": SAN, "qnli": RANKING}, False),
    ],
)
def test_the_pooler_is_kept_if_a_head_pools_by_it(tiny, heads, has_pooler):
    assert (build(tiny, heads).encoder.pooler is not None) == has_pooler


def test_an_encoder_without_pooler_cannot_pool_by_it(tiny):
    encoder, _ = encoders.load(tiny, 0.0)
    encoder.pooler = None
    heads = {"mnli": linear(), "rte": linear("pooler")}
    with pytest.raises(EncoderError, match=r"no trained pooler(?s:.*)the head of rte"):
        MultiTaskModel(encoder, {name: GLUE[name] for name in heads}, heads)


def test_a_regression_head_starts_at_the_mean(model):
    model.head("stsb").start_at(2.5)
    assert model.head("stsb").linear.bias.tolist() == [2.5]


def test_first_weights_do_not_hang_on_the_order_of_tasks(tiny, head):
    one, other = (
        build(tiny, dict.fromkeys(names, head)) for names in (("rte", "mnli"), ("mnli", "rte"))
    )
    assert torch.equal(one.head("rte").linear.weight, other.head("rte").linear.weight)


@pytest.mark.parametrize("other", [SAN, RANKING])
def test_first_weights_do_not_hang_on_the_kinds_of_other_heads(tiny, other):
    plain = build(tiny, {"qnli": linear(), "rte": linear()})
    mixed = build(tiny, {"qnli": other, "rte": linear()})
    assert torch.equal(plain.head("rte").linear.weight, mixed.head("rte").linear.weight)


@pytest.mark.parametrize("name", ["type", "train", "values", "forward", "half"])
def test_a_task_may_have_any_name(tiny, head, name):
    encoder, _ = encoders.load(tiny, 0.0)
    assert MultiTaskModel(encoder, {name: GLUE["rte"]}, {name: head}).head(name)


def test_settings_are_those_of_the_tasks(tiny):
    encoder, _ = encoders.load(tiny, 0.0)
    heads = {"rte": linear(), "mnli": SAN}
    model = MultiTaskModel(encoder, {"mnli": GLUE["mnli"]}, heads)
    assert model.head_settings == {"mnli": SAN}
    assert list(model.heads) == ["head_mnli"]


@pytest.mark.parametrize("attentions", [True, False])
def test_inner_states(tiny, attentions):
    model = build(tiny, {"rte": linear()}).eval()
    model.encoder.set_attn_implementation("eager")
    given = inputs(rows=3, length=5)
    logits, hidden, maps = model.forward_with_features("rte", given, attentions)
    torch.testing.assert_close(logits, model("rte", given))
    assert [state.shape for state in hidden] == [(3, 5, 8)] * 3  # embeddings and two layers
    torch.testing.assert_close(hidden[0], model.encoder.embeddings(given["input_ids"]))
    torch.testing.assert_close(hidden[-1], model.encoder(**given).last_hidden_state)
    assert [look.shape for look in maps] == [(3, 2, 5, 5)] * 2 * attentions
    for look in maps:
        torch.testing.assert_close(look.sum(-1), torch.ones(3, 2, 5))


def test_attention_that_an_encoder_does_not_keep_is_an_error(tiny):
    model = build(tiny, {"rte": linear()})
    model.encoder.set_attn_implementation("sdpa")
    with pytest.raises(EncoderError, match=r"no attention probabilities(?s:.*)sdpa"):
        model.forward_with_features("rte", inputs(), attentions=True)
