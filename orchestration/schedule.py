"""Schedule a run: which stages are due, which run in parallel, which a failure stops."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from graphlib import TopologicalSorter
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from orchestration.dvc_project import Project, downstream, group
from orchestration.executors.base import Executor
from orchestration.executors.local import InOrder
from pipeline.errors import PipelineError
from pipeline.stage_registry import CODE, SIDE_BY_SIDE, STAGES

if TYPE_CHECKING:
    import networkx as nx

HEAVY = frozenset(name for name, row in STAGES.items() if row.work != "light")
"""Stages that an executor runs."""


class Outcome(NamedTuple):
    """The stages that a run did not bring up to date.

    Attributes:
        failed: stages that failed.
        skipped: stages that were not run, as they need a failed one.
        outdated: stages that ran, but something they need was changed in the meantime.
    """

    failed: set[str]
    skipped: set[str]
    outdated: set[str]


class Schedule:
    """Run the stages that are due, part by part, and check again after each part.

    DVC shows a stage as changed only once its inputs exist, and a stage that reruns may write the
    same bytes. So plan for the changed stages and everything downstream, and check again after each
    part: the plan only shrinks.

    Args:
        project: the DVC project.
        stages: names of those to bring up to date, with all they need.
        in_order: runs light stages.
        executor: runs stages that train or score, several at a time; None runs them in order too.
    """

    def __init__(
        self,
        project: Project,
        stages: Collection[str],
        in_order: InOrder,
        executor: Executor | None,
    ) -> None:
        whole = project.graph()
        self.project, self.in_order, self.executor = project, in_order, executor
        self.graph: nx.DiGraph[str] = whole.subgraph(stages)
        self.groups = _groups(whole)
        self.ran: set[str] = set()
        self.failed: set[str] = set()

    def run(self, changed: set[str]) -> Outcome:
        """Run the changed stages and those downstream that change with them."""
        seen = downstream(self.graph, changed)
        while due := downstream(self.graph, changed - self.ran) - self.ran - self._stopped():
            heavy = {name for name in due if self.executor and group(name) in HEAVY}
            # The digests alone at first: most changes of code change few of them.
            light = {CODE} & due or due - downstream(self.graph, heavy)
            if light:
                part = [name for names in self.groups for name in names if name in light]
                code = self.in_order.run([*self._targets(part, seen)])
            else:
                part, code = self._side_by_side(heavy), 0
            changed = self.project.changed(seen)
            self._record(part, code, changed)
        stopped = self._stopped()
        return Outcome(self.failed, stopped - self.failed, changed & self.ran - stopped)

    def _side_by_side(self, heavy: set[str]) -> list[str]:
        """Run the first group of stages that are due, and return their names."""
        assert self.executor
        groups = ([name for name in sorted(heavy) if group(name) in one] for one in SIDE_BY_SIDE)
        part = next(names for names in groups if names)
        self.failed |= self.executor.run(part)
        return part

    def _record(self, part: list[str], code: int, changed: set[str]) -> None:
        """Note what ran: after a failure, all up to the first that is not up to date."""
        if code:
            left = [name for name in part if name in changed]
            if not left:
                raise PipelineError("DVC did not finish", fix="see its message above, run again")
            self.failed.add(left[0])
            part = part[: part.index(left[0]) + 1]
        self.ran |= set(part)

    def _targets(self, part: list[str], seen: set[str]) -> Iterator[str]:
        """Targets for DVC, which reads dvc.yaml and dvc.lock again for each of them.

        A stage is named without its instances where DVC may check all of them.
        """
        settled = set(self.graph) - seen | (self.ran - self.failed)
        whole = {group(names[0]): set(names) for names in self.groups}
        for one, names in groupby(part, key=group):
            run = list(names)
            yield from [one] if len(run) > 1 and whole[one] <= settled | set(run) else run

    def _stopped(self) -> set[str]:
        """The failed stages and all that need them."""
        return downstream(self.graph, self.failed)


def _groups(graph: nx.DiGraph[str]) -> list[list[str]]:
    """All instances of each stage, every stage after those it needs, else in dvc.yaml's order."""
    instances: dict[str, list[str]] = {}
    for name in graph:
        instances.setdefault(group(name), []).append(name)
    needs: dict[str, set[str]] = {stage: set() for stage in instances}
    for name, needed in graph.edges:
        if group(name) != group(needed):
            needs[group(name)].add(group(needed))
    return [instances[stage] for stage in _in_order(needs)]


def _in_order(needs: Mapping[str, Collection[str]]) -> Iterator[str]:
    """The keys, each after those it needs; of those that are ready the first key comes first."""
    places = {stage: place for place, stage in enumerate(needs)}
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    ready: list[str] = []
    while sorter.is_active():
        first, *ready = sorted([*ready, *sorter.get_ready()], key=places.__getitem__)
        sorter.done(first)
        yield first
