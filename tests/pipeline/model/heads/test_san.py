"""SAN against numbers worked by hand and a second computation in numpy, one row at a time.

Run with: python -m pytest tests/pipeline/model/heads/test_san.py
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import encoders, tokenization
from pipeline.model.heads.base import Encoded
from pipeline.model.heads.san import SanHead, _log_mean
from pipeline.model.multitask import MultiTaskModel
from pipeline.params.heads.san import SanHead as Settings
from pipeline.tasks import GLUE

LN2, LN3 = math.log(2), math.log(3)


def san(width=2, task="rte", seed=0, **changes):
    """A head whose weights are large enough to tell tokens apart."""
    base = {"kind": "san", "steps": 2, "dropout": 0.0, "prediction_dropout": 0.0}
    torch.manual_seed(seed)
    head = SanHead(width, GLUE[task], Settings(**{**base, **changes}))
    for weight in head.parameters():
        torch.nn.init.normal_(weight)
    return head.eval()


def zeros(**changes):
    head = san(**changes)
    for weight in head.parameters():
        torch.nn.init.zeros_(weight)
    return head


def encoded(vectors, texts):
    """One row."""
    mask = torch.ones(1, len(texts), dtype=torch.long)
    texts = torch.tensor([texts], dtype=torch.uint8)
    return Encoded(torch.tensor([vectors], dtype=torch.float32), None, mask, texts)


FAR = [90.0, -90.0]  # a special token's vector, which must not count


def test_attention_worked_by_hand():
    # H = (1, 0), (0, 4): scores ln 3 and 0, weights 3/4 and 1/4, s = (3/4, 1).
    # s W2 = (ln 2, 0); P = (1, 0), (0, 3): scores ln 2 and 0, weights 2/3 and 1/3, x = (2/3, 1).
    # |s - x| = (1/12, 0): the logit 12 ln 3 / 12 against 0 gives 3/4 and 1/4.
    head = zeros(steps=1)
    with torch.no_grad():
        head.start.weight[0, 0] = LN3
        head.attention.weight[0, 1] = LN2
        head.answer.weight[0, 4] = 12 * LN3
    row = encoded([FAR, [1, 0], [0, 3], FAR, [1, 0], [0, 4], FAR], [0, 1, 1, 0, 2, 2, 0])
    torch.testing.assert_close(head(row).exp(), torch.tensor([[0.75, 0.25]]))


def test_steps_worked_by_hand():
    # Even weights: s0 = (4, 2), x = (1, 1). A GRU of zeros halves the state: s1 = (2, 1).
    # |s - x| = (3, 1), then (1, 0): logit ln 3, then 0: 3/4 and 1/2 for the first class, mean 5/8.
    head = zeros(steps=2)
    with torch.no_grad():
        head.answer.weight[0, 5] = LN3
    row = encoded([FAR, [2, 0], [0, 2], FAR, [3, 1], [5, 3], FAR], [0, 1, 1, 0, 2, 2, 0])
    torch.testing.assert_close(head(row).exp(), torch.tensor([[5 / 8, 3 / 8]]))


def test_order_of_the_features_worked_by_hand():
    # s = (4, 2), x = (1, 1): [s; x; |s - x|; s * x] = 4 2 1 1 3 1 4 2.
    head = zeros(steps=1, task="mnli")
    with torch.no_grad():
        head.answer.weight[0] = torch.tensor([1.0, 10, 100, 0, 0, 0, 0, 0])
        head.answer.weight[1] = torch.tensor([0.0, 0, 0, 1, 10, 20, 4, 30])
    row = encoded([[2, 0], [0, 2], [3, 1], [5, 3]], [1, 1, 2, 2])
    logits = torch.tensor([[124.0, 1 + 30 + 20 + 16 + 60, 0.0]])
    torch.testing.assert_close(head(row), torch.log_softmax(logits, -1))


def softmax(values):
    powers = np.exp(values - values.max())
    return powers / powers.sum()


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def attend(scores, vectors):
    if not len(vectors):
        return np.zeros(vectors.shape[1])
    return softmax(scores) @ vectors


def by_numpy(head, vectors, texts):
    """Probabilities of one row, written from the equations."""
    weights = {name: value.detach().double().numpy() for name, value in head.named_parameters()}
    premise, hypothesis = vectors[texts == 1], vectors[texts == 2]
    state = attend(hypothesis @ weights["start.weight"][0], hypothesis)
    answers = []
    for step in range(head.steps):
        if step == 0:
            read = attend(premise @ weights["attention.weight"] @ state, premise)
        else:
            before = state
            read = attend(premise @ weights["attention.weight"] @ before, premise)
            of_read = weights["update.weight_ih"] @ read + weights["update.bias_ih"]
            of_state = weights["update.weight_hh"] @ before + weights["update.bias_hh"]
            (ri, zi, ni), (rh, zh, nh) = np.split(of_read, 3), np.split(of_state, 3)
            reset, keep = sigmoid(ri + rh), sigmoid(zi + zh)
            state = (1 - keep) * np.tanh(ni + reset * nh) + keep * before
        features = np.concatenate([state, read, abs(state - read), state * read])
        answers.append(softmax(weights["answer.weight"] @ features + weights["answer.bias"]))
    return np.mean(answers, 0)


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize(
    "texts",
    [
        [0, 1, 1, 0, 2, 2, 2, 0],
        [0, 2, 2, 0, 1, 1, 1, 0],
        [0, 1, 1, 0, 0, 0, 0, 0],  # no hypothesis
        [0, 0, 2, 0, 0, 0, 0, 0],  # no premise
        [0, 0, 0, 0, 0, 0, 0, 0],
    ],
)
def test_as_numpy_has_it(steps, texts):
    head = san(width=2, task="mnli", steps=steps)
    vectors = np.random.default_rng(1).normal(size=(8, 2))
    probabilities = head(encoded(vectors.tolist(), texts)).exp().detach().numpy()[0]
    np.testing.assert_allclose(probabilities, by_numpy(head, vectors, np.array(texts)), rtol=1e-4)


@given(
    st.lists(st.sampled_from([0, 1, 2]), min_size=1, max_size=6),
    st.integers(1, 20),
    st.floats(-1e4, 1e4),
)
def test_padding_of_any_length_and_content_changes_nothing(texts, padding, content):
    head = san(steps=3)
    vectors = np.random.default_rng(len(texts)).normal(size=(len(texts), 2)).tolist()
    alone = head(encoded(vectors, texts))
    padded = head(encoded(vectors + [[content, -content]] * padding, texts + [0] * padding))
    torch.testing.assert_close(alone, padded)


@pytest.mark.parametrize("texts", [[0, 1, 1, 0], [0, 0, 2, 0], [0, 0, 0, 0]])
def test_a_text_without_tokens_gives_numbers_and_gradients(texts):
    head = san(steps=3)
    row = encoded([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]], texts)
    row.tokens.requires_grad_()
    logits = head(row)
    logits[0, 0].backward()
    gradients = [weight.grad for weight in head.parameters()]
    assert logits.isfinite().all()
    assert all(gradient.isfinite().all() for gradient in [*gradients, row.tokens.grad])


def test_a_second_text_that_is_not_there_goes_through_the_whole_model(tiny, make):
    encoder, tokenizer = encoders.load(tiny, 0.0)
    head = Settings(kind="san", steps=2, dropout=0.0, prediction_dropout=0.0)
    model = MultiTaskModel(encoder, {"mnli": GLUE["mnli"]}, {"mnli": head}).eval()
    rows = make("mnli", "train", [("a b", "", 0), ("a b", "c", 0)])
    batch = tokenization.tokenise(rows.table, tokenizer, 16).batch(np.array([0, 1]))
    assert not (batch["texts"][0] == 2).any()
    logits = model("mnli", {name: torch.from_numpy(array) for name, array in batch.items()})
    assert logits.isfinite().all()


@pytest.mark.parametrize(
    ("mask", "mean"),
    [
        ([True, True], [0.375, 0.625]),
        ([True, False], [0.5, 0.5]),
        ([False, True], [0.25, 0.75]),
    ],
)
def test_only_kept_steps_count(mask, mean):
    answers = torch.tensor([[[0.5, 0.5], [0.25, 0.75]]]).log().requires_grad_()
    log_mean = _log_mean(answers, torch.tensor([mask]))
    torch.testing.assert_close(log_mean.exp(), torch.tensor([mean]))
    log_mean[0, 0].backward()
    # d log mean_k p_k / d log p_k = p_k / sum of the kept ones
    shares = torch.tensor([0.5, 0.25]) * torch.tensor(mask)
    torch.testing.assert_close(answers.grad[0, :, 0], shares / shares.sum())


def test_probabilities_that_round_to_zero_stay_finite():
    answers = torch.tensor([[[0.0, -300.0], [0.0, -200.0]]])
    mask = torch.ones(1, 2, dtype=torch.bool)
    torch.testing.assert_close(_log_mean(answers, mask), torch.tensor([[0.0, -200.0 - LN2]]))


@pytest.mark.parametrize(
    ("steps", "chance", "mean"),
    [(5, 0.0, 5.0), (5, 0.4, 1 + 4 * 0.6), (5, 0.999, 1.004), (1, 0.9, 1)],
)
def test_prediction_dropout_keeps_one_step_and_others_by_chance(steps, chance, mean):
    head = san(steps=steps, prediction_dropout=chance).train()
    mask = head._kept(torch.zeros(8000, steps, 2))
    assert mask.any(1).all()
    assert mask.sum(1).float().mean().item() == pytest.approx(mean, abs=0.05)
    np.testing.assert_allclose(mask.float().mean(0), mean / steps, atol=0.03)


def test_prediction_dropout_is_of_training_alone():
    head = san(steps=5, prediction_dropout=0.9)
    row = encoded([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [1, 2, 2])
    assert torch.equal(head(row), head(row))
    outputs = {tuple(head.train()(row)[0].tolist()) for _ in range(50)}
    assert len(outputs) >= 5  # each step alone at least


def test_dropout_is_of_training_alone_and_the_same_for_all_tokens():
    head = san(dropout=0.5)
    vectors = torch.ones(4, 6, 2)
    assert torch.equal(head._dropped(vectors), vectors)
    dropped = head.train()._dropped(vectors)
    assert torch.equal(dropped, dropped[:, :1].expand(4, 6, 2))
    assert set(dropped.unique().tolist()) == {0.0, 2.0}


def test_what_the_answer_reads_is_dropped_in_training_alone():
    """As in the authors' classifier, every step anew: some of [s; x; |s - x|; s * x] are 0."""
    head = san(width=32, steps=3, dropout=0.5)
    given = []
    head.answer.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    vectors, texts = torch.rand(1, 6, 32) + 1.0, torch.tensor([[1, 1, 1, 2, 2, 2]])
    head._answers(vectors, texts == 1, texts == 2)
    assert all((features != 0).all() for features in given)
    given.clear()
    head.train()._answers(vectors, texts == 1, texts == 2)
    reads = torch.cat(given)[:, 32:64]  # the tokens have one mask for all steps, of its own
    assert len(given) == 3
    last = given[2].view(4, 32)
    assert (last[0] == 0).any(), "s^2 comes from the GRU, which makes no zeros"
    assert ((reads == 0).sum(0) % 3 != 0).any(), "not the same units in every step"


def test_in_few_bits_the_head_still_counts_in_float32():
    head = san(steps=3)
    row = encoded([[1.0, 2.0], [3.0, 4.0], [0.5, -1.0]], [1, 2, 2])
    with torch.autocast("cpu", torch.bfloat16):
        log_probabilities = head(row._replace(tokens=row.tokens.bfloat16()))
    assert log_probabilities.dtype == torch.float32
    torch.testing.assert_close(log_probabilities, head(row))


def test_a_batch_that_does_not_tell_its_texts_apart_is_refused():
    row = encoded([[1.0, 2.0]], [1])._replace(texts=None)
    with pytest.raises(ValueError, match="which text"):
        san()(row)
