"""Tokenized rows, packed end to end, and the padded batches cut from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from pipeline.data.rows import Rows
from pipeline.runtime import memory_mapped
from pipeline.runtime.memory_mapped import MappedBuffer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TEXTS = "texts"  # key of a batch that the encoder does not take
_ROWS_PER_CALL = 1024  # keeps the tokenizer's Python lists small on large splits


class _Piece(NamedTuple):
    """A run of tokens: ids int32, segments uint8 and texts uint8, each `(tokens,)`."""

    ids: np.ndarray
    segments: np.ndarray
    texts: np.ndarray

    def cut(self, where: slice | np.ndarray) -> _Piece:
        return _Piece(self.ids[where], self.segments[where], self.texts[where])


@dataclass(frozen=True)
class Tokens:
    """Token ids of many rows without padding; the arrays may be memory-mapped and read-only.

    Attributes:
        ids: int32 `(tokens,)`, all rows end to end.
        segments: uint8 `(tokens,)`, the segment ids of the tokenizer; all 0 for encoders
            such as RoBERTa, so they do not separate the texts.
        texts: uint8 `(tokens,)`, 1 in the first text, 2 in the second, 0 on special tokens.
        offsets: int64 `(rows + 1,)`, row i is `ids[offsets[i]:offsets[i + 1]]`.
        pad: id of the padding token.
        uses_segments: whether the encoder takes segment ids.
    """

    ids: np.ndarray
    segments: np.ndarray
    texts: np.ndarray
    offsets: np.ndarray
    pad: int
    uses_segments: bool

    @cached_property
    def lengths(self) -> np.ndarray:
        """Tokens of each row, int64 `(rows,)`."""
        lengths, last = MappedBuffer(np.int64), self.offsets[0]
        for some in memory_mapped.chunks(self.offsets[1:]):
            lengths.append(np.diff(some, prepend=last))
            last = some[-1]
        return lengths.array()

    def batch(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Padded inputs of some rows, by the names of transformers' encoders.

        Args:
            rows: positions `(batch,)`.

        Returns:
            `input_ids`, `attention_mask` and, where the encoder takes them, `token_type_ids`,
            each int64 `(batch, longest row)`; `texts`, uint8 of the same shape, 0 on padding.
        """
        lengths = self.lengths[rows]
        width = int(lengths.max())
        columns = np.arange(width)
        mask = columns < lengths[:, None]
        places = np.where(mask, self.offsets[rows][:, None] + columns, 0)
        inputs = {
            "input_ids": np.where(mask, self.ids[places], self.pad).astype(np.int64),
            "attention_mask": mask.astype(np.int64),
            TEXTS: np.where(mask, self.texts[places], 0).astype(np.uint8),
        }
        if self.uses_segments:
            inputs["token_type_ids"] = np.where(mask, self.segments[places], 0).astype(np.int64)
        return inputs

    def pair(self, first: np.ndarray, second: np.ndarray, max_length: int) -> dict[str, np.ndarray]:
        """Padded inputs of new pairs: the first text of one row with the second of another.

        As if tokenized again, longest text cut first, but without what the rows' own truncation has
        already removed.

        Args:
            first: rows of the first texts, `(batch,)`.
            second: rows of the second texts, `(batch,)`.
            max_length: most tokens of a pair, special tokens included.

        Returns:
            Inputs as returned by `batch`.

        Raises:
            ValueError: no row has two texts to learn the special tokens' places from.
        """
        before, between, after = self._frame
        budget = max_length - sum(len(piece.ids) for piece in self._frame)
        rows: list[Sequence[_Piece]] = []
        for one, two in zip(first.tolist(), second.tolist(), strict=True):
            start, end = self._text(one, 1), self._text(two, 2)
            kept = _longest_first(len(start.ids), len(end.ids), budget)
            rows.append(
                (before, start.cut(slice(kept[0])), between, end.cut(slice(kept[1])), after)
            )
        packed = _pack([_join(pieces) for pieces in rows], self.pad, self.uses_segments)
        return packed.batch(np.arange(len(rows)))

    def _text(self, row: int, number: int) -> _Piece:
        whole = self._row(row)
        return whole.cut(whole.texts == number)

    def _row(self, row: int) -> _Piece:
        where = slice(int(self.offsets[row]), int(self.offsets[row + 1]))
        return _Piece(self.ids, self.segments, self.texts).cut(where)

    @cached_property
    def _frame(self) -> tuple[_Piece, _Piece, _Piece]:
        """Special tokens before, between and after the two texts of any row."""
        for row in range(len(self.offsets) - 1):
            whole = self._row(row)
            one, two = np.flatnonzero(whole.texts == 1), np.flatnonzero(whole.texts == 2)
            if len(one) and len(two):
                between = slice(int(one[-1]) + 1, int(two[0]))
                return (
                    whole.cut(slice(int(one[0]))),
                    whole.cut(between),
                    whole.cut(slice(int(two[-1]) + 1, None)),
                )
        raise ValueError("no row has tokens of two texts")


def tokenise(rows: Rows | pa.Table, tokenizer: PreTrainedTokenizerBase, max_length: int) -> Tokens:
    """Tokenize the texts of prepared rows, longest text cut first where a row is too long.

    Args:
        rows: with `sentence1` and `sentence2` (null where a task has one text); read a batch at a
            time.
        tokenizer: the encoder's own tokenizer.
        max_length: most tokens of a row, special tokens included.
    """
    split = rows if isinstance(rows, Rows) else Rows(rows, {})
    packed = _Growing()
    for part in split.batches("sentence1", "sentence2"):
        for start in range(0, len(part), _ROWS_PER_CALL):
            encodings = _encode(part.slice(start, _ROWS_PER_CALL), tokenizer, max_length)
            packed.append(
                np.concatenate([np.asarray(row.ids, np.int32) for row in encodings]),
                np.concatenate([np.asarray(row.type_ids, np.uint8) for row in encodings]),
                np.concatenate([_texts(row) for row in encodings]),
                np.array([len(row.ids) for row in encodings]),
            )
    uses_segments = "token_type_ids" in tokenizer.model_input_names
    return packed.tokens(int(tokenizer.pad_token_id or 0), uses_segments)


def concatenate(first: Tokens, second: Tokens) -> Tokens:
    """The rows of `first`, then those of `second`, both of one tokenizer.

    Raises:
        ValueError: they are padded differently or not both with segments.
    """
    kind = (first.pad, first.uses_segments)
    if kind != (second.pad, second.uses_segments):
        raise ValueError("tokens of different tokenizers")
    packed = _Growing()
    for part in (first, second):
        packed.append(part.ids, part.segments, part.texts, part.lengths)
    return packed.tokens(*kind)


class _Growing:
    """Collects the tokens of rows, batch by batch."""

    def __init__(self) -> None:
        self._ids, self._segments = MappedBuffer(np.int32), MappedBuffer(np.uint8)
        self._texts, self._offsets = MappedBuffer(np.uint8), MappedBuffer(np.int64)
        self._offsets.append([0])
        self._count = 0

    def append(
        self, ids: np.ndarray, segments: np.ndarray, texts: np.ndarray, lengths: np.ndarray
    ) -> None:
        """Append rows: their values in `Tokens`, and their lengths `(rows,)` for the offsets."""
        self._ids.append(ids)
        self._segments.append(segments)
        self._texts.append(texts)
        self._offsets.append(self._count + np.cumsum(lengths, dtype=np.int64))
        self._count += len(ids)

    def tokens(self, pad: int, uses_segments: bool) -> Tokens:
        """All rows."""
        ids, segments, texts = self._ids.array(), self._segments.array(), self._texts.array()
        return Tokens(ids, segments, texts, self._offsets.array(), pad, uses_segments)


def _encode(table: pa.Table, tokenizer: Any, max_length: int) -> Any:
    first, second = table["sentence1"].to_pylist(), table["sentence2"].to_pylist()
    pairs = None if table["sentence2"].null_count == table.num_rows else second
    return tokenizer(
        first, pairs, truncation=True, max_length=max_length, return_attention_mask=False
    ).encodings


def _texts(encoding: Any) -> np.ndarray:
    """Which text each token is of, uint8 `(tokens,)`: 0 for special tokens."""
    numbers = encoding.sequence_ids  # 0 and 1, None for what the tokenizer itself has added
    return np.array([0 if number is None else number + 1 for number in numbers], np.uint8)


def _longest_first(first: int, second: int, budget: int) -> tuple[int, int]:
    """Lengths of two texts cut as the tokenizers library cuts them (`longest_first`)."""
    shorter = min(first, second)
    longer = min(max(first, second), max(shorter, budget - shorter))
    if shorter + longer > budget:  # cut to halves; the odd token goes to the longer one
        shorter, longer = budget // 2, (budget + 1) // 2
    return (shorter, longer) if first <= second else (longer, shorter)


def _join(pieces: Sequence[_Piece]) -> _Piece:
    return _Piece(*(np.concatenate(arrays) for arrays in zip(*pieces, strict=True)))


def _pack(rows: Sequence[_Piece], pad: int, uses_segments: bool) -> Tokens:
    none = _Piece(np.empty(0, np.int32), np.empty(0, np.uint8), np.empty(0, np.uint8))
    ids, segments, texts = _join([none, *rows])
    lengths = [len(row.ids) for row in rows]
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    return Tokens(ids, segments, texts, offsets, pad, uses_segments)
