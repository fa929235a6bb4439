"""Keep dvc.lock in the order of dvc.yaml, without stages that dvc.yaml no longer has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
        stages = YAML(typ="safe").load(Path(repo.root_dir) / "dvc.yaml")["stages"]
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        after = in_order(before, names, stages)
        if after != before:
            with artifacts.new_file(path) as staging:
                staging.write_text(after, encoding="utf-8", newline="\n")


def in_order(text: str, names: list[str], stages: Mapping[str, Mapping[str, Any]]) -> str:
    """The text of dvc.lock with its stages in the order of some names.

    Args:
        text: as DVC writes it: a line `stages:`, then the stages, each name two spaces in.
        names: of stages, in the order wanted.
        stages: those of dvc.yaml; entries of others are dropped, and so is the whole stage's
            where it has instances now, or the other way round.
    """
    places = {name: place for place, name in enumerate(names)}
    head, line, rest = text.partition("\nstages:\n")
    entries = [
        entry for entry in _ENTRY.split(rest) if not entry.strip() or _is_of(_name(entry), stages)
    ]
    entries = sorted(entries, key=lambda entry: places.get(_name(entry), len(places)))
    return head + line + "".join(entries)


def _is_of(name: str, stages: Mapping[str, Mapping[str, Any]]) -> bool:
    stage, at, _ = name.partition("@")
    return stage in stages and bool(at) == ("matrix" in stages[stage])


def _name(entry: str) -> str:
    return entry.partition("\n")[0].strip().removesuffix(":").strip("'\"")
