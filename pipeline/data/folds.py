"""Divide train rows into folds; each model of a member is trained without one of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.data.rows import Rows
from pipeline.errors import DataError
from pipeline.params.teachers import WHOLE

Folds = npt.NDArray[np.int64]


def names(folds: Sequence[int | str]) -> list[str]:
    """Names of the folds of `teachers.folds`, as in stages and folders."""
    return [str(fold) for fold in folds]


def held_out(train: Rows, count: int) -> Folds:
    """Assign each train row to a fold; the fold's model is trained without the row.

    Rows of equal texts are one group and share a fold, because a model that has seen one of them
    has seen the label of the other. Groups are sorted by label (the lowest of the group) and
    within it by text hash, which is as good as random, and are assigned to folds in turn.
    Every class, and over a regression task's range every stretch of scores, is therefore spread
    evenly: folds differ by at most one group per class, and by at most one group in all.

    The fold of a row depends on the texts and labels of the rows and on nothing else: not on their
    order, not on a seed. All members share the folds.

    Args:
        train: labelled rows.
        count: number of folds.

    Returns:
        Folds `(rows,)`, from 1 to `count`; each holds at least one row.

    Raises:
        DataError: there are fewer texts than folds.
    """
    hashes = (
        train.columns("text_hash")["text_hash"].to_numpy().astype(bytes)
    )  # sorts faster than str
    texts, group = np.unique(hashes, return_inverse=True)
    if len(texts) < count:
        raise DataError(
            f"{train.task.name}: {count} folds need {count} train rows of different texts",
            seen=f"{len(texts)} texts in {len(train)} rows",
            where="teachers.folds in params.yaml",
            fix=f"set teachers.folds to at most {len(texts)} folds, or to [all]",
        )
    labels = np.full(len(texts), np.inf)
    np.minimum.at(labels, group, train.labels)
    fold_of_text = np.empty(len(texts), np.int64)
    fold_of_text[np.argsort(labels, kind="stable")] = np.arange(len(texts)) % count + 1
    return np.asarray(fold_of_text[group])


def outside(train: Rows, fold: str, fold_of_row: Folds) -> Rows:
    """The rows that a fold's model is trained on: all but the fold, in their order.

    Args:
        train: all train rows.
        fold: name of the fold; `all` for a model that sees every row.
        fold_of_row: folds of these rows `(rows,)`, from `held_out`.
    """
    if fold == WHOLE:
        return train
    return train.where(fold_of_row != int(fold))


def fingerprint(trained: Rows) -> dict[str, Any]:
    """Number and hash of the rows that a model was trained on, for its manifest.

    Returns:
        `rows`, and `sha256` over the rows' ids and text hashes in their order.
    """
    digest = hashlib.sha256()
    for name in ("row_id", "text_hash"):
        separator = ""
        for part in trained.batches(name):
            for value in part[name].to_pylist():
                digest.update(f"{separator}{value}".encode())
                separator = "\n"
    return {"rows": len(trained), "sha256": digest.hexdigest()}
