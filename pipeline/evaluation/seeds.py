"""Compare replicates, runs of the pipeline with other training seeds, on the same dev rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline import paths
from pipeline.data import row_join, row_tables
from pipeline.errors import DataError
from pipeline.evaluation import compare as comparison
from pipeline.evaluation import evaluate, significance
from pipeline.evaluation.bootstrap import Predictions
from pipeline.evaluation.systems import BASELINE, STUDENT
from pipeline.stage_registry import remake
from pipeline.tasks import Task

MEAN = "mean over tasks"
"""The row of the mean over the tasks; no task's name has a space."""


def compare(
    folders: Sequence[Path],
    tasks: Sequence[str],
    first: str = STUDENT,
    second: str = BASELINE,
    *,
    others: Sequence[Path] = (),
    resamples: int = significance.RESAMPLES,
    seed: int = significance.SEED,
) -> pd.DataFrame:
    """Compare two systems over several replicates: the mean difference on each task and on all.

    Args:
        folders: data/evaluation of each replicate; the dev rows must be the same in all.
        tasks: names of the tasks.
        first: the system, as in the columns `prediction_<system>`.
        second: the system that is taken off.
        others: the same of the runs that `second` is read from, one for each of `folders`; () for
            the same runs.
        resamples: number of bootstrap draws.
        seed: seed of the draws.

    Returns:
        A row per task, and the row `MEAN`, of first minus second, as fractions of the task score:
        `mean` over replicates; `low` and `high`, its interval over resampled seeds and rows; and
        `deviation`, `t_low` and `t_high` of the replicates' own differences, as in
        `significance.over_seeds`.

    Raises:
        DataError: there is no replicate or no task, or no prediction of a system.
        SoftLabelError: a file is missing, or its rows are not those of the first replicate.
    """
    if not folders or not tasks:
        raise DataError("no runs to compare" if tasks else "no task to compare on")
    if others and len(others) != len(folders):
        raise DataError("replicates without a counterpart", seen=(len(folders), len(others)))
    sources = list(zip(folders, others or folders, strict=True))
    read = {name: _splits(sources, name, (first, second)) for name in tasks}
    own = pd.DataFrame({name: significance.score_difference(*one) for name, one in read.items()})
    own[MEAN] = own.mean(axis=1)
    intervals = [
        significance.seeds_and_rows_bootstrap(group, resamples=resamples, seed=seed)
        for group in (*([one] for one in read.values()), list(read.values()))
    ]
    ends = {"low": [one.low for one in intervals], "high": [one.high for one in intervals]}
    return significance.over_seeds(own).assign(**ends)


def _splits(
    sources: Sequence[tuple[Path, Path]], name: str, systems: tuple[str, str]
) -> tuple[Task, list[Predictions]]:
    """The task and its dev splits; predictions by replicate, and in each by system."""
    task, whole = _read(sources[0][0] / f"{name}.parquet")
    by_system = []
    for pair in sources:
        for folder, system in zip(pair, systems, strict=True):
            path = folder / f"{name}.parquet"
            _, table = _read(path)
            same = row_join.align(table, whole, row_join.Origin(f"predictions of {name}", path))
            splits = comparison.dev_splits(task, table.take(pa.array(same)), [system])
            by_system.append(list(splits.values()))
    return task, [_joined(parts) for parts in zip(*by_system, strict=True)]


def _joined(parts: Sequence[Predictions]) -> Predictions:
    return Predictions(parts[0].labels, np.concatenate([part.predicted for part in parts]))


def _read(path: Path) -> tuple[Task, pa.Table]:
    table, metadata = row_tables.read_versioned(
        path,
        evaluate.SCHEMA_VERSION,
        "file of predictions",
        f"{remake(paths.EVALUATION)}, in that run",
        row_tables.DESCRIPTION,
    )
    return row_tables.described(metadata, table), table
