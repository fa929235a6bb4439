"""Gather the figures of the grid's experiments, and keep those that were run elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments import settings as grid
from pipeline.errors import DataError
from pipeline.replication import experiments, figures
from pipeline.replication.settings import Setting, experiment
from pipeline.runtime import artifacts


def write(target: Path, settings: Sequence[Setting], seeds: Sequence[int]) -> dict[str, Any]:
    """Read every finished experiment of the grid and write all figures as JSON.

    A setting without experiments here, as in a separate clone, stays as in the file.

    Returns:
        The file's content, by name of setting.

    Raises:
        DataError: no experiment of the grid is finished.
    """
    names = {name for setting in settings for name in (setting.name, setting.against) if name}
    folders = {name: _folders(name, seeds) for name in sorted(names)}
    new = {
        setting.name: _figures(setting, folders) for setting in settings if folders[setting.name]
    }
    if not new:
        fix = "python -m experiments run --data FOLDER"
        raise DataError("no experiment of the grid is finished", fix=fix)
    old = artifacts.read_json(target) if target.exists() else {}
    merged = {**old, **new}
    current = {each.name: merged[each.name] for each in grid.SETTINGS if each.name in merged}
    artifacts.write_json(target, current)
    return current


def _folders(name: str, seeds: Sequence[int]) -> dict[int, Path]:
    """data/evaluation of every finished run of a setting, by seed, whatever its parameters."""
    names = {seed: experiment(name, seed, "student") for seed in seeds}
    found = {seed: experiments.revision(one) for seed, one in names.items()}
    return {
        seed: experiments.fetched(names[seed], commit) for seed, commit in found.items() if commit
    }


def _figures(setting: Setting, folders: figures.Folders) -> dict[str, Any]:
    names = [experiment(setting.name, seed, "student") for seed in folders[setting.name]]
    return {**figures.gather(setting, folders), "commits": experiments.commits(names)}
