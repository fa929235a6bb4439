"""Compare revisions and experiments: changed parameters, scores, student minus baseline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline import paths
from pipeline.errors import DataError
from pipeline.params import profiles, yaml_text

WORKSPACE, HEAD = "workspace", "HEAD"
_NONE = "-"
_WIDTHS = {
    "revision": 16,
    "changed parameters": 38,
    "GLUE": 5,
    "student - baseline": 22,
    "with teachers": 22,
}
"""Widest text of each column; all of them fit 120 columns."""
_COLUMNS = list(_WIDTHS)


@dataclass(frozen=True)
class Revision:
    """The compared contents of one revision.

    Attributes:
        name: as it was asked for.
        params: params.yaml.
        summary: reports/summary.json; {} where nothing was evaluated.
    """

    name: str
    params: Mapping[str, Any]
    summary: Mapping[str, Any]


def known() -> list[str]:
    """HEAD, the workspace and every experiment that was run from HEAD.

    Raises:
        DataError: this is no DVC project, or it has no commit.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            experiments = repo.experiments.ls()
    except DvcException as error:
        raise DataError("no experiments to compare", seen=str(error), fix="commit first") from error
    return [HEAD, WORKSPACE, *(name for entries in experiments.values() for name, _ in entries)]


def read(name: str) -> Revision:
    """Read a branch, tag, commit or experiment, or `workspace`, the current files.

    Raises:
        DataError: there is no such revision, or it has no params.yaml.
    """
    params = _text(name, str(paths.PARAMS))
    if params is None:
        raise DataError("no params.yaml", where=name, fix="name a revision of this project")
    summary = _text(name, str(paths.SUMMARY))
    where = f"{paths.PARAMS} of {name}"
    return Revision(name, yaml_text.parse(params, where), json.loads(summary) if summary else {})


def table(revisions: Sequence[Revision]) -> pd.DataFrame:
    """One row per revision, as text: columns of `markdown`.

    Parameters are those that differ from the first revision's; scores are percent on dev rows;
    differences have their 95 % interval.
    """
    first = revisions[0].params
    rows = [
        (
            revision.name,
            "\n".join(map(str, profiles.changes(first, revision.params))) or _NONE,
            _score(revision.summary.get("glue")),
            _difference(revision.summary.get("glue")),
            _difference(revision.summary.get("teacher_tasks")),
        )
        for revision in revisions
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def text(frame: pd.DataFrame) -> str:
    """The table of `table` for a terminal of 120 columns; long cells take several lines."""
    return frame.to_markdown(
        index=False,
        tablefmt="simple_grid",
        disable_numparse=True,
        maxcolwidths=list(_WIDTHS.values()),
        colalign=("left", "left", "right", "right", "right"),
    )


def _text(name: str, path: str) -> str | None:
    """A file of a revision; None if the revision has none."""
    import dvc.api
    from dvc.exceptions import DvcException, PathMissingError

    try:
        content: str = dvc.api.read(path, rev=None if name == WORKSPACE else name)
    except (PathMissingError, FileNotFoundError):
        return None
    except DvcException as error:
        raise DataError(
            str(error), where=name, fix="dvc exp list, git branch and git log name what there is"
        ) from error
    return content


def _score(figures: Mapping[str, float] | None) -> str:
    """The student's; files of before this layout have no difference."""
    return f"{figures['student']:.1f}" if figures else _NONE


def _difference(figures: Mapping[str, float] | None) -> str:
    if not figures or "difference" not in figures:
        return _NONE
    value, low, high = (round(figures[key], 1) + 0.0 for key in ("difference", "low", "high"))
    return f"{value:+.1f} ({low:.1f} to {high:.1f})"
