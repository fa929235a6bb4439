"""Keep dvc.lock in the order of dvc.yaml: DVC appends a stage when it first ends."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.runtime import artifacts

if TYPE_CHECKING:
    from dvc.repo import Repo

_ENTRY = re.compile(r"^(?=  [^\s#])", re.MULTILINE)
"""Before each stage's name: two spaces in, where what belongs to it is four or more in."""


def sort(repo: Repo) -> None:
    """Sort the stages in dvc.lock; those that dvc.yaml does not make now stay, last of all."""
    from dvc.repo import lock_repo

    path = Path(repo.root_dir) / "dvc.lock"
    with lock_repo(repo):
        names = [stage.addressing for stage in repo.index.stages]
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        after = in_order(before, names)
        if after != before:
            with artifacts.new_file(path) as staging:
                staging.write_text(after, encoding="utf-8", newline="\n")


def in_order(text: str, names: list[str]) -> str:
    """The text of dvc.lock with its stages in the order of some names.

    Args:
        text: as DVC writes it: a line `stages:`, then the stages, each name two spaces in.
        names: of stages, in the order wanted.
    """
    places = {name: place for place, name in enumerate(names)}
    head, stages, rest = text.partition("\nstages:\n")
    entries = _ENTRY.split(rest)
    entries = sorted(entries, key=lambda entry: places.get(_name(entry), len(places)))
    return head + stages + "".join(entries)


def _name(entry: str) -> str:
    return entry.partition("\n")[0].strip().removesuffix(":").strip("'\"")
