"""The settings of one training run: seed, log, sampling and losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.params.distillation import Distillation
from pipeline.params.sampling import MergedSampling, Sampling
from pipeline.params.training import Training

if TYPE_CHECKING:
    from pipeline.training.losses.features import FeatureLoss


@dataclass(frozen=True)
class Run:
    """Settings of one training run.

    Attributes:
        title: the run's name in progress messages.
        settings: epochs, rates and so on.
        seed: seed of batches, dropout and held-out rows.
        log: CSV file to write, one line per step.
        live: a second such file, which can be read while the run goes on; None for none.
        distillation: how hard and soft loss are combined; None for hard labels only.
        sampling: proportion of the tasks.
        task_weights: factors on the losses of tasks; 1 for a task that is not named.
        feature_loss: distance of the model's features from those of teachers.
    """

    title: str
    settings: Training
    seed: int
    log: Path
    live: Path | None = None
    distillation: Distillation | None = None
    sampling: Sampling = field(default_factory=lambda: MergedSampling(kind="merged"))
    task_weights: Mapping[str, float] = field(default_factory=dict)
    feature_loss: FeatureLoss | None = None
