"""A run shows a line a stage; the stages' own lines are in their logs."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from orchestration import display
from orchestration.display import Display
from pipeline.runtime import progress


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "scratch/logs"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(display.time, "monotonic", lambda: now[0])
    return now


def test_an_end_has_a_line_and_the_lines_before_it_are_logged(
    logs: Path, clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with Display(3, 9, live=False) as screen:
        screen.begin("teach@rte")
        screen.line("teach@rte", "read 20 rows")
        clock[0] = 62.4
        screen.end("teach@rte", failed=False)
        screen.skip("prepare", restored=False)
        screen.begin("select")
        screen.skip("distil", restored=True)
        screen.end("select", failed=False)
        assert (screen.done, str(screen.span())) == (2, "0:01:02")
    assert capsys.readouterr().out.splitlines() == [
        "teach@rte  done in 0:01:02  (1 of 3)",
        "distil     restored from DVC's cache  (3 of 3)",
        "select     done in 0:00:00  (4 of 3)",
    ]
    assert (logs / "teach@rte.txt").read_text() == "read 20 rows\n"


def test_a_failed_stage_s_last_lines_are_shown(
    logs: Path, clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with Display(1, live=False) as screen:
        screen.line("teach", "> python -m stages.teach")
        for number in range(20):
            screen.line("teach", f"line {number}")
        screen.end("teach", failed=True)
    assert screen.done == 0
    assert capsys.readouterr().out.splitlines() == [
        "teach  failed after 0:00:00  (1 of 1)",
        *(f"  | line {number}" for number in range(8, 20)),
        "  all its lines: scratch/logs/teach.txt",
    ]
    assert len((logs / "teach.txt").read_text().splitlines()) == 21


@pytest.mark.parametrize("live", [True, False])
def test_quiet_it_shows_failures_notes_and_what_is_wrong_with_the_data(
    logs: Path,
    clock: list[float],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    live: bool,
) -> None:
    monkeypatch.setenv(progress.QUIET, "1")
    with Display(3, live=live) as screen:
        screen.skip("select", restored=True)
        screen.line("teach", "teach: 1 of 2 rows, 1 a second, 1 s left")
        screen.line("teach", "missing: rte/test")
        screen.end("teach", failed=False)
        screen.line("distil", "no soft labels")
        screen.end("distil", failed=True)
        screen.note("1 stages done in 0:00:00")
    assert capsys.readouterr().out.splitlines() == [
        "missing: rte/test",
        "distil  failed after 0:00:00  (3 of 3)",
        "  | no soft labels",
        "  all its lines: scratch/logs/distil.txt",
        "1 stages done in 0:00:00",
    ]
    assert (logs / "teach.txt").read_text().count("\n") == 2


def test_progress_is_shown_without_its_title_and_cut_to_the_line(
    logs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lines are those that a stage prints."""
    monkeypatch.setenv(progress.SECONDS, "1e-9")
    with progress.bar("teacher m1 of rte: training", 2000, "rows") as bar:
        bar.advance(1000, "loss 0.5")
        bar.advance(1000, "x" * 80)
    lines = capsys.readouterr().err.splitlines()
    with Display(1, 5, live=False) as screen:
        for line in lines:
            screen.line("teach", line)
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("teach  1,000 of 2,000 rows, ")
    assert first.endswith(" left, loss 0.5")
    assert rest == []  # the last two are of work that is done
    with Display(1, 5, live=False) as screen:
        screen.line("teach", f"t: 1 of 2 rows, 1 a second, 1 s left, {'x' * 80}")
    cut = capsys.readouterr().out.rstrip("\n")
    assert (len(cut), cut[-1]) == (80, "…")


def test_a_log_that_cannot_be_written_stops_nothing(
    logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.parent.write_text("a file where the folder should be")
    with Display(1, live=False) as screen:
        screen.line("teach", "read 20 rows")
        screen.end("teach", failed=True)
    assert "  | read 20 rows\n" in capsys.readouterr().out


def test_stages_side_by_side_do_not_mix_their_lines(logs: Path) -> None:
    with Display(8, live=False) as screen:

        def work(name: str) -> None:
            for number in range(200):
                screen.line(name, f"{name} {number}")
            screen.end(name, failed=False)

        threads = [threading.Thread(target=work, args=(str(n),)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for n in range(8):
        lines = (logs / f"{n}.txt").read_text().splitlines()
        assert lines == [f"{n} {number}" for number in range(200)]
