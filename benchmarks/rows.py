"""Memory that training takes by number of rows: the same for 20,000 and for 2,000,000.

Run with: python -m benchmarks.rows [ROWS ...]

Makes a prepared split and a soft-label file of each size, lets `distillation.distil` take a few
steps on each in a process of its own, and prints what the process held at most. Linux only: the
numbers are those of /proc/self/status.
"""

from __future__ import annotations

import argparse
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

from pipeline import ensemble, parquet, paths, rows, stored
from pipeline import soft_label_table as labels
from pipeline.params import file
from pipeline.params.sections import Params
from pipeline.tasks import GLUE

TASK, MEMBERS = GLUE["mnli"], ("m1", "m2")
SIZES = (20_000, 2_000_000)
DEV = 200  # rows of each dev split
STEPS = 5
_MADE = 20_000  # rows made at once
_ROW_GROUP = 1 << 20  # of prepared splits, as pyarrow has it by default
_WORDS = np.array(["a", "some", "dog", "bird", "man", "saw", "heard", "ran", "sat", "home", "soon"])
_ROOT = Path(__file__).resolve().parent.parent


class _Enough(Exception):  # noqa: N818  no error
    """The steps that were asked for are taken."""


def make(folder: Path, count: int) -> None:
    """Write prepared splits and soft labels of `count` train rows under a project's root."""
    sizes = {"train": count, "dev_matched": DEV, "dev_mismatched": DEV}
    for split, size in sizes.items():
        path = folder / paths.prepared(TASK.name) / f"{split}.parquet"
        metadata = _metadata(split, size)
        stored.write_batches(path, rows.schema(TASK), _rows(split, size), metadata, _ROW_GROUP)
    splits = rows.read_splits(folder / paths.prepared(TASK.name))
    metadata = {
        "missing": False,
        "schema_version": labels.SCHEMA_VERSION,
        **parquet.describe(TASK),
        **{"rule": "mean_probability", "weights": None, "temperatures": None, "folds": ["all"]},
        "members": {member: {"name": member} for member in MEMBERS},
    }
    path = folder / paths.soft_labels(TASK.name)
    parquet.write_batches(path, labels.schema(TASK, MEMBERS), _soft_labels(splits), metadata)


def train(folder: Path, steps: int = STEPS) -> dict[str, float]:
    """Distil a small student for some steps in a project's root.

    Returns:
        Peaks in MiB: `rows` of anonymous memory until all rows are ready, `steps` of anonymous
        memory until the last step, `resident` with what is mapped from files; and `seconds`.
    """
    import torch

    from pipeline import distillation
    from pipeline.learning import training
    from pipeline.learning.objective import Objective

    os.chdir(folder)
    peak, whole, loss, done = _Peak(), training.train, Objective.loss, 0

    def ready(*arguments: Any) -> None:
        found["rows"] = peak.value
        whole(*arguments)

    def counted(*arguments: Any) -> torch.Tensor:
        nonlocal done
        if done == steps:
            raise _Enough
        done += 1
        return loss(*arguments)

    found: dict[str, float] = {"start": peak.value}
    start = time.perf_counter()
    with (
        mock.patch.object(training, "train", ready),
        mock.patch.object(Objective, "loss", counted),
        contextlib.suppress(_Enough),
    ):
        distillation.distil(_params())
    found["steps"] = peak.value
    return {**found, "resident": _status("VmHWM"), "seconds": time.perf_counter() - start}


def measure(count: int, steps: int = STEPS) -> dict[str, float]:
    """Make files of `count` rows and train on them in a process of its own; see `train`."""
    with tempfile.TemporaryDirectory(prefix="rows-") as folder:
        make(Path(folder), count)
        command = [sys.executable, "-m", "benchmarks.rows", "--train", folder, str(steps)]
        done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


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
    for keys in parquet.key_batches(splits):
        logits = random.normal(size=(len(MEMBERS), len(keys), TASK.outputs)).astype(np.float32)
        outcome = ensemble.combine(logits, "mean_probability")
        columns = [*keys.columns, *map(parquet.column, [*logits, outcome])]
        yield pa.table(columns, schema=schema)


def _metadata(split: str, size: int) -> dict[str, Any]:
    about = {"split": split, "source": "local", "source_rows": size, "official_rows": None}
    version = {"schema_version": rows.SCHEMA_VERSION, "partial": False, "cap": None}
    return {**parquet.describe(TASK), **version, **about}


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


def main() -> None:
    """Print a table of peaks by number of rows."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rows", nargs="*", type=int, default=SIZES, help="numbers of train rows")
    parser.add_argument("--train", nargs=2, metavar=("FOLDER", "STEPS"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.train:
        print(json.dumps(train(Path(asked.train[0]), int(asked.train[1]))))
        return
    print(f"{'rows':>10} {'start':>8} {'rows ready':>11} {'steps':>8} {'resident':>9} {'s':>7}")
    for count in asked.rows:
        found = measure(count)
        parts = (found[key] for key in ("start", "rows", "steps", "resident", "seconds"))
        print("{:>10,} {:8.0f} {:11.0f} {:8.0f} {:9.0f} {:7.1f}".format(count, *parts), flush=True)


if __name__ == "__main__":
    main()
