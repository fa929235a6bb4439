"""The encoder's forward pass alone: batches are made and padded before the timing."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from benchmarks import models, workload
from benchmarks.contestants import Prepared, autocast
from benchmarks.job import Job
from pipeline.model.tokenization import TEXTS


def bare(job: Job) -> Prepared:
    """Inference mode, rows sorted by length, `batch_size` rows a batch."""
    torch.set_num_threads(job.threads)
    rows = workload.of(job)
    model: Any = models.classifier(job.model, job.seed, job.task)
    digest, encoder = models.digest(model), model.encoder.eval()
    order = np.argsort(-rows.tokens.lengths, kind="stable")
    batches = [
        {
            name: torch.from_numpy(array)
            for name, array in rows.tokens.batch(order[start : start + job.batch_size]).items()
            if name != TEXTS
        }
        for start in range(0, len(order), job.batch_size)
    ]

    @torch.inference_mode()
    def run() -> None:
        with autocast.of(job):
            for batch in batches:
                encoder(**batch)

    with torch.inference_mode(), autocast.of(job):
        encoder(**batches[-1])
    return Prepared(run, len(order), rows.digest, digest)
