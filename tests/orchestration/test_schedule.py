"""What a run looks at and runs, on a pipeline that exists only as names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import SimpleNamespace

import networkx as nx
import pytest

from orchestration import schedule
from orchestration.schedule import Outcome, Schedule

NEEDS = {
    "evaluate": ["distil", "baseline", "prepare@a", "prepare@b"],
    "prepare@a": ["download@a"],
    "prepare@b": ["download@b"],
    "download@a": [],
    "download@b": [],
    "teach@a": ["prepare@a"],
    "teach@b": ["prepare@b"],
    "ensemble@a": ["teach@a"],
    "ensemble@b": ["teach@b"],
    "distil": ["ensemble@a", "ensemble@b"],
    "baseline": ["prepare@a", "prepare@b"],
}
INSTANCES = {"download", "prepare", "teach", "ensemble"}


class World:
    """Stages with what is wrong with them; running one makes what needs it look changed."""

    def __init__(
        self,
        changed: set[str],
        same: set[str],
        broken: set[str],
        needs: Mapping[str, Sequence[str]] = NEEDS,
    ) -> None:
        self.needs = needs
        self.stale, self.same, self.broken = set(changed), same, broken
        self.lines: list[str] = []
        self.looks: list[int] = []

    def graph(self) -> nx.DiGraph[str]:
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(self.needs)
        graph.add_edges_from((one, other) for one, needed in self.needs.items() for other in needed)
        return graph

    def changed(self, names: Collection[str]) -> set[str]:
        self.looks.append(len(names))
        return self.stale & set(names)

    def in_order(self, stages: Sequence[str]) -> int:
        self.lines.append(" ".join(stages))
        names = [
            name
            for stage in stages
            for name in self.needs
            if name == stage or (stage in INSTANCES and name.startswith(f"{stage}@"))
        ]
        return 0 if all(self._one(name) for name in names) else 255

    def side_by_side(self, stages: Sequence[str]) -> set[str]:
        self.lines.append(" | ".join(stages))
        return {name for name in stages if not self._one(name)}

    def schedule(self, jobs: int = 2) -> Schedule:
        in_order = SimpleNamespace(run=self.in_order)
        executor = SimpleNamespace(run=self.side_by_side) if jobs > 1 else None
        return Schedule(self, set(self.needs), in_order, executor)  # type: ignore[arg-type]

    def _one(self, name: str) -> bool:
        assert not self.stale & set(self.needs[name]), f"{name} ran before what it needs"
        if name in self.broken:
            return False
        if name in self.stale and name not in self.same:
            self.stale |= {one for one, needed in self.needs.items() if name in needed}
        self.stale.discard(name)
        return True


def outcome(
    changed: set[str],
    jobs: int = 2,
    same: Collection[str] = (),
    broken: Collection[str] = (),
) -> tuple[World, Outcome]:
    world = World(changed, set(same), set(broken))
    return world, world.schedule(jobs).run(set(changed))


NOTHING = Outcome(set(), set(), set())


@pytest.mark.parametrize(
    ("changed", "jobs", "same", "lines"),
    [
        ({"evaluate"}, 2, (), ["evaluate"]),
        # From scratch: five parts, each group under one name.
        (
            set(NEEDS),
            2,
            (),
            ["download prepare", "teach@a | teach@b", "ensemble", "baseline | distil", "evaluate"],
        ),
        (
            set(NEEDS),
            1,
            (),
            ["download prepare teach ensemble distil baseline evaluate"],
        ),
        # One task: the other's teacher and soft labels are not looked at.
        (
            {"teach@a"},
            2,
            (),
            ["teach@a", "ensemble@a", "distil", "evaluate"],
        ),
        # What comes out the same leaves all after it as it is.
        ({"prepare@a", "prepare@b"}, 2, ("prepare@a", "prepare@b"), ["prepare"]),
        ({"prepare@a", "prepare@b"}, 2, ("prepare@a",), None),
    ],
)
def test_only_what_may_have_changed_is_run(
    changed: set[str],
    jobs: int,
    same: tuple[str, ...],
    lines: list[str] | None,
) -> None:
    world, result = outcome(changed, jobs, same)
    assert result == NOTHING
    assert world.stale == set()
    if lines is None:
        lines = ["prepare", "teach@b", "ensemble@b", "baseline | distil", "evaluate"]
    assert world.lines == lines


def test_only_what_may_have_changed_is_looked_at() -> None:
    world, _ = outcome({"teach@a"})
    assert world.looks == [4, 4, 4, 4]


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("broken", "skipped"),
    [
        ({"teach@a"}, {"ensemble@a", "distil", "evaluate"}),
        ({"download@a"}, {"prepare@a", "teach@a", "ensemble@a", "distil", "baseline", "evaluate"}),
        ({"ensemble@b"}, {"distil", "evaluate"}),
        (
            {"download@a", "teach@b"},
            set(NEEDS) - {"download@a", "teach@b", "download@b", "prepare@b"},
        ),
        ({"evaluate"}, set()),
    ],
)  # fmt: skip
def test_a_failure_stops_what_needs_it_and_no_other(
    jobs: int, broken: set[str], skipped: set[str]
) -> None:
    world, result = outcome(set(NEEDS), jobs, broken=broken)
    assert result == Outcome(broken, skipped, set())
    assert world.stale == broken | skipped


def test_what_is_edited_meanwhile_is_told_and_not_run_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World({"prepare@a", "teach@a"}, {"prepare@a", "teach@a"}, set())

    def run(stages: Sequence[str], *_: object) -> set[str]:
        world.stale.add("prepare@a")
        world.stale.discard("teach@a")
        return set()

    monkeypatch.setattr(world, "side_by_side", run)
    assert world.schedule().run({"prepare@a", "teach@a"}) == Outcome(set(), set(), {"prepare@a"})
    assert world.lines == ["prepare@a"]


def test_groups_stand_in_the_order_of_dvc_yaml_where_none_needs_the_other() -> None:
    """`code` is needed by all; `b` comes before `a` in the file, and `z` waits for `a`."""
    needs = {"z": ["a@1"], "b@1": ["code"], "b@2": ["code"], "a@1": ["code"], "c": [], "code": []}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(needs)
    graph.add_edges_from((name, needed) for name, all_ in needs.items() for needed in all_)
    groups = [["c"], ["code"], ["b@1", "b@2"], ["a@1"], ["z"]]
    assert schedule._groups(graph) == groups


@pytest.mark.parametrize("jobs", [1, 2])
def test_code_runs_first_and_what_it_leaves_as_it_was_is_not_run(jobs: int) -> None:
    needs = {name: ["code", *others] for name, others in NEEDS.items()} | {"code": []}
    world = World({"code"}, {"code"}, set(), needs)
    assert world.schedule(jobs).run({"code"}) == NOTHING
    assert world.lines == ["code"]
    world = World({"code", "teach@a"}, {"code", "teach@a"}, set(), needs)
    assert world.schedule(jobs).run({"code", "teach@a"}) == NOTHING
    assert world.lines == ["code", "teach@a" if jobs > 1 else "teach@a ensemble@a distil evaluate"]
