"""Tokenised rows, packed end to end, and the padded batches cut from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_ROWS_A_CALL = 4096  # keeps the tokenizer's Python lists small on large splits


@dataclass(frozen=True)
class Tokens:
    """Token ids of many rows without padding.

    Attributes:
        ids: int32 `(tokens,)`, all rows end to end.
        segments: uint8 `(tokens,)`, 0 in the first text and 1 in the second.
        offsets: int64 `(rows + 1,)`, row i is `ids[offsets[i]:offsets[i + 1]]`.
        pad: id of the padding token.
        uses_segments: whether the encoder takes segment ids.
    """

    ids: np.ndarray
    segments: np.ndarray
    offsets: np.ndarray
    pad: int
    uses_segments: bool

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row, int64 `(rows,)`."""
        return np.diff(self.offsets)

    def batch(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Padded inputs of some rows, named as transformers' encoders name them.

        Args:
            rows: positions `(batch,)`.

        Returns:
            `input_ids`, `attention_mask` and, where the encoder takes them, `token_type_ids`,
            each int64 `(batch, longest row)`.
        """
        lengths = self.lengths[rows]
        width = int(lengths.max())
        columns = np.arange(width)
        mask = columns < lengths[:, None]
        places = np.where(mask, self.offsets[rows][:, None] + columns, 0)
        inputs = {
            "input_ids": np.where(mask, self.ids[places], self.pad).astype(np.int64),
            "attention_mask": mask.astype(np.int64),
        }
        if self.uses_segments:
            inputs["token_type_ids"] = np.where(mask, self.segments[places], 0).astype(np.int64)
        return inputs


def tokenise(table: pa.Table, tokenizer: PreTrainedTokenizerBase, max_length: int) -> Tokens:
    """Tokenise the texts of prepared rows, longest text cut first where a row is too long.

    Args:
        table: rows with `sentence1` and `sentence2` (null where a task has one text).
        tokenizer: the encoder's own tokenizer.
        max_length: most tokens of a row, special tokens included.
    """
    ids: list[np.ndarray] = []
    segments: list[np.ndarray] = []
    lengths: list[int] = []
    for start in range(0, table.num_rows, _ROWS_A_CALL):
        for encoding in _encode(table.slice(start, _ROWS_A_CALL), tokenizer, max_length):
            ids.append(np.asarray(encoding.ids, np.int32))
            segments.append(np.asarray(encoding.type_ids, np.uint8))
            lengths.append(len(encoding.ids))
    return Tokens(
        np.concatenate([np.empty(0, np.int32), *ids]),
        np.concatenate([np.empty(0, np.uint8), *segments]),
        np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64),
        int(tokenizer.pad_token_id or 0),
        "token_type_ids" in tokenizer.model_input_names,
    )


def _encode(table: pa.Table, tokenizer: Any, max_length: int) -> Any:
    first, second = table["sentence1"].to_pylist(), table["sentence2"].to_pylist()
    pairs = None if table["sentence2"].null_count == table.num_rows else second
    return tokenizer(
        first, pairs, truncation=True, max_length=max_length, return_attention_mask=False
    ).encodings
