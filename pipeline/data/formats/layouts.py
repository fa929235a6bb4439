"""Layouts of the task files: names of files and columns, spelling of labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pipeline.errors import DataError
from pipeline.params.custom_tasks import CustomTask
from pipeline.tasks import GLUE, Task, part_of

MSR_TRAIN = "msr_paraphrase_train.txt"
MSR_TEST = "msr_paraphrase_test.txt"
MSR_DEV_IDS = "mrpc_dev_ids.tsv"
MSR_FILES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "train": (MSR_TRAIN, MSR_DEV_IDS),
        "dev": (MSR_TRAIN, MSR_DEV_IDS),
        "test": (MSR_TEST,),
    }
)
"""Files that a split of MRPC is made of."""

MSR_IDS = ("#1 ID", "#2 ID")


@dataclass(frozen=True)
class Layout:
    """One task's files, in the official TSV layout and in the Hub's Parquet layout.

    Attributes:
        folder: name of the task's folder in the official download, and inside its zip.
        texts: header of each text's column.
        label: header of the label's column.
        spellings: how the files spell class 0, 1 and so on; empty for scores.
        hub_texts: text columns of the Hub's Parquet files.
        headless: columns of the files that have no header line, by split.
    """

    folder: str
    texts: tuple[str, ...]
    label: str
    spellings: tuple[str, ...]
    hub_texts: tuple[str, ...]
    headless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def wanted(self, split: str) -> tuple[str, ...]:
        """Columns to read of one split: the texts, then the label unless it is withheld."""
        return (*self.texts, self.label) if is_labelled(split) else self.texts


_BINARY = ("0", "1")
_PAIR = ("sentence1", "sentence2")
_ENTAILMENT = ("entailment", "not_entailment")
_COLA = ("source", "label", "star", "sentence")

# Spellings are in canonical order, so a class id is a position here and in `Task.labels`.
# Test files have the same text columns; only CoLA's has a header line there and not elsewhere.
OFFICIAL: Mapping[str, Layout] = MappingProxyType(
    {
        "cola": Layout(
            "CoLA",
            ("sentence",),
            "label",
            _BINARY,
            ("sentence",),
            {"train": _COLA, "dev": _COLA},
        ),
        "sst2": Layout("SST-2", ("sentence",), "label", _BINARY, ("sentence",)),
        "mrpc": Layout("MRPC", ("#1 String", "#2 String"), "Quality", _BINARY, _PAIR),
        "stsb": Layout("STS-B", _PAIR, "score", (), _PAIR),
        "qqp": Layout(
            "QQP", ("question1", "question2"), "is_duplicate", _BINARY, ("question1", "question2")
        ),
        "mnli": Layout(
            "MNLI",
            _PAIR,
            "gold_label",
            ("entailment", "neutral", "contradiction"),
            ("premise", "hypothesis"),
        ),
        "qnli": Layout(
            "QNLI", ("question", "sentence"), "label", _ENTAILMENT, ("question", "sentence")
        ),
        "rte": Layout("RTE", _PAIR, "label", _ENTAILMENT, _PAIR),
        "wnli": Layout("WNLI", _PAIR, "label", _BINARY, _PAIR),
    }
)

AX = "ax"  # the diagnostic set: a split of MNLI here, a separate folder in every source

HUB_LABEL = "label"
HUB_UNLABELLED = -1
_HUB_PARTS = {"dev": "validation"}


def is_labelled(split: str) -> bool:
    """Whether rows of a split have labels here: those of train and dev only."""
    return part_of(split) in {"train", "dev"}


def tsv_name(split: str) -> str:
    """Name of a split's file in the official layout; AX is the diagnostic file."""
    return "diagnostic.tsv" if split == AX else f"{split}.tsv"


def hub_name(split: str) -> str:
    """Name of a split's Parquet file in the raw folder."""
    if split == AX:
        return f"ax-{hub_name('test')}"
    part, underscore, rest = split.partition("_")
    return f"{_HUB_PARTS.get(part, part)}{underscore}{rest}-00000-of-00001.parquet"


def task_of(name: str, custom: CustomTask | None) -> Task:
    """The task of a name: one of GLUE's, or a custom one from its definition.

    Raises:
        DataError: the name is not one of GLUE's and there is no definition.
    """
    if custom is None:
        if name not in GLUE:
            raise DataError(
                "no such task", seen=name, fix=f"one of {', '.join(GLUE)}, or tasks.{name}.custom"
            )
        return GLUE[name]
    return Task(
        name=name,
        title=custom.title,
        labels=tuple(custom.labels),
        metrics=tuple(custom.metrics),
        rows=MappingProxyType(dict.fromkeys(("train", "dev", "test"))),
        pair=custom.sentence2 is not None,
        low=custom.low,
        high=custom.high,
        glue=False,
    )


def layout_of(name: str, custom: CustomTask | None) -> Layout:
    """The layout of a task's files: the official one, or that of a custom task's definition."""
    if custom is None:
        return OFFICIAL[name]
    texts = (
        (custom.sentence1,) if custom.sentence2 is None else (custom.sentence1, custom.sentence2)
    )
    return Layout(name, texts, custom.label, tuple(custom.labels), texts)
