"""Run the grid of docs/evidence.md: its settings over the profile, with several seeds."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.params import profiles
from pipeline.replication import experiments
from pipeline.replication import settings as replicated
from pipeline.replication.settings import Setting

PROFILE = "glue-cpu"
FIGURES = Path("docs/evidence.json")


def commands(settings: Sequence[Setting], seeds: Sequence[int]) -> Iterator[str]:
    """For each setting, the command that runs it alone over params.yaml of the profile."""
    for setting in settings:
        changes = f"{setting.name}={','.join(setting.changes)}"
        named = ["--setting", changes] if setting.changes else []
        yield shlex.join(["mtdnnkd", "seeds", *map(str, seeds), *named])


def run(settings: Sequence[Setting], seeds: Sequence[int], data: Path, jobs: int) -> None:
    """Make every experiment of the settings that is not there, over the profile.

    Raises:
        PipelineError: there is no such folder of files, or a command failed.
    """
    if not data.is_dir():
        raise PipelineError("no folder of GLUE files", seen=data, fix="--data FOLDER")
    base = profiles.text_here(PROFILE, [f"data.folder={data}"])
    experiments.make(replicated.runs(base, settings, seeds, "student"), jobs)
