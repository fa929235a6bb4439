"""Make the rows that contestants train on: the same in every process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from benchmarks import lengths, models
from benchmarks.job import Job
from pipeline.model.tokenization import Tokens, tokenise
from pipeline.tasks import GLUE

FIRST, LAST, PAD = 101, 102, 0  # [CLS], [SEP] and [PAD] of the uncased BERT vocabulary
_WORDS = 1000  # below are unused pieces and single characters


@dataclass(frozen=True)
class Workload:
    """Rows of one task.

    Attributes:
        tokens: their tokens.
        labels: int64 classes or float32 scores `(rows,)`, drawn at random.
    """

    tokens: Tokens
    labels: np.ndarray

    @property
    def digest(self) -> str:
        """SHA-256 over tokens, lengths and labels, 16 digits."""
        sha = hashlib.sha256()
        for array in (self.tokens.ids, self.tokens.offsets, self.labels):
            sha.update(array.tobytes())
        return sha.hexdigest()[:16]

    def first(self, rows: int) -> Workload:
        """The first rows alone."""
        return Workload(_first(self.tokens, rows), self.labels[:rows])


def of(job: Job) -> Workload:
    """Rows of a job: of its GLUE folder if it names one, else random tokens of GLUE's lengths.

    Raises:
        DataError: the task's file is not what its layout says.
    """
    random = np.random.default_rng(job.seed)
    tokens = _random(job, random) if job.folder is None else _real(job, random)
    rows, classes = len(tokens.lengths), GLUE[job.task].outputs
    if GLUE[job.task].regression:
        return Workload(tokens, random.uniform(0, 5, rows).astype(np.float32))
    return Workload(tokens, random.integers(0, classes, rows))


def row_lengths(job: Job, random: np.random.Generator) -> np.ndarray:
    """Tokens of each row of a job without data, `(rows,)`, in random order.

    Fewer rows than the task has are spread evenly over all of its lengths.
    """
    if job.length is not None:
        return np.full(job.rows or job.batch_size, job.length)
    tokens = np.minimum(lengths.of(job.task), job.max_length)
    if job.rows is not None:
        tokens = tokens[np.linspace(0, len(tokens) - 1, job.rows).round().astype(int)]
    return random.permutation(tokens)


def _random(job: Job, random: np.random.Generator) -> Tokens:
    sizes = row_lengths(job, random)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    ids = random.integers(_WORDS, models.VOCABULARY, offsets[-1]).astype(np.int32)
    ids[offsets[:-1]], ids[offsets[1:] - 1] = FIRST, LAST
    special = ids == LAST
    special[offsets[:-1]] = True
    places = np.arange(offsets[-1]) - np.repeat(offsets[:-1], sizes)
    second = (places >= np.repeat(sizes, sizes) // 2) & GLUE[job.task].pair
    texts = np.where(special, 0, 1 + second).astype(np.uint8)
    return Tokens(ids, second.astype(np.uint8), texts, offsets, PAD, uses_segments=True)


def _real(job: Job, random: np.random.Generator) -> Tokens:
    assert job.folder is not None, "the caller has looked"
    table = lengths.texts(job.folder, job.task)
    if job.rows is not None and job.rows < len(table):
        table = table.take(np.sort(random.choice(len(table), job.rows, replace=False)))
    return tokenise(table, models.tokenizer(), job.max_length)


def _first(tokens: Tokens, rows: int) -> Tokens:
    end = int(tokens.offsets[rows])
    return replace(
        tokens,
        ids=tokens.ids[:end],
        segments=tokens.segments[:end],
        texts=tokens.texts[:end],
        offsets=tokens.offsets[: rows + 1],
    )
