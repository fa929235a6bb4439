"""Keep dvc.lock in the order of dvc.yaml, without stages that dvc.yaml no longer has."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.runtime import artifacts

if TYPE_CHECKING:
    from dvc.repo import Repo

_ENTRY = re.compile(r"^(?=  [^\s#])", re.MULTILINE)
"""Before each stage's name: two spaces; lines that belong to the stage have four or more."""


def sort(repo: Repo) -> None:
    """Sort the stages in dvc.lock, since DVC appends a stage when it first ends.

    Instances that params.yaml does not name now stay, last of all: they may come back.
    """
    from dvc.repo import lock_repo
    from ruamel.yaml import YAML

    path = Path(repo.root_dir) / "dvc.lock"
    with lock_repo(repo):
        names = [stage.addressing for stage in repo.index.stages]
        groups = YAML(typ="safe").load(Path(repo.root_dir) / "dvc.yaml")["stages"]
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        after = in_order(before, names, groups)
        if after != before:
            with artifacts.new_file(path) as staging:
                staging.write_text(after, encoding="utf-8", newline="\n")


def in_order(text: str, names: list[str], groups: Collection[str]) -> str:
    """The text of dvc.lock with its stages in the order of some names.

    Args:
        text: as DVC writes it: a line `stages:`, then the stages, each name two spaces in.
        names: of stages, in the order wanted.
        groups: names of stages without their instances; entries of others are dropped.
    """
    places = {name: place for place, name in enumerate(names)}
    head, stages, rest = text.partition("\nstages:\n")
    entries = [
        entry
        for entry in _ENTRY.split(rest)
        if not entry.strip() or _name(entry).partition("@")[0] in groups
    ]
    entries = sorted(entries, key=lambda entry: places.get(_name(entry), len(places)))
    return head + stages + "".join(entries)


def _name(entry: str) -> str:
    return entry.partition("\n")[0].strip().removesuffix(":").strip("'\"")
