"""Time training steps, and products alone by every library, in turns, in one process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import torch

from benchmarks import flops, models, rate, stopwatch, workload
from benchmarks.breakdown import by_group
from benchmarks.contestants import Prepared, ours
from benchmarks.job import PRECISIONS, Job, Precision
from benchmarks.limit import STEP
from benchmarks.stopwatch import Clock
from pipeline.errors import ParamsError
from pipeline.planning.encoder_shapes import Shape
from pipeline.runtime import products
from pipeline.runtime.thread_pool import ThreadPool

_TITLES = {products.MKL: "MKL", products.ONEDNN: "oneDNN"}  # torch's; numpy has its own
_NUMPY = "numpy's OpenBLAS"


class Work(NamedTuple):
    """Some work that is timed.

    Attributes:
        flop: floating-point operations of its products.
        products: library of torch's float32 products meanwhile, as `machine.products`.
        run: does it.
    """

    flop: int
    products: str
    run: Callable[[], None]


def with_training(job: Job) -> Prepared:
    """Turns of training and of products; details have GFLOP a second of each.

    Every thread multiplies operands of its own, as the threads of a training step do. The job's
    rows are all of one length, so every batch has the same shape.
    """
    assert job.length is not None, "the products' shapes must be known"
    rows = workload.of(job)
    model = models.multi_task(models.classifier(job.model, job.seed, job.task))
    shape, digest = models.shape_of(model), models.digest(model)
    steps = len(rows.labels) // job.batch_size
    flop = steps * flops.step(shape, job.batch_size, job.length)
    works: dict[Precision, dict[str, Work]] = {}
    for precision in PRECISIONS:
        machine = ours.hardware_of(replace(job, precision=precision))
        ours.fit(model, rows.first(job.batch_size), job, machine)
        step = Work(flop, job.products, partial(ours.fit, model, rows, job, machine))
        works[precision] = {STEP: step, **_alone(shape, job, flop, getattr(torch, precision))}

    def run() -> dict[str, Any]:
        turns = [
            {precision: _rates(works[precision]) for precision in PRECISIONS}
            for _ in range(job.repeats)
        ]
        products.switch(job.products)
        groups = {precision: by_group(works[precision][STEP].run) for precision in PRECISIONS}
        return {"steps": steps, "turns": turns, "groups": groups}

    return Prepared(run, len(rows.labels) * job.repeats, rows.digest, digest)


def _rates(works: Mapping[str, Work]) -> dict[str, dict[Clock, float]]:
    """GFLOP a second of each work, once."""
    rates = {}
    for name, work in works.items():
        products.switch(work.products)
        seconds = stopwatch.seconds(work.run)
        rates[name] = {clock: work.flop / seconds[clock] / 1e9 for clock in stopwatch.CLOCKS}
    return rates


def _alone(shape: Shape, job: Job, flop: int, kind: torch.dtype) -> dict[str, Work]:
    """Products of about so many FLOP, by library and shapes."""
    assert job.length is not None, "the caller has looked"
    rows, threads = job.batch_size // job.threads, range(job.threads)
    by_shapes = {
        "the step's shapes": [rate.step(shape, rows, job.length, kind) for _ in threads],
        f"{rate.SQUARE} x {rate.SQUARE}": [rate.square(kind) for _ in threads],
    }
    works = {}
    for shapes, parts in by_shapes.items():
        whole = sum(product.flops for part in parts for product in part)
        times = max(1, round(flop / whole))
        for title, (library, multiply) in _libraries(kind, job.products).items():
            run = partial(_repeat, [multiply(part) for part in parts], times)
            works[f"{title}, {shapes}"] = Work(times * whole, library, run)
    return works


def _libraries(kind: torch.dtype, usual: str) -> dict[str, tuple[str, rate.Library]]:
    """By title: what torch is switched to, and what multiplies numbers of a type."""
    if kind != torch.float32:  # torch leaves these to oneDNN
        return {_TITLES[products.ONEDNN]: (usual, rate.by_torch)}
    available = [library for library in _TITLES if _available(library)]
    products.switch(usual)
    by_torch = {_TITLES[library]: (library, rate.by_torch) for library in available}
    return {**by_torch, _NUMPY: (usual, rate.by_numpy)}


def _available(library: str) -> bool:
    try:
        products.switch(library)
    except ParamsError:  # oneDNN would round
        return False
    return True


def _repeat(works: Sequence[Callable[[], None]], times: int) -> None:
    """Let every thread do its work so many times."""

    def run(work: Callable[[], None]) -> None:
        for _ in range(times):
            work()

    with ThreadPool(len(works)) as workers:
        workers.map(run, works)
