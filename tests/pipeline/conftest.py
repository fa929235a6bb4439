"""Small rows and encoders that the tests of the engine share."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.data import rows
from pipeline.params import file
from pipeline.params.encoders import RandomEncoder
from pipeline.params.heads.linear import LinearHead
from pipeline.params.machine import Machine
from pipeline.params.sections import Params, Training
from pipeline.soft_labels import logits, store
from pipeline.tasks import GLUE, Task

ROOT = Path(__file__).resolve().parents[2]
Example = tuple[str, str | None, float | None]

# One soft-label file's rows, its members' logits and their dev metrics.
LN3 = math.log(3.0)
TEXTS = {
    "train": [("It rained.", "Rain fell.", 0), ("A dog.", "A cat.", 1)],
    "dev": [("Up.", "Down.", 1)],
    "test": [("Left.", "Right.", None)],
}
LOGITS = {
    "m1": {"train": [[LN3, 0.0], [0.0, LN3]], "dev": [[0.0, 0.0]], "test": [[2.0, 2.0]]},
    "m2": {"train": [[0.0, 0.0], [0.0, LN3]], "dev": [[0.0, LN3]], "test": [[LN3, 0.0]]},
}
DEV = {"m1": 0.2, "m2": 0.6, "m3": 0.5}


def make_rows(task: Task, split: str, examples: Sequence[Example]) -> rows.Rows:
    """Prepared rows of hand-written examples."""
    kind = float if task.regression else int
    records = [
        {
            "row_id": rows.row_id(task.name, split, index),
            "index": index,
            "sentence1": first,
            "sentence2": second,
            "label": None if label is None else kind(label),
            "text_hash": rows.text_hash(first, second),
        }
        for index, (first, second, label) in enumerate(examples)
    ]
    metadata = {
        "schema_version": rows.SCHEMA_VERSION,
        "task": task.name,
        "title": task.title,
        "split": split,
        "labels": list(task.labels),
        "regression": task.regression,
        "low": task.low,
        "high": task.high,
        "metrics": list(task.metrics),
        "glue": task.glue,
        "source": "local",
        "source_rows": len(records),
        "official_rows": None,
        "partial": False,
        "cap": None,
    }
    return rows.Rows(pa.Table.from_pylist(records, schema=rows.schema(task)), metadata)


@pytest.fixture
def make() -> Callable[[str, str, Sequence[Example]], rows.Rows]:
    """`make(task name, split, [(sentence1, sentence2, label), ...])` gives prepared rows."""
    return lambda task, split, examples: make_rows(GLUE[task], split, examples)


@pytest.fixture(scope="session")
def tiny() -> RandomEncoder:
    """A BERT of two layers of eight units that reads characters."""
    return RandomEncoder(source="random", seed=0, depth=2, hidden=8, attention_heads=2)


@pytest.fixture(scope="session")
def settings() -> Training:
    """A short training run."""
    return Training(
        epochs=2,
        batch_size=4,
        max_length=32,
        optimizer="adamw",
        learning_rate=1e-3,
        weight_decay=0.01,
        warmup=0.1,
        clip_norm=1.0,
        accumulation=1,
        layer_decay=1.0,
        early_stopping=None,
    )


@pytest.fixture(scope="session")
def head() -> LinearHead:
    """A mean-pooled head without dropout."""
    return LinearHead(kind="linear", pooling="mean", dropout=0.0)


@pytest.fixture(scope="session")
def machine() -> Machine:
    """One CPU thread, float32, the faster library of products."""
    return Machine(
        device="cpu",
        precision="float32",
        products="auto",
        threads=1,
        engine="fast",
        shards=1,
        labelling_tokens=512,
        checkpoint_seconds=120,
    )


@pytest.fixture(scope="session")
def defaults() -> Params:
    """The sample profile."""
    return file.load(ROOT / "profiles" / "sample.yaml")


def put_source(
    folder: Path, files: dict[str, bytes], layout: str = "tsv", source: str = "local"
) -> Path:
    """A task's folder as a source leaves it."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    note = {"source": source, "layout": layout, "files": {key: {} for key in files}}
    (folder / "source.json").write_text(json.dumps(note))
    return folder


def write_members(
    folder: Path, splits: Mapping[str, rows.Rows], values: Mapping[str, dict[str, Any]]
) -> dict[str, logits.Logits]:
    """Logits of teachers, by their names, written and read back."""
    row_logits = {}
    for name, of in values.items():
        arrays = {split: np.array(of[split]) for split in splits}
        model = {"name": name, "weights_sha256": "0" * 64, "dev": {"dev": {"accuracy": DEV[name]}}}
        logits.write(folder / f"{name}.parquet", splits, arrays, model)
        row_logits[name] = logits.read(folder / f"{name}.parquet")
    return row_logits


@pytest.fixture
def rte_splits(make: Callable[..., rows.Rows]) -> dict[str, rows.Rows]:
    """Prepared rows of TEXTS."""
    return {split: make("rte", split, texts) for split, texts in TEXTS.items()}


@pytest.fixture
def rte_members(tmp_path: Path, rte_splits: dict[str, rows.Rows]) -> dict[str, logits.Logits]:
    """LOGITS on these rows."""
    return write_members(tmp_path, rte_splits, LOGITS)


@pytest.fixture
def rte_soft_labels(
    tmp_path: Path, rte_splits: dict[str, rows.Rows], rte_members: dict[str, logits.Logits]
) -> Path:
    """Path of the soft-label file made of them."""
    path = tmp_path / "rte.parquet"
    store.write(path, rte_splits, rte_members, "mean_probability")
    return path


FURTHER = [("Wet.", "Dry.", None), ("Hot.", "Cold.", None)]


@pytest.fixture
def rte_all_splits(
    make: Callable[..., rows.Rows], rte_splits: dict[str, rows.Rows]
) -> dict[str, rows.Rows]:
    """Prepared rows of TEXTS and transfer rows of FURTHER."""
    return {**rte_splits, "transfer": make("rte", "transfer", FURTHER)}


@pytest.fixture
def rte_folded(tmp_path: Path, rte_all_splits: dict[str, rows.Rows]) -> dict[str, logits.Logits]:
    """LOGITS as of members of two folds, with logits of the transfer rows."""
    further = {"m1": [[LN3, 0.0], [0.0, 0.0]], "m2": [[LN3, 0.0], [2 * LN3, 0.0]]}
    values = {name: {**of, "transfer": further[name]} for name, of in LOGITS.items()}
    members = write_members(tmp_path / "folded", rte_all_splits, values)
    return {
        name: logits.Logits(
            of.table, {**of.metadata, "model": {**of.model, "folds": ["1", "2"], "by_fold": {}}}
        )
        for name, of in members.items()
    }


@pytest.fixture
def rte_calibrated(
    tmp_path: Path, rte_all_splits: dict[str, rows.Rows], rte_folded: dict[str, logits.Logits]
) -> Path:
    """Path of the soft-label file made of them, calibrated by the temperatures 1/2 and 2."""
    path, temperatures = tmp_path / "calibrated" / "rte.parquet", {"m1": 0.5, "m2": 2.0}
    store.write(path, rte_all_splits, rte_folded, "mean_probability", temperatures)
    return path
