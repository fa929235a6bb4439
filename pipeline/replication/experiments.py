"""The DVC experiments of runs: make those that are not there, find and fetch those that are."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline import paths
from pipeline.errors import DataError
from pipeline.params import yaml_text
from pipeline.replication import workspace
from pipeline.replication.settings import Run
from pipeline.runtime import artifacts

_FREE = (("machine", "threads"), ("machine", "checkpoint_seconds"), ("data", "retry"))
"""Parameters that decide no byte of a result."""
_SHORT = 7  # hexadecimal digits of a commit


def make(runs: Sequence[Run], jobs: int) -> None:
    """Make every experiment that is not there with these parameters, one after another.

    The driver brings the workspace up to date under the parameters of a run, `jobs` stages in
    parallel, and DVC saves it as an experiment. Stages that several runs have in common are
    run once, and an interrupted training goes on from its checkpoint. An experiment of the same
    name with other parameters is replaced.

    Raises:
        PipelineError: this is no DVC project, seeds are being run here already, or a command
            failed; what is finished is kept.
    """
    left = [run for run in runs if revision(run.name, run.text) is None]
    for run in runs:
        if run not in left:
            print(f"{run.name}: finished before, not run again", flush=True)
    if not left:
        return
    with workspace.kept():
        for number, run in enumerate(left, start=1):
            print(f"{run.name}: run {number} of {len(left)}", flush=True)
            workspace.write_params(run.text)
            workspace.call("orchestration.repro", "--jobs", str(jobs))
            workspace.call("dvc", "exp", "save", "--quiet", "--force", "--name", run.name)


def revision(name: str, text: str | None = None) -> str | None:
    """The newest finished experiment of a name, as a commit; None if there is none.

    Args:
        name: its name, whichever commit it was run from.
        text: the params.yaml that it must have been run with, but for what decides no byte of a
            result; None for any.
    """
    for commit in _git("for-each-ref", *_newest("objectname"), _pattern(name)):
        if text is None or _decisive(_params(commit)) == _decisive(text):
            return commit
    return None


def fetch(runs: Iterable[Run]) -> dict[str, dict[int, Path]]:
    """data/evaluation of every finished run with these parameters: setting -> seed -> folder.

    Raises:
        DataError: an experiment's predictions are not in DVC's cache.
    """
    found: dict[str, dict[int, Path]] = {}
    for run in runs:
        commit = revision(run.name, run.text)
        if commit is not None:
            found.setdefault(run.setting, {})[run.seed] = fetched(run.name, commit)
    return found


def fetched(name: str, commit: str) -> Path:
    """An experiment's predictions, copied from DVC's cache.

    An earlier copy is never used: an experiment of the same name may have been run again.

    Raises:
        DataError: they are not there.
    """
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException
    from scmrepo.exceptions import SCMError

    folder = paths.scratch() / "seeds" / name
    try:
        files = DVCFileSystem(os.curdir, rev=commit)
        # Into a folder that is there DVC would nest it.
        with artifacts.new_folder(folder) as staging:
            target = str(staging / paths.EVALUATION.name)
            files.get(f"/{paths.EVALUATION}", target, recursive=True)
    except (DvcException, SCMError, FileNotFoundError) as error:
        raise DataError(
            "an experiment's predictions are not in DVC's cache",
            seen=str(error),
            where=name,
            fix=f"dvc exp remove {name}, then run its seed again",
        ) from error
    return folder / paths.EVALUATION.name


def commits(names: Iterable[str]) -> list[str]:
    """The commits that experiments were run at: DVC's name of one is refs/exps/<commit>/<name>."""
    refs = _git("for-each-ref", "--format=%(refname)", *map(_pattern, names))
    return sorted({"".join(ref.split("/")[2:4])[:_SHORT] for ref in refs})


def _pattern(name: str) -> str:
    return f"refs/exps/*/*/{name}"


def _newest(field: str) -> Iterator[str]:
    yield from ("--sort=-committerdate", f"--format=%({field})")


def _params(commit: str) -> str:
    return "\n".join(_git("show", f"{commit}:./{paths.PARAMS}"))


def _decisive(text: str) -> Mapping[str, Any]:
    """The parameters that decide bytes."""
    values: dict[str, Any] = yaml_text.parse(text, paths.PARAMS)
    for section, key in _FREE:
        values.get(section, {}).pop(key, None)
    return values


def _git(*arguments: str) -> list[str]:
    """Lines that Git prints.

    Raises:
        DataError: it fails, as where there is no repository.
    """
    process = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if process.returncode:
        raise DataError(
            "Git cannot be asked for experiments",
            seen=process.stderr.strip(),
            where=Path.cwd(),
            fix="run it in the project's folder",
        )
    return process.stdout.splitlines()
