"""The inputs of fine-tuning: recipe, initial encoder, soft targets and feature teachers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.model import saved_model
from pipeline.params import sections
from pipeline.params.heads import Head
from pipeline.params.sampling import MergedSampling, Sampling

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


Targets = Mapping[str, np.ndarray]  # task -> soft targets of its train rows


# task -> the teacher whose features are matched
Teachers = Mapping[str, saved_model.LoadedModel]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a fine-tuned model, except its initial encoder and its rows.

    Attributes:
        name: the model's name: a member's, a candidate's, `student` or `baseline`.
        title: the run's name in progress messages.
        heads: head of every task.
        dropout: dropout inside the encoder, for the manifest.
        settings: epochs, rates and so on.
        seed: seed of heads, batches and dropout.
        sampling: proportion of the tasks.
        task_weights: factors on the losses of tasks; 1 for a task that is not named.
        distillation: how hard and soft loss are combined; None for hard labels only.
    """

    name: str
    title: str
    heads: Mapping[str, Head]
    dropout: float
    settings: sections.Training
    seed: int
    sampling: Sampling = field(default_factory=lambda: MergedSampling(kind="merged"))
    task_weights: Mapping[str, float] = field(default_factory=dict)
    distillation: sections.Distillation | None = None

    def describe(self) -> dict[str, Any]:
        """The settings as stored in the model's manifest."""
        names = set(sections.Training.model_fields)
        settings = self.settings.model_dump(mode="json", include=names)
        return {
            **settings,
            "dropout": self.dropout,
            "heads": {task: head.model_dump(mode="json") for task, head in self.heads.items()},
            "seed": self.seed,
            "sampling": self.sampling.model_dump(mode="json"),
            "task_weights": dict(self.task_weights),
            "distillation": self.distillation and self.distillation.model_dump(mode="json"),
        }


@dataclass(frozen=True)
class LoadedEncoder:
    """An initial encoder in memory.

    Attributes:
        encoder: the shared layers.
        tokenizer: its own.
        description: where it comes from, for the manifest.
    """

    encoder: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    description: Mapping[str, Any]
