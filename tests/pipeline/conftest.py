"""Small rows and encoders that the tests of the engine share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pytest

from pipeline import rows
from pipeline.params.encoders import RandomEncoder
from pipeline.params.sections import Head, Machine, Training
from pipeline.tasks import GLUE, Task

Example = tuple[str, str | None, float | None]


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
    )


@pytest.fixture(scope="session")
def head() -> Head:
    """A mean-pooled head without dropout."""
    return Head(pooling="mean", dropout=0.0)


@pytest.fixture(scope="session")
def hardware() -> Machine:
    """One CPU thread, float32."""
    return Machine(device="cpu", precision="float32", threads=1, labelling_tokens=512)
