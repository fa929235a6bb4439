"""What a run looks at and runs, on a pipeline that exists only as names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import networkx as nx
import pytest

from orchestration import schedule
from orchestration.executors import local
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

    folder = Path(".dvc/tmp")

    def __init__(self, changed: set[str], same: set[str], broken: set[str]) -> None:
        self.stale, self.same, self.broken = set(changed), same, broken
        self.told: list[str] = []
        self.looks: list[int] = []

    def graph(self) -> nx.DiGraph[str]:
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(NEEDS)
        graph.add_edges_from((one, other) for one, needed in NEEDS.items() for other in needed)
        return graph

    def changed(self, names: Collection[str]) -> set[str]:
        self.looks.append(len(names))
        return self.stale & set(names)

    def alone(self, stages: Sequence[str], folder: Path) -> int:
        self.told.append(" ".join(stages))
        names = [name for one in stages for name in ([n for n in NEEDS if n.startswith(f"{one}@")]
                                                     if one in INSTANCES else [one])]  # fmt: skip
        return 0 if all(self._one(name) for name in names) else 255

    def run(
        self, stages: Sequence[str], jobs: int, folder: Path, devices: Sequence[str]
    ) -> set[str]:
        self.told.append(" | ".join(stages))
        return {name for name in stages if not self._one(name)}

    def _one(self, name: str) -> bool:
        assert not self.stale & set(NEEDS[name]), f"{name} ran before what it needs"
        if name in self.broken:
            return False
        if name in self.stale and name not in self.same:
            self.stale |= {one for one, needed in NEEDS.items() if name in needed}
        self.stale.discard(name)
        return True


def outcome(
    monkeypatch: pytest.MonkeyPatch,
    changed: set[str],
    jobs: int = 2,
    same: Collection[str] = (),
    broken: Collection[str] = (),
) -> tuple[World, Outcome]:
    world = World(changed, set(same), set(broken))
    monkeypatch.setattr(local, "alone", world.alone)
    monkeypatch.setattr(local, "run", world.run)
    course = Schedule(world, set(NEEDS), jobs, list)  # type: ignore[arg-type]
    return world, course.run(set(changed))


NOTHING = Outcome(set(), set(), set())


@pytest.mark.parametrize(
    ("changed", "jobs", "same", "told"),
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
    monkeypatch: pytest.MonkeyPatch,
    changed: set[str],
    jobs: int,
    same: tuple[str, ...],
    told: list[str] | None,
) -> None:
    world, found = outcome(monkeypatch, changed, jobs, same)
    assert found == NOTHING
    assert world.stale == set()
    if told is None:
        told = ["prepare", "teach@b", "ensemble@b", "baseline | distil", "evaluate"]
    assert world.told == told


def test_only_what_may_have_changed_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _ = outcome(monkeypatch, {"teach@a"})
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
    monkeypatch: pytest.MonkeyPatch, jobs: int, broken: set[str], skipped: set[str]
) -> None:
    world, found = outcome(monkeypatch, set(NEEDS), jobs, broken=broken)
    assert found == Outcome(broken, skipped, set())
    assert world.stale == broken | skipped


def test_what_is_edited_meanwhile_is_told_and_not_run_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World({"prepare@a", "teach@a"}, {"prepare@a", "teach@a"}, set())
    monkeypatch.setattr(local, "alone", world.alone)

    def run(stages: Sequence[str], *_: object) -> set[str]:
        world.stale.add("prepare@a")
        world.stale.discard("teach@a")
        return set()

    monkeypatch.setattr(local, "run", run)
    course = Schedule(world, set(NEEDS), 2, list)  # type: ignore[arg-type]
    assert course.run({"prepare@a", "teach@a"}) == Outcome(set(), set(), {"prepare@a"})
    assert world.told == ["prepare@a"]


def test_groups_stand_in_the_order_of_dvc_yaml_where_none_needs_the_other() -> None:
    """`code` is needed by all; `b` comes before `a` in the file, and `z` waits for `a`."""
    needs = {"z": ["a@1"], "b@1": ["code"], "b@2": ["code"], "a@1": ["code"], "c": [], "code": []}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(needs)
    graph.add_edges_from((name, needed) for name, all_ in needs.items() for needed in all_)
    groups = [["c"], ["code"], ["b@1", "b@2"], ["a@1"], ["z"]]
    assert schedule._groups(graph) == groups
