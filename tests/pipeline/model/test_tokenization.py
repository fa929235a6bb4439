"""Packed tokens give back every row's ids, padded to the batch, whatever the batch.

Run with: python -m pytest tests/pipeline/model/test_tokenization.py
"""

from __future__ import annotations

import dataclasses
import string
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from pipeline.data import parquet_file
from pipeline.model import character_bert, tokenization
from pipeline.runtime import memory_mapped


def roberta():
    """A tokenizer of RoBERTa's kind that reads characters: `<s> a </s></s> b </s>`, one segment."""
    special = ("<s>", "<pad>", "</s>", "<unk>")
    pieces = [*special, *sorted(set(string.printable) - set(string.whitespace)), "Ġ"]
    core = Tokenizer(
        models.BPE({piece: n for n, piece in enumerate(pieces)}, [], unk_token="<unk>")
    )
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        cls_token="<s>",
        pad_token="<pad>",
        sep_token="</s>",
        unk_token="<unk>",
        model_input_names=["input_ids", "attention_mask"],
    )


TOKENIZERS = {"bert": character_bert.tokenizer(), "roberta": roberta()}


@pytest.fixture(scope="module")
def tokenizer():
    return TOKENIZERS["bert"]


@pytest.fixture(params=TOKENIZERS)
def either(request):
    return TOKENIZERS[request.param]


def ids(tokenizer, text):
    return tokenizer.convert_tokens_to_ids(text.split())


def test_pairs_and_their_segments(make, tokenizer):
    rows = make("rte", "train", [("ab", "c", 0), ("a", "bc d", 1)])
    tokens = tokenization.tokenise(rows.table, tokenizer, 32)
    batch = tokens.batch(np.array([1, 0]))
    first = ids(tokenizer, "[CLS] a [SEP] b ##c d [SEP]")
    second = ids(tokenizer, "[CLS] a ##b [SEP] c [SEP] [PAD]")
    assert batch["input_ids"].tolist() == [first, second]
    assert batch["token_type_ids"].tolist() == [[0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 1, 1, 0]]
    assert batch["attention_mask"].tolist() == [[1] * 7, [1] * 6 + [0]]
    assert batch["texts"].tolist() == [[0, 1, 0, 2, 2, 2, 0], [0, 1, 1, 0, 2, 0, 0]]


def test_single_sentences(make, tokenizer):
    rows = make("cola", "train", [("ab", None, 0)])
    batch = tokenization.tokenise(rows.table, tokenizer, 32).batch(np.array([0]))
    assert batch["input_ids"].tolist() == [ids(tokenizer, "[CLS] a ##b [SEP]")]
    assert batch["texts"].tolist() == [[0, 1, 1, 0]]


@pytest.mark.parametrize(
    ("kind", "first", "second", "texts"),
    [
        ("bert", "ab", "c", [0, 1, 1, 0, 2, 0]),
        ("bert", "ab", "", [0, 1, 1, 0, 0]),
        ("bert", "", "ab", [0, 0, 2, 2, 0]),
        ("bert", "a [SEP]", "b", [0, 1, 1, 0, 2, 0]),  # written so by whoever wrote the text
        ("roberta", "ab", "c", [0, 1, 1, 0, 0, 2, 0]),
        ("roberta", "ab", "", [0, 1, 1, 0, 0, 0]),
        ("roberta", "", "ab", [0, 0, 0, 2, 2, 0]),
        ("roberta", "</s>", "b", [0, 1, 0, 0, 2, 0]),
        ("roberta", "ab", None, [0, 1, 1, 0]),
    ],
)
def test_every_token_is_of_its_text(make, kind, first, second, texts):
    rows = make("rte", "train", [(first, second, 0)])
    tokens = tokenization.tokenise(rows.table, TOKENIZERS[kind], 32)
    assert tokens.texts.tolist() == texts
    assert tokens.texts.dtype == tokens.batch(np.array([0]))["texts"].dtype == np.uint8


def test_the_longer_text_is_cut_first(make, tokenizer):
    rows = make("rte", "train", [("a b c d e f", "g h", 0)])
    batch = tokenization.tokenise(rows.table, tokenizer, 8).batch(np.array([0]))
    assert batch["input_ids"].tolist() == [ids(tokenizer, "[CLS] a b c [SEP] g h [SEP]")]


def test_an_encoder_without_segments_gets_none(make, tokenizer):
    rows = make("rte", "train", [("a", "b", 0)])
    tokens = dataclasses.replace(
        tokenization.tokenise(rows.table, tokenizer, 8), uses_segments=False
    )
    assert set(tokens.batch(np.array([0]))) == {"input_ids", "attention_mask", "texts"}


def test_no_rows(make, tokenizer):
    assert len(tokenization.tokenise(make("rte", "test", []).table, tokenizer, 8).lengths) == 0


PLAIN = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@PLAIN
@given(st.lists(st.text("ab cd", min_size=1, max_size=20), min_size=1, max_size=12), st.randoms())
def test_any_batch_holds_each_row_as_if_alone(make, tokenizer, texts, random):
    tokens = tokenization.tokenise(
        make("cola", "train", [(t, None, 0) for t in texts]).table, tokenizer, 64
    )
    rows = np.array(random.sample(range(len(texts)), random.randint(1, len(texts))))
    batch = tokens.batch(rows)
    for place, row in enumerate(rows):
        alone = tokenizer(texts[row])["input_ids"]
        length = int(batch["attention_mask"][place].sum())
        assert batch["input_ids"][place, :length].tolist() == alone
        assert (batch["input_ids"][place, length:] == tokens.pad).all()


def test_a_pair_is_of_one_rows_first_and_another_rows_second_text(make, tokenizer):
    rows = make("qnli", "train", [("a b", "c", 0), ("d", "e f g", 1)])
    tokens = tokenization.tokenise(rows.table, tokenizer, 32)
    batch = tokens.pair(np.array([0, 1]), np.array([1, 0]), 32)
    first = ids(tokenizer, "[CLS] a b [SEP] e f g [SEP]")
    second = ids(tokenizer, "[CLS] d [SEP] c [SEP] [PAD] [PAD] [PAD]")
    assert batch["input_ids"].tolist() == [first, second]
    assert batch["token_type_ids"].tolist() == [[0] * 4 + [1] * 4, [0, 0, 0, 1, 1, 0, 0, 0]]
    assert batch["texts"].tolist() == [[0, 1, 1, 0, 2, 2, 2, 0], [0, 1, 0, 2, 0, 0, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1] * 8, [1] * 5 + [0] * 3]


WORDS = st.lists(st.sampled_from("abcdefgh"), max_size=9).map(" ".join)


@PLAIN
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4), st.integers(8, 24), st.data())
def test_a_pair_is_as_if_tokenised_anew(make, either, texts, length, data):
    rows = make("qnli", "train", [*((one, two, 0) for one, two in texts), ("a", "b", 0)])
    tokens = tokenization.tokenise(rows.table, either, 64)
    places = st.integers(0, len(texts) - 1)
    first, second = data.draw(places), data.draw(places)
    batch = tokens.pair(np.array([first]), np.array([second]), length)
    whole = make("qnli", "train", [(texts[first][0], texts[second][1], 0)])
    anew = tokenization.tokenise(whole.table, either, length).batch(np.array([0]))
    assert {k: v.tolist() for k, v in batch.items()} == {k: v.tolist() for k, v in anew.items()}


def test_pairs_need_a_row_of_two_texts(make, tokenizer):
    tokens = tokenization.tokenise(make("qnli", "train", [("a", "", 0)]).table, tokenizer, 8)
    with pytest.raises(ValueError, match="two texts"):
        tokens.pair(np.array([0]), np.array([0]), 8)


def test_tokens_one_after_the_other_are_those_of_all_rows(make, either):
    examples = [("ab", "c", 0), ("a", "bc d", 1), ("b", "", 0)]
    parts = [
        tokenization.tokenise(make("rte", "train", some).table, either, 16)
        for some in (examples[:1], examples[1:])
    ]
    joined = tokenization.concatenate(*parts)
    whole = tokenization.tokenise(make("rte", "train", examples).table, either, 16)
    for name in ("ids", "segments", "texts", "offsets"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name), strict=True)
    assert (joined.pad, joined.uses_segments) == (whole.pad, whole.uses_segments)


@pytest.mark.parametrize("change", [{"pad": 1}, {"uses_segments": False}])
def test_tokens_of_different_tokenizers_do_not_join(make, tokenizer, change):
    tokens = tokenization.tokenise(make("rte", "train", [("a", "b", 0)]).table, tokenizer, 16)
    with pytest.raises(ValueError, match="different tokenizers"):
        tokenization.concatenate(tokens, dataclasses.replace(tokens, **change))


TEXTS = st.text("ab cd", max_size=12)


@PLAIN
@given(
    st.lists(st.tuples(TEXTS, TEXTS), max_size=9),
    st.sampled_from([1, 64, 1 << 20]),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_in_any_batches_and_mapped_or_not_the_tokens_are_the_same(
    make, either, texts, memory, batch, call
):
    rows = make("rte", "train", [(*both, 0) for both in texts])
    alone = [either([one], [two], truncation=True, max_length=8).encodings[0] for one, two in texts]
    sides = [[0 if n is None else n + 1 for n in row.sequence_ids] for row in alone]
    expected = {
        "ids": np.array([n for row in alone for n in row.ids], np.int32),
        "segments": np.array([n for row in alone for n in row.type_ids], np.uint8),
        "texts": np.array([n for row in sides for n in row], np.uint8),
        "offsets": np.array([0, *np.cumsum([len(row.ids) for row in alone])], np.int64),
        "lengths": np.array([len(row.ids) for row in alone], np.int64),
    }
    with (
        mock.patch.object(memory_mapped, "MEMORY_BYTES", memory),
        mock.patch.object(parquet_file, "BATCH", batch),
        mock.patch.object(tokenization, "_ROWS_PER_CALL", call),
    ):
        tokens = tokenization.tokenise(rows, either, 8)
        for name, array in expected.items():
            np.testing.assert_array_equal(getattr(tokens, name), array, strict=True)
