"""Ranking: logits and loss in closed form; wrong answers that are wrong, given ones first.

Run with: python -m pytest tests/pipeline/model/heads/test_ranking.py
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from pipeline.model import character_bert, tokenization
from pipeline.model.heads import ranking
from pipeline.model.heads.base import Encoded
from pipeline.params.heads import Head
from pipeline.params.heads.ranking import RankingHead as Settings
from pipeline.tasks import GLUE

LN2 = math.log(2)
TOKENIZER = character_bert.tokenizer()


def head_settings(negatives=2, **more):
    given = {"pooling": "mean", "dropout": 0.0, "gamma": 1.0, "weight": 0.5, **more}
    return Settings(kind="ranking", negatives=negatives, **given)


@pytest.mark.parametrize(
    ("labels", "positive"),
    [
        *((GLUE[task].labels, 0) for task in ("qnli", "rte")),
        *((GLUE[task].labels, 1) for task in ("qqp", "mrpc", "wnli")),
        (("right", "not_right"), 0),
        (("wrong", "right"), 1),  # models from before such spellings were refused stay as they are
        (("not_wrong", "not_right"), 0),
    ],
)
def test_class_of_right_answers(labels, positive):
    assert ranking.positive_class(labels) == positive


@pytest.mark.parametrize("name", ["relevant", "irrelevant"])
@pytest.mark.parametrize("labels", [("relevant", "irrelevant"), ("irrelevant", "relevant")])
def test_class_of_right_answers_by_its_name(labels, name):
    assert labels[ranking.positive_class(labels, name)] == name
    with pytest.raises(ValueError, match="other is neither"):
        ranking.positive_class(labels, "other")


@pytest.mark.parametrize("labels", [(), GLUE["mnli"].labels])
def test_there_have_to_be_two_classes(labels):
    with pytest.raises(ValueError, match=f"not {len(labels)}"):
        ranking.positive_class(labels)


@pytest.mark.parametrize(("task", "logits"), [("qnli", [9.0, 0.0]), ("qqp", [0.0, 9.0])])
def test_logits_of_the_class_are_the_relevance(task, logits):
    head = ranking.RankingHead(2, GLUE[task], head_settings())
    with torch.no_grad():  # mean (2, 3), w = (1, 2), bias 1: 2 + 6 + 1
        head.relevance.linear.weight.copy_(torch.tensor([[1.0, 2.0]]))
        head.relevance.linear.bias.fill_(1.0)
    vectors = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    output = head(Encoded(vectors, None, torch.ones(1, 2), None))
    assert output.tolist() == [logits]
    assert ranking.relevance(output).tolist() == [9.0]


@pytest.mark.parametrize(("positive", "place"), [("duplicate", 1), ("not_duplicate", 0)])
def test_a_head_ranks_the_class_that_its_settings_name(positive, place):
    head = ranking.RankingHead(2, GLUE["qqp"], head_settings(positive=positive))
    output = head(Encoded(torch.ones(1, 1, 2), None, torch.ones(1, 1), None))[0]
    assert output[place] != 0
    assert output[1 - place] == 0


def test_settings_of_an_older_model_name_no_class():
    older = head_settings().model_dump(exclude={"positive"})
    assert TypeAdapter(Head).validate_python(older) == head_settings()


@pytest.mark.parametrize(("positive", "places"), [(None, [1]), ("not_duplicate", [0, 2])])
def test_wrong_answers_are_drawn_for_the_class_that_the_head_names(make, positive, places):
    rows = make("qqp", "train", [("q a", "one", 0), ("q a", "two", 1), ("q b", "three", 0)])
    head = ranking.RankingHead(2, GLUE["qqp"], head_settings(positive=positive))
    pairs = head.extra_pairs(rows, tokenization.tokenise(rows, TOKENIZER, 32), 32)
    assert drawn(pairs, [0, 1, 2])[0].tolist() == places


def test_relevance_is_counted_in_float32():
    assert ranking.relevance(torch.ones(3, 2, dtype=torch.bfloat16)).dtype == torch.float32


@pytest.mark.parametrize(
    ("positive", "negative", "gamma", "loss"),
    [
        ([LN2], [[0.0, 0.0]], 1.0, LN2),  # 2 / (2 + 1 + 1)
        ([LN2], [[0.0, 0.0]], 2.0, math.log(1.5)),  # 4 / (4 + 1 + 1)
        ([5.0], [[5.0]], 3.0, LN2),
        ([LN2, 0.0], [[0.0, 0.0], [0.0, LN2]], 1.0, 1.5 * LN2),  # 2 / 4 and 1 / 4
        ([1000.0], [[-1000.0]], 1.0, 0.0),
        ([-1000.0], [[1000.0]], 1.0, 2000.0),
    ],
)
def test_loss(positive, negative, gamma, loss):
    value = ranking.loss(torch.tensor(positive), torch.tensor(negative), gamma)
    torch.testing.assert_close(value, torch.tensor(loss))


def test_gradient_of_the_loss_is_the_softmax_less_the_right_answer():
    positive = torch.tensor([LN2], requires_grad=True)
    negative = torch.tensor([[0.0, 0.0]], requires_grad=True)
    ranking.loss(positive, negative, 1.0).backward()
    torch.testing.assert_close(positive.grad, torch.tensor([0.5 - 1.0]))
    torch.testing.assert_close(negative.grad, torch.tensor([[0.25, 0.25]]))


EXAMPLES = [
    ("q a", "right", 0),
    ("q a", "wrong", 1),
    ("q a", "worse", 1),
    ("q b", "good", 0),
    ("q c", "alien", None),
]


def negatives(make, examples=EXAMPLES, count=2):
    rows = make("qnli", "train", examples)
    tokens = tokenization.tokenise(rows.table, TOKENIZER, 32)
    return ranking.Negatives(rows.table, rows.labels, tokens, head_settings(count), 32, 0)


def words(pairs):
    """The texts of each pair of a batch."""
    word_pairs = []
    for row, texts in zip(pairs["input_ids"], pairs["texts"], strict=True):
        decoded = (TOKENIZER.decode(row[texts == number]) for number in (1, 2))
        word_pairs.append(tuple(text.replace(" ##", "") for text in decoded))
    return word_pairs


def drawn(source, rows, seed=0):
    return source.draw(np.array(rows), np.random.default_rng(seed))


def test_a_questions_own_wrong_answers_come_first(make):
    places, pairs = drawn(negatives(make), [4, 1, 0])
    assert places.tolist() == [2]
    assert words(pairs) == [("q a", "wrong"), ("q a", "worse")]


def test_others_are_drawn_where_own_ones_are_too_few(make):
    _, pairs = drawn(negatives(make, count=4), [0])
    assert words(pairs)[:2] == [("q a", "wrong"), ("q a", "worse")]
    assert set(words(pairs)[2:]) == {("q a", "good"), ("q a", "alien")}


def test_of_too_many_own_ones_some_are_chosen(make):
    answers = {words(drawn(negatives(make, count=1), [0], seed)[1])[0] for seed in range(30)}
    assert answers == {("q a", "wrong"), ("q a", "worse")}


def test_each_right_answer_has_its_own_in_the_order_of_the_batch(make):
    places, pairs = drawn(negatives(make), [1, 3, 0, 4])
    assert places.tolist() == [1, 2]
    assert [question for question, _ in words(pairs)] == ["q b", "q b", "q a", "q a"]
    assert words(pairs)[2:] == [("q a", "wrong"), ("q a", "worse")]


def test_a_row_without_a_label_has_no_right_answer(make):
    places, pairs = drawn(negatives(make), [4])
    assert (places.tolist(), pairs) == ([], {})


@pytest.mark.parametrize(
    "examples",
    [
        [("q", "right", 0)],
        [("q", "right", 0), ("q", "right", 1)],
        [("q", "right", 0), ("other", "right", 1)],
        [("q", "right", 0), ("q", "unknown", None)],
    ],
)
def test_without_a_wrong_answer_a_row_is_left_out(make, examples):
    places, pairs = drawn(negatives(make, examples), [0])
    assert (places.tolist(), pairs) == ([], {})


def test_too_few_wrong_answers_come_again(make):
    examples = [("q", "right", 0), ("other", "wrong", 0), ("third", "wrong", 1)]
    assert words(drawn(negatives(make, examples, 3), [0])[1]) == [("q", "wrong")] * 3


def test_the_only_wrong_answer_among_many_rows_is_found(make):
    examples = [*(("q", f"right{i}", 0) for i in range(300)), ("other", "wrong", 0)]
    assert words(drawn(negatives(make, examples, 1), [7])[1]) == [("q", "wrong")]


def test_rows_held_out_give_no_wrong_answers(make):
    source = negatives(make, count=4)
    fewer = source.without(np.array([1, 3]))
    assert set(words(drawn(fewer, [0])[1])) == {("q a", "worse"), ("q a", "alien")}
    assert len(set(words(drawn(source, [0])[1]))) == 4  # the first is as it was


def test_a_right_answer_in_a_held_out_row_is_still_right(make):
    examples = [("q", "one", 0), ("q", "two", 0), ("other", "two", 1), ("other", "wrong", 1)]
    fewer = negatives(make, examples, 1).without(np.array([1]))
    assert {words(drawn(fewer, [0], seed)[1])[0] for seed in range(20)} == {("q", "wrong")}


TEXTS = st.tuples(st.sampled_from("pqr"), st.sampled_from("abcde"), st.sampled_from([0, 1, None]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TEXTS, min_size=1, max_size=12), st.integers(1, 5), st.integers(0, 99))
def test_whatever_the_rows_wrong_answers_are_wrong(make, examples, count, seed):
    source, rows = negatives(make, examples, count), list(range(len(examples)))
    places, pairs = drawn(source, rows, seed)
    again, same = drawn(source, rows, seed)
    assert (places == again).all()
    assert words(pairs) == words(same) if pairs else not same
    word_pairs = words(pairs) if pairs else []
    assert len(word_pairs) == count * len(places)
    for number, place in enumerate(places):
        question = examples[place][0]
        own = word_pairs[number * count : (number + 1) * count]
        rights = {a for q, a, label in examples if (q, label) == (question, 0)}
        given_wrong = {a for q, a, label in examples if (q, label) == (question, 1)} - rights
        others = {a for q, a, _ in examples if q != question} - rights
        answers = [answer for _, answer in own]
        assert {q for q, _ in own} == {question}
        assert examples[place][2] == 0
        assert set(answers) <= given_wrong | others
        assert set(answers[: len(given_wrong)]) <= given_wrong
        assert len(set(answers)) == min(count, len(given_wrong | others))
