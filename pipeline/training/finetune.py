"""Fine-tune and save any model: candidate, teacher, student, baseline or tuned model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import metrics, paths
from pipeline.data.rows import Rows, Splits
from pipeline.model import encoders, saved_model, scoring, tokenization
from pipeline.model.heads.base import Head, PairHead, ScoreHead
from pipeline.model.multitask import MultiTaskModel
from pipeline.params import machine
from pipeline.runtime import code_digest, hardware
from pipeline.runtime.artifact_lock import StagingFolder
from pipeline.soft_labels import logits
from pipeline.tasks import part_of
from pipeline.training import trainer
from pipeline.training.early_stopping import HeldOut
from pipeline.training.recipe import LoadedEncoder, Recipe, Targets, Teachers
from pipeline.training.resume import run_key
from pipeline.training.resume.checkpoints import CheckpointFolder
from pipeline.training.resume.resume import Checkpointer
from pipeline.training.run import Run

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from pipeline.training.losses.features import FeatureLoss

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class TrainedModel:
    """A trained model with its tokenizer and its manifest, ready to score rows."""

    network: MultiTaskModel
    tokenizer: PreTrainedTokenizerBase
    recipe: Recipe
    machine: hardware.Hardware
    manifest: dict[str, Any]

    def score(self, splits: Splits, path: Path, **notes: Any) -> dict[str, Any]:
        """Score one task's splits and write their logits.

        Args:
            splits: prepared rows of one task.
            path: the file of logits to write.
            notes: further keys of the manifest.

        Returns:
            The model's manifest with `dev`, the official metrics of every dev split as fractions.
        """
        task = next(iter(splits.values())).task
        scored = {name: self._logits(task.name, split) for name, split in splits.items()}
        dev = {
            name: metrics.scores(task, split.labels, scored[name])
            for name, split in splits.items()
            if part_of(name) == "dev"
        }
        manifest = {**self.manifest, **notes, "dev": dev}
        logits.write(path, splits, scored, manifest)
        return manifest

    def _logits(self, task: str, split: Rows) -> np.ndarray:
        packed = tokenization.tokenise(split, self.tokenizer, self.recipe.settings.max_length)
        title = f"{self.recipe.title}: {task} {split.split}"
        return scoring.logits(self.network, task, packed, self.machine, title)


def fine_tune(
    staging: StagingFolder,
    recipe: Recipe,
    train: Mapping[str, Rows],
    opened: LoadedEncoder,
    machine: machine.Machine,
    targets: Targets = _NOTHING,
    teachers: Teachers = _NOTHING,
    dev: Mapping[str, Splits] = _NOTHING,
) -> TrainedModel:
    """Train a model with fresh heads on the rows of some tasks and save it.

    With the same recipe, start and rows, first weights, batches and dropout masks are the same
    whatever the targets: a distilled student and its baseline differ in loss and rows alone.

    Args:
        staging: where weights, tokenizer and log go.
        recipe: all settings.
        train: training rows by task; a row without a label counts in the soft loss only.
        opened: the initial encoder.
        machine: section `machine` of params.yaml.
        targets: soft targets float32 `(rows, classes or 1)` of tasks with teachers.
        teachers: models whose features are matched, by task.
        dev: dev splits of tasks by which the epoch that is kept is chosen; {} for the last epoch.

    Raises:
        EncoderError: the encoder does not fit heads, lengths or teachers.
        TrainingError: no rows, or a loss that is not finite.
    """
    import torch

    resources = hardware.set_up(machine)
    encoders.check_length(opened.encoder, opened.tokenizer, recipe.settings.max_length)
    torch.manual_seed(recipe.seed)  # the heads' first weights
    tasks = {name: rows.task for name, rows in train.items()}
    network = MultiTaskModel(opened.encoder, tasks, recipe.heads)
    for name, rows in train.items():
        if tasks[name].regression:
            head = network.head(name)
            assert isinstance(head, ScoreHead), "params.yaml is checked for heads that do not fit"
            head.start_at(float(rows.labels[rows.known].mean()))
    return _train(
        staging, recipe, train, network, opened, machine, resources, targets, teachers, dev
    )


def fine_tune_further(
    staging: StagingFolder,
    recipe: Recipe,
    train: Mapping[str, Rows],
    loaded: saved_model.LoadedModel,
    machine: machine.Machine,
) -> TrainedModel:
    """Train a model that was trained before, heads included, on hard labels, and save it.

    Args:
        staging: where weights, tokenizer and log go.
        recipe: all settings; its heads are those of the model.
        train: training rows by task.
        loaded: the model as it was saved.
        machine: section `machine` of params.yaml.

    Raises:
        TrainingError: no rows, or a loss that is not finite.
    """
    resources = hardware.set_up(machine)
    encoder, tokenizer = loaded.network.encoder, loaded.tokenizer
    encoders.check_length(encoder, tokenizer, recipe.settings.max_length)
    origin = {"source": "model", "model": loaded.manifest["name"]}
    opened = LoadedEncoder(
        encoder, tokenizer, {**origin, "weights_sha256": loaded.manifest["weights_sha256"]}
    )
    return _train(staging, recipe, train, loaded.network, opened, machine, resources)


def _train(
    staging: StagingFolder,
    recipe: Recipe,
    train: Mapping[str, Rows],
    network: MultiTaskModel,
    opened: LoadedEncoder,
    machine: machine.Machine,
    resources: hardware.Hardware,
    targets: Targets = _NOTHING,
    teachers: Teachers = _NOTHING,
    dev: Mapping[str, Splits] = _NOTHING,
) -> TrainedModel:
    network.to(resources.device)
    run = _run(staging, recipe, _feature_loss(recipe, network, opened, teachers, resources))
    sets = {
        name: _training_set(rows, network.head(name), recipe, opened.tokenizer, targets.get(name))
        for name, rows in train.items()
    }
    for name, splits in dev.items():
        held_out = [_held_out(rows, recipe, opened.tokenizer) for rows in splits.values()]
        sets[name] = replace(sets[name], dev=held_out)
    key = run_key.digest(recipe, network, sets, run.feature_loss, teachers, resources)
    checkpoints = _checkpointer(staging, key, run.title, machine.checkpoint_seconds)
    counted = trainer.train(network, sets, run, resources, checkpoints)
    manifest = _save(staging.folder, recipe, network, opened, resources, targets, dev) | counted
    return TrainedModel(network, opened.tokenizer, recipe, resources, manifest)


def _run(staging: StagingFolder, recipe: Recipe, feature_loss: FeatureLoss | None) -> Run:
    return Run(
        title=recipe.title,
        settings=recipe.settings,
        seed=recipe.seed,
        log=staging.folder / saved_model.LOG,
        live=staging.live,
        distillation=recipe.distillation,
        sampling=recipe.sampling,
        task_weights=recipe.task_weights,
        feature_loss=feature_loss,
    )


def _checkpointer(staging: StagingFolder, key: str, title: str, seconds: float) -> Checkpointer:
    """Checkpoints in the folder of the run's key, deleted once the model is whole."""
    checkpoints = CheckpointFolder(paths.checkpoints(staging.name, key))
    staging.spent.append(checkpoints.folder)
    return Checkpointer(checkpoints, code_digest.digest(__name__), title, seconds)


def _save(
    folder: Path,
    recipe: Recipe,
    network: MultiTaskModel,
    opened: LoadedEncoder,
    resources: hardware.Hardware,
    targets: Targets,
    dev: Mapping[str, Splits],
) -> dict[str, Any]:
    """Save the model and return its manifest, which is written once the model is scored."""
    own = {"engine": resources.engine, "shards": resources.shards, "processor": resources.chip}
    return saved_model.manifest(
        recipe.name,
        saved_model.save(network, opened.tokenizer, folder),
        network,
        opened.description,
        {
            **recipe.describe(),
            "soft_labels": sorted(targets),
            "best_epoch": sorted(dev),
            **own,
        },
        resources.precision,
    )


def _feature_loss(
    recipe: Recipe,
    network: MultiTaskModel,
    opened: LoadedEncoder,
    teachers: Teachers,
    resources: hardware.Hardware,
) -> FeatureLoss | None:
    if recipe.distillation is None or recipe.distillation.features is None or not teachers:
        return None
    from pipeline.training.losses import features

    settings = recipe.distillation.features
    for teacher in teachers.values():
        length = recipe.settings.max_length
        encoders.check_length(teacher.network.encoder, teacher.tokenizer, length)
    loss = features.build(settings, network, opened.tokenizer, teachers, recipe.seed)
    return loss.on(resources)


def _training_set(
    rows: Rows,
    head: Head,
    recipe: Recipe,
    tokenizer: PreTrainedTokenizerBase,
    targets: np.ndarray | None,
) -> trainer.TrainingSet:
    length = recipe.settings.max_length
    tokens, known = tokenization.tokenise(rows, tokenizer, length), rows.known
    pairs = head.extra_pairs(rows, tokens, length) if isinstance(head, PairHead) else None
    return trainer.TrainingSet(tokens, rows.labels, targets, None if known.all() else known, pairs)


def _held_out(rows: Rows, recipe: Recipe, tokenizer: PreTrainedTokenizerBase) -> HeldOut:
    """A dev split, of which the rows with a gold label are scored."""
    tokens = tokenization.tokenise(rows, tokenizer, recipe.settings.max_length)
    return HeldOut(tokens, rows.labels, np.flatnonzero(rows.known))
