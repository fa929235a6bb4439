"""TextBrewer's MultiTeacherDistiller: teachers run at every step, or once with cached logits.

Its users bring loader and optimizer: here batches are drawn at random and padded to their longest
row, as in its examples, and AdamW is the fused one. In bfloat16 the forward passes run in autocast.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from textbrewer import DistillationConfig, MultiTeacherDistiller, TrainingConfig
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import get_linear_schedule_with_warmup

from benchmarks import models, workload
from benchmarks.contestants import Prepared, autocast
from benchmarks.job import TEACHER, TEACHERS, Job, Kind
from benchmarks.workload import Workload
from pipeline.model.tokenization import TEXTS


def live(job: Job) -> Prepared:
    """Every teacher runs on every batch of every epoch."""
    return _prepare(job, cached=False)


def cached(job: Job) -> Prepared:
    """`is_caching_logits`: batches and the teachers' logits are kept after one pass."""
    return _prepare(job, cached=True)


def _prepare(job: Job, cached: bool) -> Prepared:
    torch.set_num_threads(job.threads)
    rows = workload.of(job)
    teachers = [_narrowed(job, TEACHER, job.seed + 1 + number) for number in range(TEACHERS)]
    model = _narrowed(job, job.model, job.seed)
    digest = models.digest(model)
    first = rows.first(min(len(rows.labels), job.batch_size))
    _distil(job, teachers, _narrowed(job, job.model, job.seed), first, cached)
    examples = len(rows.labels) * job.epochs
    return Prepared(
        lambda: _distil(job, teachers, model, rows, cached), examples, rows.digest, digest
    )


def _narrowed(job: Job, kind: Kind, seed: int) -> Any:
    """A model whose forward pass has the job's precision, as accelerate wraps Trainer's."""
    model: Any = models.classifier(kind, seed, job.task)
    model.forward = autocast.of(job)(model.forward)
    return model


def _distil(job: Job, teachers: Sequence[Any], model: Any, rows: Workload, cached: bool) -> None:
    recipe = job.recipe
    torch.manual_seed(job.seed)
    random.seed(job.seed)  # its cache is shuffled by this module
    loader = DataLoader(
        _Positions(len(rows.labels)),
        batch_size=recipe.batch_size,
        shuffle=True,
        collate_fn=lambda places: _collate(rows, places),
    )
    optimizer = torch.optim.AdamW(
        _groups(model, recipe.weight_decay), lr=recipe.learning_rate, fused=True
    )
    steps = len(loader) * recipe.epochs
    with tempfile.TemporaryDirectory() as folder:
        distiller = MultiTeacherDistiller(
            TrainingConfig(device="cpu", output_dir=folder, ckpt_epoch_frequency=recipe.epochs),
            DistillationConfig(
                temperature=1,
                kd_loss_type="ce",
                kd_loss_weight=0.5,
                hard_label_weight=0.5,
                is_caching_logits=cached,
            ),
            teachers,
            model,
            lambda batch, output: {"logits": output.logits},
            lambda batch, output: {"logits": output.logits, "losses": output.loss},
        )
        distiller.__enter__()  # teachers in eval mode; it gives nothing back for `as`
        distiller.train(
            optimizer,
            loader,
            num_epochs=recipe.epochs,
            scheduler_class=get_linear_schedule_with_warmup,
            scheduler_args={
                "num_warmup_steps": int(recipe.warmup * steps),
                "num_training_steps": steps,
            },
            max_grad_norm=recipe.clip_norm,
        )


def _groups(model: Any, weight_decay: float) -> list[dict[str, Any]]:
    """Biases and norms are not decayed, as in the other contestants."""
    weights = list(model.parameters())
    return [
        {"params": [w for w in weights if w.ndim >= 2], "weight_decay": weight_decay},
        {"params": [w for w in weights if w.ndim < 2], "weight_decay": 0.0},
    ]


class _Positions(torch.utils.data.Dataset[int]):
    """Numbers of the rows; a batch is cut from all of them at once."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, place: int) -> int:
        return place


def _collate(rows: Workload, places: Sequence[int]) -> dict[str, Tensor]:
    where = np.array(places)
    arrays = {name: a for name, a in rows.tokens.batch(where).items() if name != TEXTS}
    arrays["labels"] = rows.labels[where]
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
