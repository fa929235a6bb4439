"""Linear heads against numbers worked by hand; what kind a head is moves no other head.

Run with: python -m pytest tests/pipeline/model/heads/test_build.py
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pipeline.model.heads import base, build
from pipeline.model.heads.linear import LinearHead as Linear
from pipeline.model.heads.ranking import RankingHead as Ranking
from pipeline.model.heads.san import SanHead as San
from pipeline.params.heads.linear import LinearHead
from pipeline.params.heads.ranking import RankingHead
from pipeline.params.heads.san import SanHead
from pipeline.tasks import GLUE

TOKENS = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [90.0, 90.0]]])
POOLED = torch.tensor([[7.0, 8.0]])
MASK = torch.tensor([[1, 1, 0]])
LINEAR = LinearHead(kind="linear", pooling="mean", dropout=0.0)
SAN = SanHead(kind="san", steps=2, dropout=0.0, prediction_dropout=0.0)
RANKING = RankingHead(
    kind="ranking", pooling="mean", dropout=0.0, negatives=1, gamma=1.0, weight=0.5
)


@pytest.mark.parametrize(
    ("pooling", "vector"), [("mean", [2.0, 3.0]), ("cls", [1.0, 2.0]), ("pooler", [7.0, 8.0])]
)
def test_pooling(pooling, vector):
    head = Linear(2, GLUE["rte"], LINEAR.model_copy(update={"pooling": pooling}))
    with torch.no_grad():
        head.linear.weight.copy_(torch.eye(2))
    assert head(base.Encoded(TOKENS, POOLED, MASK, None)).tolist() == [vector]


@pytest.mark.parametrize(
    ("task", "settings", "kind"),
    [("mnli", LINEAR, Linear), ("mnli", SAN, San), ("qnli", RANKING, Ranking)],
)
def test_every_kind_gives_logits_of_the_tasks_width(task, settings, kind):
    head = build.build(2, GLUE[task], settings)
    assert isinstance(head, kind)
    texts = torch.tensor([[1, 2, 0]])
    logits = head(base.Encoded(TOKENS, POOLED, MASK, texts))
    assert logits.shape == (1, GLUE[task].outputs)


def test_a_linear_heads_first_weights():
    torch.manual_seed(5)
    head = build.draw(8, GLUE["mnli"], LINEAR)
    torch.manual_seed(5)
    nn.Linear(8, 3)  # draws weights of its own, which are drawn anew
    torch.testing.assert_close(
        head.linear.weight, torch.empty(3, 8).normal_(std=0.02), rtol=0, atol=0
    )
    assert head.linear.bias.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("settings", [SAN, RANKING])
def test_what_is_drawn_next_does_not_hang_on_a_heads_kind(settings):
    following = []
    for kind in (LINEAR, settings):
        torch.manual_seed(5)
        build.draw(8, GLUE["qnli"], kind)
        following.append(torch.rand(3))
    assert torch.equal(*following)


def test_heads_of_a_kind_differ_by_seed_and_by_place():
    weights = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        weights += [build.draw(8, GLUE["mnli"], SAN).attention.weight for _ in range(2)]
    first, second, again, _, other, _ = weights
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("settings", "scores", "pairs"),
    [(LINEAR, True, False), (SAN, False, False), (RANKING, False, True)],
)
def test_a_kind_has_the_methods_that_its_settings_promise(settings, scores, pairs):
    head = build.build(2, GLUE["qnli"], settings)
    assert isinstance(head, base.ScoreHead) == scores == (not settings.lack(2, 0))
    assert isinstance(head, base.PairHead) == pairs == (settings.extra_pairs > 0)


def test_a_kind_without_forward_cannot_be_built():
    class Nothing(base.Head):
        pass

    with pytest.raises(TypeError, match=r"abstract method '?forward"):
        Nothing()
