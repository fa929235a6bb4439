"""Tiny models on a bench, and what of a student and its teacher is compared.

The tests of the loop and of training train the first; those of inner states share the second.
"""

from __future__ import annotations

import csv

import pytest
import torch

from pipeline.model import encoders, scoring, tokenization
from pipeline.model.multitask import MultiTaskModel
from pipeline.params.distillation import Features
from pipeline.runtime import hardware
from pipeline.tasks import GLUE
from pipeline.training import trainer
from pipeline.training.run import Run

EXAMPLES = [("aaaa", "bb", 0), ("cc", "dddd", 1)] * 8

# Two rows of tokens as a student is given them.
INPUTS = {
    "input_ids": torch.tensor([[2, 9, 3], [2, 3, 0]]),
    "attention_mask": torch.tensor([[1, 1, 1], [1, 1, 0]]),
    "token_type_ids": torch.tensor([[0, 1, 1], [0, 0, 0]]),
    "texts": torch.tensor([[0, 1, 0], [0, 0, 0]]),
}


class Bench:
    """Tiny models, all alike, and rows to train them on."""

    def __init__(self, tmp_path, tiny, head, settings, machine, make):
        self.log, self.tiny, self.head, self.settings = tmp_path / "log.csv", tiny, head, settings
        self.hardware, self.make = machine, make
        self.model = self.packed = self.counted = None

    def build(self, dropout=0.1, seed=0, tasks=("rte",)):
        encoder, self.tokenizer = encoders.load(self.tiny, dropout)
        torch.manual_seed(seed)
        heads = dict.fromkeys(tasks, self.head)
        self.model = MultiTaskModel(encoder, {task: GLUE[task] for task in tasks}, heads)
        return self.model

    def rows(self, task="rte", examples=EXAMPLES, **given):
        rows = self.make(task, "train", examples)
        self.packed = tokenization.tokenise(rows.table, self.tokenizer, 32)
        return trainer.TrainingSet(self.packed, rows.labels, **given)

    def train(self, sets, seed=0, given=None, **changes):
        run = Run(
            "teach", self.settings.model_copy(update=changes), seed, self.log, **(given or {})
        )
        self.counted = trainer.train(self.model, sets, run, hardware.set_up(self.hardware))
        with self.log.open() as file:
            return list(csv.DictReader(file))

    def on(self, **changes):
        self.hardware = self.hardware.model_copy(update=changes)

    def logits(self):
        return scoring.logits(
            self.model, "rte", self.packed, hardware.set_up(self.hardware), "score"
        )


@pytest.fixture
def bench(tmp_path, tiny, head, settings, machine, make):
    """Tiny models and their rows."""
    return Bench(tmp_path, tiny, head, settings, machine, make)


@pytest.fixture
def fit(bench):
    """Train a tiny model on RTE; give its logits and its log."""

    def run(seed=0, targets=None, given=None, **changes):
        bench.build(seed=seed)
        log = bench.train({"rte": bench.rows(targets=targets)}, seed, given, **changes)
        return bench.logits(), log

    return run


def matching(weight: float = 1.0, loss: str = "mse", layers="uniform") -> dict:
    """What compares one part of the inner states."""
    return {"weight": weight, "loss": loss, "layers": layers}


def compared(hidden: dict | None = None, attention: dict | None = None) -> Features:
    """Settings that compare these parts with those of member m1."""
    return Features.model_validate({"member": "m1", "hidden": hidden, "attention": attention})
