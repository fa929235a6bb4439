"""The nine GLUE tasks: canonical label order, metrics and official row counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Task:
    """One task, whatever the source of its files.

    Attributes:
        name: key in params.yaml and in file names.
        title: the name in tables.
        labels: class names in canonical order, position = class id; empty for regression.
        metrics: official metrics, the first one named first in tables.
        rows: official number of rows of each split, also the list of splits, in order.
        pair: whether a row has two sentences.
        low: lowest score (regression only).
        high: highest score (regression only).
        licence: short licence note for source.json.
    """

    name: str
    title: str
    labels: tuple[str, ...]
    metrics: tuple[str, ...]
    rows: Mapping[str, int | None]
    pair: bool = True
    low: float = 0.0
    high: float = 0.0
    licence: str = ""
    glue: bool = field(default=True)

    @property
    def regression(self) -> bool:
        """Whether the label is a score instead of a class."""
        return not self.labels

    @property
    def outputs(self) -> int:
        """Width of the task's logits: number of classes, or 1 for a score."""
        return len(self.labels) or 1

    @property
    def dev_splits(self) -> tuple[str, ...]:
        """Splits that results are reported on."""
        return tuple(split for split in self.rows if part_of(split) == "dev")


def part_of(split: str) -> str:
    """Part (train, dev, test or ax) that a split such as `dev_matched` belongs to."""
    return split.partition("_")[0]


def _rows(train: int, dev: int, test: int) -> Mapping[str, int | None]:
    return MappingProxyType({"train": train, "dev": dev, "test": test})


_MNLI_ROWS: Mapping[str, int | None] = MappingProxyType(
    {
        "train": 392_702,
        "dev_matched": 9_815,
        "dev_mismatched": 9_832,
        "test_matched": 9_796,
        "test_mismatched": 9_847,
        "ax": 1_104,
    }
)
_NLI = ("entailment", "not_entailment")

GLUE: Mapping[str, Task] = MappingProxyType(
    {
        task.name: task
        for task in (
            Task(
                "cola",
                "CoLA",
                ("unacceptable", "acceptable"),
                ("matthews",),
                _rows(8_551, 1_043, 1_063),
                pair=False,
                licence="no open licence; research use (Warstadt et al. 2019)",
            ),
            Task(
                "sst2",
                "SST-2",
                ("negative", "positive"),
                ("accuracy",),
                _rows(67_349, 872, 1_821),
                pair=False,
                licence="no open licence; research use (Socher et al. 2013)",
            ),
            Task(
                "mrpc",
                "MRPC",
                ("not_equivalent", "equivalent"),
                ("f1", "accuracy"),
                _rows(3_668, 408, 1_725),
                licence="Microsoft Research licence; research use (Dolan and Brockett 2005)",
            ),
            Task(
                "stsb",
                "STS-B",
                (),
                ("pearson", "spearman"),
                _rows(5_749, 1_500, 1_379),
                low=0.0,
                high=5.0,
                licence="mixed; see the corpus's own licence file (Cer et al. 2017)",
            ),
            Task(
                "qqp",
                "QQP",
                ("not_duplicate", "duplicate"),
                ("f1", "accuracy"),
                _rows(363_846, 40_430, 390_965),
                licence="Quora terms of service; non-commercial use",
            ),
            Task(
                "mnli",
                "MNLI",
                ("entailment", "neutral", "contradiction"),
                ("accuracy",),
                _MNLI_ROWS,
                licence="OANC and Creative Commons parts (Williams et al. 2018)",
            ),
            Task(
                "qnli",
                "QNLI",
                _NLI,
                ("accuracy",),
                _rows(104_743, 5_463, 5_463),
                licence="CC BY-SA 4.0 (from SQuAD)",
            ),
            Task(
                "rte",
                "RTE",
                _NLI,
                ("accuracy",),
                _rows(2_490, 277, 3_000),
                licence="no open licence; research use (RTE challenges)",
            ),
            Task(
                "wnli",
                "WNLI",
                ("not_entailment", "entailment"),
                ("accuracy",),
                _rows(635, 71, 146),
                licence="CC BY 4.0 (Levesque et al. 2011)",
            ),
        )
    }
)
