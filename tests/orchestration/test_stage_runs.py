"""DVC's lines are told apart by stage, and its ends are read from them."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.stage_runs import StageOutput

RUN_A, RUN_B = "Running stage 'a@1':", "Running stage 'b':"
FAILED = "ERROR: failed to reproduce 'a@1': failed to run: python -m stages.a, exited with {}"
MISSING = "ERROR: failed to reproduce 'b': missing data 'source': data/gone"


class Events:
    """Keeps what it is told to show."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    def begin(self, name: str) -> None:
        self.seen.append(("begin", name))

    def line(self, name: str, text: str) -> None:
        self.seen.append((name, text))

    def end(self, name: str, *, failed: bool) -> None:
        self.seen.append(("end", name, failed))

    def skip(self, name: str, *, restored: bool) -> None:
        self.seen.append(("skip", name, restored))


@pytest.mark.parametrize(
    ("lines", "seen", "stage"),
    [
        # The last one's end is known once DVC has ended.
        (
            [RUN_A, "> cmd", "", "text", RUN_B, "more"],
            [
                ("begin", "a@1"),
                ("a@1", "> cmd"),
                ("a@1", "text"),
                ("end", "a@1", False),
                ("begin", "b"),
                ("b", "more"),
            ],
            "b",
        ),
        (
            [RUN_A, "Stage 'b' didn't change, skipping", "'x.dvc' didn't change, skipping"],
            [
                ("begin", "a@1"),
                ("end", "a@1", False),
                ("skip", "b", False),
                ("skip", "x.dvc", False),
            ],
            "",
        ),
        (
            ["Stage 'b' is cached - skipping run, checking out outputs"],
            [("skip", "b", True)],
            "",
        ),
        (
            [RUN_A, FAILED.format(1)],
            [("begin", "a@1"), ("a@1", "exited with 1")],
            "a@1",
        ),
        (
            [RUN_A, FAILED.format(-9)],
            [
                ("begin", "a@1"),
                ("a@1", "exited with -9"),
                ("a@1", "the system killed it, most likely as memory ran out: try JOBS=1"),
            ],
            "a@1",
        ),
        # `b` failed before its command was started; `a` was done.
        (
            [RUN_A, MISSING],
            [("begin", "a@1"), ("end", "a@1", False), ("begin", "b"), ("b", MISSING)],
            "b",
        ),
        (["ERROR: no dvc.yaml"], [("dvc", "ERROR: no dvc.yaml")], ""),
    ],
)
def test_lines_are_passed_on_under_their_stage(
    lines: list[str], seen: list[tuple[Any, ...]], stage: str
) -> None:
    events = Events()
    output = StageOutput(events, "dvc")  # type: ignore[arg-type]
    output.read(f"{line}\n" for line in lines)
    assert events.seen == seen
    assert output.stage == stage
    assert not output.busy


def test_a_file_in_another_dvc_s_hands_is_noticed() -> None:
    output = StageOutput(Events(), "dvc")  # type: ignore[arg-type]
    output.read(["ERROR: '/x/data' is busy, it is being blocked by:\n", "  (PID 7): dvc repro\n"])
    assert output.busy
