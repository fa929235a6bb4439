"""The DVC project: its stages, what each needs, and which are not up to date."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration import run_lock
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    import networkx as nx
    from dvc.repo import Repo

_POLL_SECONDS = 1.0
_FIX = (
    "run from the project's root; in a copy without Git history run `git init` there first, or "
    "`.venv/bin/dvc config --local core.no_scm true`"
)


class Project:
    """The current folder's DVC project.

    Raises:
        PipelineError: there is none, or DVC cannot work with it.
    """

    def __init__(self) -> None:
        from dvc.exceptions import DvcException
        from dvc.repo import Repo

        try:
            # A `dvc status` during the run locks the project for seconds.
            self.repo: Repo = Repo(_wait_for_lock=True)
        except DvcException as error:
            raise PipelineError(
                "DVC cannot work here", seen=str(error), where="the current folder", fix=_FIX
            ) from error
        self.folder = Path(str(self.repo.tmp_dir))

    @contextlib.contextmanager
    def read(self) -> Iterator[None]:
        """Read dvc.yaml and dvc.lock once for the whole block, and let no other DVC start in it.

        Raises:
            PipelineError: dvc.yaml cannot be used.
        """
        from dvc.exceptions import DvcException
        from dvc.repo import lock_repo

        with lock_repo(self.repo):
            try:
                _ = self.repo.index.graph
            except DvcException as error:
                raise PipelineError("dvc.yaml cannot be used", seen=str(error)) from error
            yield

    def graph(self) -> nx.DiGraph[str]:
        """Names of all stages in dvc.yaml's order, each with edges to the stages it needs."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(stage.addressing for stage in self.repo.index.stages)
        graph.add_edges_from(
            (stage.addressing, needed.addressing) for stage, needed in self.repo.index.graph.edges
        )
        return graph

    def changed(self, names: Collection[str]) -> set[str]:
        """Those of the named stages that are not up to date; the others are not looked at.

        DVC shows a stage as changed only once its inputs exist, so plan for everything downstream
        and check again after each part.
        """
        from dvc.lock import LockError

        while True:
            try:
                with self.read():
                    return {
                        stage.addressing
                        for stage in self.repo.index.stages
                        if stage.addressing in names and stage.status()
                    }
            except LockError:  # a DVC that is not ours runs one of them
                if not run_lock.foreign_processes(self.folder, ()):
                    raise
                time.sleep(_POLL_SECONDS)

    def written(self, names: Collection[str]) -> Iterable[Path]:
        """Paths that a run of these stages writes: theirs and DVC's own."""
        yield Path(self.repo.root_dir) / "dvc.lock"
        yield from (self.folder, Path(self.repo.cache.local.path))
        for stage in self.repo.index.stages:
            if stage.addressing in names:
                yield from (Path(out.fs_path) for out in stage.outs)


def group(name: str) -> str:
    """A stage's name without its instance."""
    return name.partition("@")[0]


def upstream(graph: nx.DiGraph[str], names: Iterable[str]) -> set[str]:
    """The named stages and all that they need."""
    import networkx as nx

    return set(names).union(*(nx.descendants(graph, name) for name in names))


def downstream(graph: nx.DiGraph[str], names: Iterable[str]) -> set[str]:
    """The named stages and all that need them."""
    import networkx as nx

    return set(names).union(*(nx.ancestors(graph, name) for name in names))
