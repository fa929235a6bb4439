"""Remove the outputs of removed members and tasks: DVC would hash them with their folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from dvc.repo import Repo


def remove(repo: Repo) -> None:
    """Remove the artifacts of stages that params.yaml no longer names.

    Only outputs that DVC wrote and has in its cache are removed, as by `dvc checkout`.

    Raises:
        PipelineError: a folder that a stage reads whole holds something else.
    """
    from dvc.repo import lock_repo

    with lock_repo(repo):
        used = [out.fspath for out in repo.index.outs]
        unused = repo.state.get_unused_links(used, repo.fs)
        for path in unused:
            print(f"removed: {path} (no stage makes it now; DVC's cache has it)")
        repo.state.remove_links(unused, repo.fs)
    if strays := _strays(repo):
        raise PipelineError(
            "a folder that a stage reads whole holds what no stage makes",
            where=", ".join(os.path.relpath(path) for path in strays),
            fix="move it elsewhere or delete it",
        )


def _strays(repo: Repo) -> list[Path]:
    """Entries of folders that are read whole but that no stage writes."""
    outs = {Path(out.fspath) for out in repo.index.outs}
    inside = {folder for out in outs for folder in out.parents}
    whole = {Path(dep.fspath) for dep in repo.index.deps} & inside
    read = {folder for folder in inside if whole & {folder, *folder.parents}}
    entries = [entry for folder in read if folder.is_dir() for entry in folder.iterdir()]
    return sorted(
        entry
        for entry in entries
        if entry not in outs | inside and entry.name[0] != "." and not _has_no_file(entry)
    )


def _has_no_file(entry: Path) -> bool:
    """Whether it is a folder without any file: DVC removes files and leaves their folders."""
    return entry.is_dir() and not any(path.is_file() for path in entry.rglob("*"))
