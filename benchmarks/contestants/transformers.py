"""transformers' Trainer: as run_glue ships it, with batches grouped by length, and compiled."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.utils.data import Sampler
from transformers import (
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    default_data_collator,
)
from transformers.trainer_pt_utils import LengthGroupedSampler

from benchmarks import models, workload
from benchmarks.contestants import Prepared
from benchmarks.job import Job
from benchmarks.workload import Workload

Rows = list[dict[str, Any]]


def padded(job: Job) -> Prepared:
    """Every row padded to `max_length` beforehand, batches drawn at random: run_glue's default."""
    return _prepare(job, lambda rows: _to_length(rows, job.max_length), _build_padded)


def grouped(job: Job) -> Prepared:
    """Batches of rows of similar length, padded to the longest: `group_by_length`."""
    return _prepare(job, _unpadded, _build_grouped)


def compiled(job: Job) -> Prepared:
    """As `grouped`, the model compiled by torch, in part within the time: each model is anew."""
    return _prepare(job, _unpadded, partial(_build_grouped, torch_compile=True))


class _Grouped(Trainer):
    """Trainer that knows the rows' lengths.

    It takes them from a column of a `datasets.Dataset` only. A list in memory is quicker to read,
    so the lengths come from here.
    """

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        rows: Any = train_dataset or self.train_dataset
        lengths = [len(row["input_ids"]) for row in rows]
        return LengthGroupedSampler(self.args.train_batch_size, lengths=lengths)


def _prepare(
    job: Job,
    shape: Callable[[Workload], Rows],
    build: Callable[[Job, Any, Rows, str], Trainer],
) -> Prepared:
    torch.set_num_threads(job.threads)
    rows = workload.of(job)
    examples = shape(rows)
    with tempfile.TemporaryDirectory() as folder:  # nothing is saved, but it must have one
        warm = models.classifier(job.model, job.seed, job.task)
        build(job, warm, examples[: job.warmup * job.batch_size], folder).train()
        model = models.classifier(job.model, job.seed, job.task)
        digest = models.digest(model)
        trainer = build(job, model, examples, folder)

    def run() -> dict[str, Any]:
        trainer.train()
        return {"steps": trainer.state.global_step}

    return Prepared(run, len(examples) * job.epochs, rows.digest, digest)


def _build_padded(job: Job, model: Any, rows: Rows, folder: str) -> Trainer:
    return Trainer(
        model=model,
        args=_arguments(job, folder),
        train_dataset=rows,
        data_collator=default_data_collator,
    )


def _build_grouped(job: Job, model: Any, rows: Rows, folder: str, **more: Any) -> Trainer:
    return _Grouped(
        model=model,
        args=_arguments(job, folder, train_sampling_strategy="group_by_length", **more),
        train_dataset=rows,
        data_collator=DataCollatorWithPadding(models.tokenizer()),
    )


def _arguments(job: Job, folder: str, **more: Any) -> TrainingArguments:
    recipe, on_gpu = job.recipe, job.device != "cpu"
    return TrainingArguments(
        output_dir=folder,
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        warmup_steps=recipe.warmup,
        max_grad_norm=recipe.clip_norm,
        lr_scheduler_type="linear",
        seed=job.seed,
        use_cpu=not on_gpu,
        bf16=job.precision == "bfloat16",
        dataloader_pin_memory=on_gpu,
        dataloader_num_workers=job.threads if on_gpu else 0,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **more,
    )


def _to_length(rows: Workload, length: int) -> Rows:
    """Tensors of one length, which are stacked faster than lists are made tensors."""
    examples = []
    for row in _unpadded(rows):
        full = {
            name: torch.nn.functional.pad(torch.tensor(values), (0, length - len(values)))
            for name, values in row.items()
            if name != "labels"
        }
        examples.append({**full, "labels": row["labels"]})
    return examples


def _unpadded(rows: Workload) -> Rows:
    tokens, examples = rows.tokens, []
    for number, label in enumerate(rows.labels.tolist()):
        where = slice(int(tokens.offsets[number]), int(tokens.offsets[number + 1]))
        ids = tokens.ids[where].tolist()
        examples.append(
            {
                "input_ids": ids,
                "token_type_ids": tokens.segments[where].tolist(),
                "attention_mask": [1] * len(ids),
                "labels": label,
            }
        )
    return examples
