"""Packed tokens give back every row's ids, padded to the batch, whatever the batch.

Run with: python -m pytest tests/pipeline/test_tokens.py
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import characters, tokens


@pytest.fixture(scope="module")
def tokenizer():
    return characters.tokenizer()


def ids(tokenizer, text):
    return tokenizer.convert_tokens_to_ids(text.split())


def test_pairs_and_their_segments(make, tokenizer):
    rows = make("rte", "train", [("ab", "c", 0), ("a", "bc d", 1)])
    packed = tokens.tokenise(rows.table, tokenizer, 32)
    batch = packed.batch(np.array([1, 0]))
    first = ids(tokenizer, "[CLS] a [SEP] b ##c d [SEP]")
    second = ids(tokenizer, "[CLS] a ##b [SEP] c [SEP] [PAD]")
    assert batch["input_ids"].tolist() == [first, second]
    assert batch["token_type_ids"].tolist() == [[0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 1, 1, 0]]
    assert batch["attention_mask"].tolist() == [[1] * 7, [1] * 6 + [0]]


def test_single_sentences(make, tokenizer):
    rows = make("cola", "train", [("ab", None, 0)])
    batch = tokens.tokenise(rows.table, tokenizer, 32).batch(np.array([0]))
    assert batch["input_ids"].tolist() == [ids(tokenizer, "[CLS] a ##b [SEP]")]


def test_the_longer_text_is_cut_first(make, tokenizer):
    rows = make("rte", "train", [("a b c d e f", "g h", 0)])
    batch = tokens.tokenise(rows.table, tokenizer, 8).batch(np.array([0]))
    assert batch["input_ids"].tolist() == [ids(tokenizer, "[CLS] a b c [SEP] g h [SEP]")]


def test_an_encoder_without_segments_gets_none(make, tokenizer):
    rows = make("rte", "train", [("a", "b", 0)])
    packed = tokens.tokenise(rows.table, tokenizer, 8)
    without = tokens.Tokens(packed.ids, packed.segments, packed.offsets, packed.pad, False)
    assert set(without.batch(np.array([0]))) == {"input_ids", "attention_mask"}


def test_no_rows(make, tokenizer):
    assert len(tokens.tokenise(make("rte", "test", []).table, tokenizer, 8).lengths) == 0


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text("ab cd", min_size=1, max_size=20), min_size=1, max_size=12), st.randoms())
def test_any_batch_holds_each_row_as_if_alone(make, tokenizer, texts, random):
    packed = tokens.tokenise(
        make("cola", "train", [(t, None, 0) for t in texts]).table, tokenizer, 64
    )
    rows = np.array(random.sample(range(len(texts)), random.randint(1, len(texts))))
    batch = packed.batch(rows)
    for place, row in enumerate(rows):
        alone = tokenizer(texts[row])["input_ids"]
        length = int(batch["attention_mask"][place].sum())
        assert batch["input_ids"][place, :length].tolist() == alone
        assert (batch["input_ids"][place, length:] == packed.pad).all()
