"""Peak memory of training on 20,000 and on 2,000,000 rows; it should not grow with them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa

from benchmarks.figures import Figure, Findings, Options, Table
from pipeline import paths
from pipeline.data import parquet_file, row_tables, rows
from pipeline.params import file
from pipeline.params.sections import Params
from pipeline.soft_labels import ensemble_rules
from pipeline.soft_labels import schema as labels
from pipeline.tasks import GLUE

TASK, MEMBERS = GLUE["mnli"], ("m1", "m2")
SIZES = (20_000, 2_000_000)
DEV = 200  # rows of each dev split
STEPS = 5
TARGET = 1.15
_MADE = 20_000  # rows made at once
_ROW_GROUP = 1 << 20  # of prepared splits, as pyarrow has it by default
_WORDS = np.array(["a", "some", "dog", "bird", "man", "saw", "heard", "ran", "sat", "home", "soon"])
_ROOT = Path(__file__).resolve().parent.parent
_SETTINGS = (
    f"Prepared rows and soft labels of two members, made anew, and {STEPS} steps of `distil` on "
    "them in a process of its own: a student of two layers of 128 units, batches of 32. Peaks of "
    "the memory that no file backs, when all rows are ready and until the last step; pages of "
    "mapped files, which the system takes back when it needs them, come on top. Linux only."
)


class _Enough(Exception):  # noqa: N818  no error
    """The steps that were asked for are taken."""


def make(folder: Path, count: int) -> None:
    """Write prepared splits and soft labels of `count` train rows under a project's root."""
    sizes = {"train": count, "dev_matched": DEV, "dev_mismatched": DEV}
    for split, size in sizes.items():
        path = folder / paths.prepared(TASK.name) / f"{split}.parquet"
        metadata = _metadata(split, size)
        parquet_file.write_batches(
            path, rows.schema(TASK), _rows(split, size), metadata, _ROW_GROUP
        )
    splits = rows.read_splits(folder / paths.prepared(TASK.name))
    metadata = {
        "missing": False,
        "schema_version": labels.SCHEMA_VERSION,
        **row_tables.describe(TASK),
        **{"rule": "mean_probability", "weights": None, "temperatures": None, "folds": ["all"]},
        "members": {member: {"name": member} for member in MEMBERS},
    }
    path = folder / paths.soft_labels(TASK.name)
    row_tables.write_batches(path, labels.schema(TASK, MEMBERS), _soft_labels(splits), metadata)


def train(folder: Path, steps: int = STEPS) -> dict[str, float]:
    """Distil a small student for some steps in a project's root.

    Returns:
        Peaks in MiB: `rows` of anonymous memory until all rows are ready, `steps` of anonymous
        memory until the last step, `resident` with what is mapped from files; and `seconds`.
    """
    import torch

    from pipeline.student import distil
    from pipeline.training import trainer
    from pipeline.training.losses.objective import Objective

    os.chdir(folder)
    peak, whole, loss, done = _Peak(), trainer.train, Objective.loss, 0

    def ready(*arguments: Any) -> None:
        reading["rows"] = peak.value
        whole(*arguments)

    def counted(*arguments: Any) -> torch.Tensor:
        nonlocal done
        if done == steps:
            raise _Enough
        done += 1
        return loss(*arguments)

    reading: dict[str, float] = {"start": peak.value}
    start = time.perf_counter()
    with (
        mock.patch.object(trainer, "train", ready),
        mock.patch.object(Objective, "loss", counted),
        contextlib.suppress(_Enough),
    ):
        distil.distil(_params())
    reading["steps"] = peak.value
    return {**reading, "resident": _status("VmHWM"), "seconds": time.perf_counter() - start}


def measure(options: Options) -> Findings:
    """Peaks with few and with many rows, by turns."""
    rounds: list[list[dict[str, float]]] = []
    for number in range(options.repeats):
        rounds.append([peaks(count) for count in SIZES])
        print(f"rows: round {number + 1} of {options.repeats}", file=sys.stderr)
    growth = tuple(many["steps"] / few["steps"] for few, many in rounds)
    keys = ("start", "rows", "steps", "resident", "seconds")
    rows = tuple(
        (f"{count:,}", *(f"{part[key]:,.0f}" for key in keys))
        for count, part in zip(SIZES, rounds[0], strict=True)
    )
    columns = ("rows", "start", "rows ready", "steps", "with mapped files", "seconds")
    name = f"anonymous memory with {SIZES[1]:,} rows, of that with {SIZES[0]:,}"
    figure = Figure(name, "x", growth, TARGET, "most")
    return Findings([figure], _SETTINGS, tables=[Table("MiB, first round", columns, rows)])


def peaks(count: int, steps: int = STEPS) -> dict[str, float]:
    """Make files of `count` rows and train on them in a process of its own; see `train`."""
    with tempfile.TemporaryDirectory(prefix="rows-") as folder:
        make(Path(folder), count)
        command = [sys.executable, "-m", "benchmarks.rows", folder, str(steps)]
        done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, check=True)
    reading: dict[str, float] = json.loads(done.stdout)
    return reading


class _Peak:
    """The most anonymous memory in MiB since it was made, looked at every few milliseconds."""

    def __init__(self) -> None:
        self.value = _status("RssAnon")
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            self.value = max(self.value, _status("RssAnon"))
            time.sleep(0.005)


def _status(key: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == key:
            return int(value.split()[0]) / 1024
    raise KeyError(key)


def _rows(split: str, size: int) -> Iterator[pa.Table]:
    random = np.random.default_rng(0)
    for start in range(0, size, _MADE):
        index = np.arange(start, min(start + _MADE, size), dtype=np.int32)
        words = _WORDS[random.integers(len(_WORDS), size=(len(index), 8))].tolist()
        first, second = ([" ".join(row[at : at + 4]) for row in words] for at in (0, 4))
        columns = [
            [rows.row_id(TASK.name, split, at) for at in index.tolist()],
            index,
            first,
            second,
            random.integers(len(TASK.labels), size=len(index)).astype(np.int32),
            [rows.text_hash(*texts) for texts in zip(first, second, strict=True)],
        ]
        yield pa.table(columns, schema=rows.schema(TASK))


def _soft_labels(splits: dict[str, rows.Rows]) -> Iterator[pa.Table]:
    random, schema = np.random.default_rng(1), labels.schema(TASK, MEMBERS)
    for keys in row_tables.key_batches(splits):
        logits = random.normal(size=(len(MEMBERS), len(keys), TASK.outputs)).astype(np.float32)
        outcome = ensemble_rules.combine(logits, "mean_probability")
        columns = [*keys.columns, *map(row_tables.column, [*logits, outcome])]
        yield pa.table(columns, schema=schema)


def _metadata(split: str, size: int) -> dict[str, Any]:
    about = {"split": split, "source": "local", "source_rows": size, "official_rows": None}
    version = {"schema_version": rows.SCHEMA_VERSION, "partial": False, "cap": None}
    return {**row_tables.describe(TASK), **version, **about}


def _params() -> Params:
    """The sample profile with one task and a student of two layers of 128 units."""
    values = file.read_yaml(_ROOT / "profiles" / "sample.yaml")
    encoder = {"source": "random", "seed": 0, "depth": 2, "hidden": 128, "attention_heads": 2}
    values["tasks"] = {TASK.name: values["tasks"]["mnli"]}
    values["teachers"] |= {
        "tasks": {TASK.name: {}},
        "members": {m: {"seed": n} for n, m in enumerate(MEMBERS)},
    }
    values["student"] |= {"encoder": encoder, "epochs": 1, "batch_size": 32, "max_length": 64}
    values["machine"] |= {"device": "cpu", "threads": 1}
    return file.check(values)


if __name__ == "__main__":
    print(json.dumps(train(Path(sys.argv[1]), int(sys.argv[2]))))
