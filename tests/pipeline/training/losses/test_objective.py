"""The loss of a batch: factors of tasks, rows without gold labels, inner states, ranking.

Run with: python -m pytest tests/pipeline/training/losses/test_objective.py
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812, the field's own abbreviation

from pipeline.model import encoders, tokenization
from pipeline.model.heads import ranking
from pipeline.model.multitask import MultiTaskModel
from pipeline.params.distillation import Distillation
from pipeline.params.heads.ranking import RankingHead
from pipeline.runtime import hardware
from pipeline.tasks import GLUE
from pipeline.training.losses.objective import Objective, Outputs, TrainingSet

EXAMPLES = [("aaaa", "bb", 0), ("cc", "dddd", 1), ("aaaa", "ff", 1), ("ggg", "h", 0)]
ALL = np.arange(4)
RANDOM = np.random.default_rng(0)


class Parts:
    """A tiny model, its rows and the hardware."""

    def __init__(self, tiny, head, machine, make, task):
        encoder, tokenizer = encoders.load(tiny, 0.0)
        self.task, self.machine = task, hardware.set_up(machine)
        self.model = MultiTaskModel(encoder, {task: GLUE[task]}, {task: head})
        with torch.no_grad():
            for weight in self.model.head(task).parameters():
                weight.copy_(torch.linspace(-2, 2, weight.numel()).view_as(weight))
        self.rows = make(task, "train", EXAMPLES)
        self.tokens = tokenization.tokenise(self.rows.table, tokenizer, 32)

    def logits(self, rows=ALL):
        inputs = {k: torch.from_numpy(v) for k, v in self.tokens.batch(rows).items()}
        return self.model(self.task, inputs)

    def loss(self, progress=0.0, rows=ALL, random=RANDOM, of=None, **given):
        objective = Objective(self.model, self.machine, **given)
        of = of or TrainingSet(self.tokens, self.rows.labels)
        own = [objective.forward(self.task, True, self.tokens.batch(rows))]
        wrong = None
        if of.extra_pairs is not None:
            places, pairs = of.extra_pairs.draw(rows, random)
            if len(places):
                wrong = places, [objective.forward(self.task, False, pairs)]
        return objective.loss(self.task, of, rows, own, progress, wrong)


@pytest.fixture
def parts(tiny, head, machine, make):
    """Pieces for the loss of RTE rows."""
    return Parts(tiny, head, machine, make, "rte")


def _distillation(hard_weight):
    return Distillation(
        hard_weight=hard_weight,
        temperature=1.0,
        loss={"kind": "cross_entropy"},
        label_smoothing=0.0,
        features=None,
    )


def test_it_is_the_cross_entropy_of_the_batch_alone(parts):
    rows = np.array([2, 0])
    expected = F.cross_entropy(parts.logits(rows), torch.tensor([1, 0]))
    assert _value(parts.loss(rows=rows)) == pytest.approx(_value(expected))


@pytest.mark.parametrize(("weights", "factor"), [({}, 1), ({"rte": 2.5}, 2.5), ({"cola": 9}, 1)])
def test_a_task_has_its_own_factor_only(parts, weights, factor):
    plain = _value(parts.loss())
    assert _value(parts.loss(task_weights=weights)) == pytest.approx(factor * plain)


def test_progress_moves_an_annealed_loss_from_soft_to_hard(parts):
    targets = np.full((4, 2), 0.5, np.float32)
    of = TrainingSet(parts.tokens, parts.rows.labels, targets)
    logits = parts.logits().detach()
    soft = float(-(F.log_softmax(logits, 1) * 0.5).sum(1).mean())
    hard = float(F.cross_entropy(logits, torch.from_numpy(parts.rows.labels)))
    for progress in (0.0, 0.25, 1.0):
        loss = _value(parts.loss(progress, of=of, distillation=_distillation("annealed")))
        assert loss == pytest.approx((1 - progress) * soft + progress * hard, rel=1e-5)


def test_the_label_of_a_row_without_a_gold_one_does_not_count(parts):
    targets, known = np.full((4, 2), 0.5, np.float32), np.array([True, False, True, True])
    losses = []
    for label in (0, 1):
        labels = parts.rows.labels.copy()
        labels[1] = label
        of = TrainingSet(parts.tokens, labels, targets, known)
        losses.append(_value(parts.loss(of=of, distillation=_distillation(0.5))))
    assert losses[0] == losses[1]
    assert losses[0] != _value(
        parts.loss(
            of=TrainingSet(parts.tokens, parts.rows.labels, targets),
            distillation=_distillation(0.5),
        )
    )


class Matcher(torch.nn.Module):
    """Stands for inner states of a teacher: mean of all hidden states, times ten."""

    attentions = False

    def __init__(self, tasks):
        super().__init__()
        self.tasks = tasks
        self.scale = torch.nn.Parameter(torch.tensor(10.0))
        self.seen = []

    def loss(self, task, inputs, hidden, attentions):
        self.seen.append((task, tuple(hidden[0].shape[:2]), len(hidden), attentions))
        assert hidden[0].shape[:2] == inputs["input_ids"].shape
        return self.scale * torch.stack(hidden).square().mean()


def test_the_loss_of_inner_states_is_added_and_has_the_tasks_factor(parts):
    feature_loss = Matcher({"rte"})
    plain = _value(parts.loss())
    together = _value(parts.loss(feature_loss=feature_loss, task_weights={"rte": 2.0}))
    inputs = {k: torch.from_numpy(v) for k, v in parts.tokens.batch(ALL).items()}
    _, hidden, _ = parts.model.forward_with_features("rte", inputs, False)
    expected = 2 * (plain + 10 * _value(torch.stack(hidden).square().mean()))
    assert together == pytest.approx(expected, rel=1e-5)
    assert feature_loss.seen[0][2:] == (3, ())  # embeddings and two layers


def test_a_task_that_is_not_matched_is_left_alone(parts):
    feature_loss = Matcher({"mnli"})
    assert _value(parts.loss(feature_loss=feature_loss)) == _value(parts.loss())
    assert feature_loss.seen == []


RANKING = RankingHead(
    kind="ranking", pooling="mean", dropout=0.0, negatives=2, gamma=2.0, weight=0.25
)


@pytest.fixture
def ranked(tiny, machine, make):
    """Pieces for the loss of QNLI rows, and the rows with wrong answers: rows 0 and 3 are right."""
    task_parts = Parts(tiny, RANKING, machine, make, "qnli")
    table, labels = task_parts.rows.table, task_parts.rows.labels
    wrong = ranking.Negatives(table, labels, task_parts.tokens, RANKING, 32, positive=0)
    return task_parts, TrainingSet(task_parts.tokens, labels, extra_pairs=wrong)


def test_right_answers_are_ranked_among_wrong_ones(ranked):
    parts, rows = ranked
    places, pairs = rows.extra_pairs.draw(ALL, np.random.default_rng(9))
    assert places.tolist() == [0, 3]
    inputs = {k: torch.from_numpy(v) for k, v in pairs.items()}
    logits, wrong = parts.logits().detach(), parts.model("qnli", inputs).detach()
    candidates = 2.0 * torch.stack([logits[[0, 3], 0], wrong[[0, 2], 0], wrong[[1, 3], 0]], 1)
    expected = 0.75 * F.cross_entropy(logits, torch.from_numpy(parts.rows.labels))
    expected += 0.25 * -F.log_softmax(candidates, 1)[:, 0].mean()
    loss = parts.loss(of=rows, random=np.random.default_rng(9))
    assert _value(loss) == pytest.approx(_value(expected), rel=1e-5)


def test_a_batch_without_a_right_answer_has_the_class_loss_alone(ranked):
    parts, rows = ranked
    wrong = np.array([1, 2])
    expected = F.cross_entropy(parts.logits(wrong), torch.tensor([1, 1]))
    assert _value(parts.loss(of=rows, rows=wrong)) == pytest.approx(_value(expected))


def _value(loss):
    return loss.detach().item()


def test_the_loss_of_inner_states_is_a_mean_over_the_tokens_of_all_shards(parts):
    """Shards of 12 and 4 tokens with losses 1 and 5: (12 + 20) / 16 = 2 on top."""
    logits = parts.logits().detach()
    rows = TrainingSet(parts.tokens, parts.rows.labels)
    objective = Objective(parts.model, parts.machine)
    own = [
        Outputs(logits[:1], torch.tensor(1.0), 12),
        Outputs(logits[1:], torch.tensor(5.0), 4),
    ]
    loss = objective.loss("rte", rows, ALL, own, 0.0)
    assert _value(loss) == pytest.approx(_value(parts.loss()) + 2.0, rel=1e-5)


def test_tokens_are_counted_without_padding(parts):
    objective = Objective(parts.model, parts.machine)
    inputs = parts.tokens.batch(ALL)
    assert len({*parts.tokens.lengths}) > 1
    assert objective.forward("rte", True, inputs).tokens == parts.tokens.lengths[ALL].sum()
