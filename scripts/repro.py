"""Bring all results up to date with `dvc repro`, teachers side by side where that is asked for.

DVC itself runs one stage at a time. Here the stages that train or score run in a pool of DVC
processes, group by group; before, between and after them the light stages run one by one. A stage
that fails is named at the end and does not stop those that need it not.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipeline.errors import PipelineError
from pipeline.machine import JOBS
from pipeline.params import file
from scripts import ghosts, pool

if TYPE_CHECKING:
    import networkx as nx
    from dvc.repo import Repo

# What trains or scores, in order: the stages of one group need none of each other.
SIDE_BY_SIDE = (("refine",), ("teach",), ("label",), ("distil", "baseline"), ("tune",))
INTERRUPTED = 130


def main() -> int:
    """Parse the command line, run, and give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=_count, default=1, help="stages side by side")
    parser.add_argument("--until", metavar="STAGE", help="run only this stage and what it needs")
    arguments = parser.parse_args()
    jobs: int = arguments.jobs
    from dvc.exceptions import DvcException

    # Every stage gets the same share of the CPU's threads, whether others run just then or not:
    # how many threads add up a sum decides its last bit.
    os.environ[JOBS] = str(jobs)
    try:
        return reproduce(jobs, arguments.until)
    except (PipelineError, DvcException) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: interrupted; finished stages are kept", file=sys.stderr)
        return INTERRUPTED


def reproduce(jobs: int, until: str | None = None) -> int:
    """Run what changed, `jobs` stages side by side; 0 if all is up to date afterwards.

    Args:
        jobs: stages side by side.
        until: a stage; only it, in all its instances, and what they need are run. None runs all.

    Raises:
        PipelineError: params.yaml cannot be used, the project is not set up for DVC, or a folder
            holds what no stage makes.
    """
    file.load()  # DVC would only say which file is missing
    with _repo() as repo:
        graph = _part(_graph(repo), until)
        ghosts.remove(repo)
        changed = _changed(repo, graph)
    if not changed:
        print("Nothing changed since the last run: no stage to run.")
        return 0
    failed = _one_by_one(set(graph), graph) if jobs == 1 else _side_by_side(graph, jobs)
    return _report(failed, _downstream(graph, failed) - failed)


def _part(graph: nx.DiGraph[str], until: str | None) -> nx.DiGraph[str]:
    """The named stage and what it needs."""
    if until is None:
        return graph
    named = {name for name in graph if name.partition("@")[0] == until}
    if not named:
        known = sorted({name.partition("@")[0] for name in graph})
        raise PipelineError("no such stage", seen=until, mend=f"one of {', '.join(known)}")
    part: nx.DiGraph[str] = graph.subgraph(named | _upstream(graph, named))
    return part


def _side_by_side(graph: nx.DiGraph[str], jobs: int) -> set[str]:
    """Run what changed and give the stages that failed."""
    failed: set[str] = set()
    for group in SIDE_BY_SIDE:
        pooled = {name for name in graph if name.partition("@")[0] in group}
        if not pooled:
            continue
        failed |= _one_by_one(_upstream(graph, pooled) - pooled - _downstream(graph, failed), graph)
        with _repo() as repo:
            waiting = _changed(repo, pooled - _downstream(graph, failed))
        failed |= pool.run(sorted(waiting), jobs)
    return failed | _one_by_one(set(graph) - _downstream(graph, failed), graph)


def _one_by_one(names: set[str], graph: nx.DiGraph[str]) -> set[str]:
    """Run the named stages and what they need, and give those that failed."""
    with _repo() as repo:
        changed = _changed(repo, names)
    # Only whether to run is asked here, never which: a stage after a changed one looks unchanged.
    if not changed or pool.alone(["repro", "--keep-going", *_targets(names, graph)]) == 0:
        return set()
    with _repo() as repo:
        left = _changed(repo, names)
    if not left:
        raise PipelineError("DVC did not finish", mend="see its message above, then run again")
    return {name for name in left if not left & _upstream(graph, {name})}


def _targets(names: set[str], graph: nx.DiGraph[str]) -> list[str]:
    """What to name to DVC, which runs what these need as well; the fewer, the quicker it is."""
    needed = _upstream(graph, names)
    return sorted(names - needed)


def _report(failed: set[str], skipped: set[str]) -> int:
    if not failed:
        return 0
    print(f"\nfailed: {', '.join(sorted(failed))}", file=sys.stderr)
    if skipped:
        print(f"not run, as they need a failed one: {', '.join(sorted(skipped))}", file=sys.stderr)
    print("What finished is kept; mend the fault and run the same command again.", file=sys.stderr)
    return 1


def _repo() -> Repo:
    """The project as DVC sees it now."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        return Repo()
    except DvcException as error:
        raise PipelineError(
            "DVC cannot work here", seen=str(error), where="the current folder", mend=_MEND
        ) from error


def _graph(repo: Repo) -> nx.DiGraph[str]:
    """Stage names, each with edges to the stages it needs."""
    import networkx as nx
    from dvc.exceptions import DvcException

    try:
        return nx.relabel_nodes(repo.index.graph, lambda stage: stage.addressing)
    except DvcException as error:
        raise PipelineError("dvc.yaml cannot be used", seen=str(error)) from error


_MEND = (
    "run from the project's root; in a copy without Git history run `git init` there first, or "
    "`.venv/bin/dvc config --local core.no_scm true`"
)


def _changed(repo: Repo, names: Iterable[str]) -> set[str]:
    """Those of the named stages that are not up to date.

    All stages are asked about at once: for each one named, DVC would read its lock file again.
    """
    return set(repo.status()) & set(names)


def _upstream(graph: nx.DiGraph[str], names: Iterable[str]) -> set[str]:
    import networkx as nx

    return set().union(*(nx.descendants(graph, name) for name in names))


def _downstream(graph: nx.DiGraph[str], names: Iterable[str]) -> set[str]:
    """The named stages and all that need them."""
    import networkx as nx

    return set(names).union(*(nx.ancestors(graph, name) for name in names))


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"give a whole number, 1 or more, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
