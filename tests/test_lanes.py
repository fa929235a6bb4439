"""Every entry of the lanes' tables names tests that there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import lanes

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("entry", [*lanes.MEDIUM, *lanes.SLOW])
def test_an_entry_names_tests_that_there_are(entry: str) -> None:
    path, _, name = entry.partition("::")
    assert (ROOT / path).exists()
    if name:
        assert f"\ndef {name.partition('[')[0]}" in (ROOT / path).read_text("utf-8")


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("tests/pipeline/test_metrics.py::test_f1", set()),
        ("tests/dvc/test_lock.py::test_the_lock", {"medium"}),
        ("tests/pipeline/test_paper.py::test_plan", {"slow"}),
        ("tests/dvc/test_scratch.py::test_a_fresh_clone_pulls", {"medium", "slow"}),
    ],
)
def test_lanes_of_a_test(test: str, expected: set[str]) -> None:
    assert lanes.of(test) == expected


def test_tests_are_marked(request: pytest.FixtureRequest) -> None:
    for item in request.session.items:
        assert {mark.name for mark in item.iter_markers() if mark.name in ("medium", "slow")} == (
            lanes.of(item.nodeid)
        )
