"""Fine-tuning from an initial encoder to a saved, scored model: shared by teachers and student."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import checkpoint, encoders, labelling, logits, machine, metrics, tokens, training
from pipeline.model import MultiTaskModel, start_at_mean
from pipeline.params import sections
from pipeline.params.encoders import Encoder
from pipeline.rows import Rows
from pipeline.tasks import part_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Splits = Mapping[str, Rows]  # split -> rows
Targets = Mapping[str, np.ndarray]  # task -> soft targets of its train rows


@dataclass(frozen=True)
class Recipe:
    """All that decides what a fine-tuned model becomes, but for its rows.

    Attributes:
        name: the model's name: a member's, `student` or `baseline`.
        title: what the progress says.
        encoder: initial encoder of the shared layers.
        dropout: dropout inside the encoder.
        head: pooling and dropout of every task's head.
        settings: epochs, rates and so on.
        seed: seed of heads, batches and dropout.
        distillation: how hard and soft loss are combined; None for hard labels only.
    """

    name: str
    title: str
    encoder: Encoder
    dropout: float
    head: sections.Head
    settings: sections.Training
    seed: int
    distillation: sections.Distillation | None = None

    def describe(self) -> dict[str, Any]:
        """The settings as kept in the model's card."""
        names = sections.Training.model_fields
        return {
            **{name: getattr(self.settings, name) for name in names},
            "dropout": self.dropout,
            "head": self.head.model_dump(mode="json"),
            "seed": self.seed,
            "distillation": self.distillation and self.distillation.model_dump(mode="json"),
        }


@dataclass(frozen=True)
class Model:
    """A trained model with its tokenizer and its card, ready to score rows."""

    network: MultiTaskModel
    tokenizer: PreTrainedTokenizerBase
    recipe: Recipe
    machine: machine.Machine
    card: dict[str, Any]
    packed: dict[tuple[str, str], tokens.Tokens] = field(default_factory=dict)

    def score(self, splits: Splits, path: Path) -> dict[str, Any]:
        """Score one task's splits and write their logits.

        Returns:
            The model's card with `dev`, the official metrics of every dev split as fractions.
        """
        task = next(iter(splits.values())).task
        scored = {name: self._logits(task.name, split) for name, split in splits.items()}
        dev = {
            name: metrics.scores(task, split.labels, scored[name])
            for name, split in splits.items()
            if part_of(name) == "dev"
        }
        card = {**self.card, "dev": dev}
        logits.write(path, splits, scored, card)
        return card

    def _logits(self, task: str, split: Rows) -> np.ndarray:
        packed = self.packed.get((task, split.split))
        if packed is None:
            length = self.recipe.settings.max_length
            packed = tokens.tokenise(split.table, self.tokenizer, length)
        title = f"{self.recipe.title}: {task} {split.split}"
        return labelling.logits(self.network, task, packed, self.machine, title)


def fine_tune(
    folder: Path,
    recipe: Recipe,
    train: Mapping[str, Rows],
    targets: Targets,
    hardware: sections.Machine,
) -> Model:
    """Train a model on the train rows of some tasks and save it.

    With the same recipe and rows, first weights, batches and dropout masks are the same whatever
    the targets: a distilled student and its baseline differ in the loss alone.

    Args:
        folder: where weights, tokenizer and log go.
        recipe: all settings.
        train: train rows by task.
        targets: soft targets float32 `(train rows, classes or 1)` of tasks with teachers.
        hardware: section `machine` of params.yaml.

    Raises:
        EncoderError: the initial encoder is not there.
        TrainingError: no rows, or a loss that is not finite.
    """
    import torch

    chosen = machine.set_up(hardware)
    encoder, tokenizer = encoders.load(recipe.encoder, recipe.dropout)
    encoders.check_length(encoder, tokenizer, recipe.settings.max_length)
    torch.manual_seed(recipe.seed)  # the heads' first weights
    tasks = {name: rows.task for name, rows in train.items()}
    network = MultiTaskModel(encoder, tasks, recipe.head).to(chosen.device)
    sets = _training_sets(network, tokenizer, train, targets, recipe.settings.max_length)
    run = training.Run(
        recipe.title,
        recipe.settings,
        recipe.seed,
        folder / checkpoint.LOG,
        recipe.distillation,
    )
    training.train(network, sets, run, chosen)
    card = checkpoint.card(
        recipe.name,
        checkpoint.save(network, tokenizer, folder),
        network,
        encoders.describe(recipe.encoder),
        {**recipe.describe(), "soft_labels": sorted(targets)},
        chosen.precision,
    )
    packed = {(name, "train"): rows.tokens for name, rows in sets.items()}
    return Model(network, tokenizer, recipe, chosen, card, packed)


def _training_sets(
    network: MultiTaskModel,
    tokenizer: PreTrainedTokenizerBase,
    train: Mapping[str, Rows],
    targets: Targets,
    max_length: int,
) -> dict[str, training.TrainingSet]:
    sets = {}
    for name, rows in train.items():
        if network.tasks[name].regression:
            start_at_mean(network, name, float(rows.labels.mean()))
        packed = tokens.tokenise(rows.table, tokenizer, max_length)
        sets[name] = training.TrainingSet(packed, rows.labels, targets.get(name))
    return sets
