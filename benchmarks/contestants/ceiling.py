"""Time training steps and their matrix products in turns, in one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from benchmarks import flops, models, rate, workload
from benchmarks.breakdown import by_group
from benchmarks.contestants import Prepared, ours
from benchmarks.job import Job
from pipeline.planning import encoder_shapes
from pipeline.planning.encoder_shapes import Shape


def with_training(job: Job) -> Prepared:
    """Turns of training and of products; details have CPU and wall seconds of each.

    The job's rows are all of one length, so every batch has the same shape.
    """
    assert job.length is not None, "the products' shapes must be known"
    length = job.length
    machine, rows = ours.hardware_of(job), workload.of(job)
    classifier = models.classifier(job.model, job.seed, job.task)
    model = models.multi_task(classifier, job.task, pooling="mean")
    shape = shape_of(model.encoder.config.to_dict())
    digest, steps = models.digest(model), len(rows.labels) // job.batch_size
    products = rate.products(shape, job.batch_size, length)

    def train() -> None:
        ours.fit(model, rows, job, machine)

    def multiply() -> None:
        with _threads(job.threads):
            for _ in range(steps):
                for product in products:
                    product.run()

    ours.fit(model, rows.first(job.batch_size), job, machine)
    multiply()

    def run() -> dict[str, Any]:
        turns = [{"step": _time(train), "products": _time(multiply)} for _ in range(job.repeats)]
        return {
            "steps": steps,
            "flops": steps * flops.step(shape, job.batch_size, length),
            "turns": turns,
            "groups": by_group(train),
        }

    return Prepared(run, len(rows.labels) * job.repeats, rows.digest, digest)


def shape_of(config: dict[str, Any]) -> Shape:
    """Sizes of a BERT."""
    shape = encoder_shapes.read(config)
    assert shape is not None, "every model here is a BERT"
    return shape


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Let torch share each product out; for training it has one thread, and batches are cut."""
    training_threads = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(training_threads)


def _time(work: Callable[[], None]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
