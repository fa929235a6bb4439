"""Without a terminal, progress is plain lines with count, rate and time left.

Run with: python -m pytest tests/pipeline/runtime/test_progress.py
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipeline.runtime import progress


class Clock:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    fake_clock = Clock()
    monkeypatch.delenv(progress.SECONDS, raising=False)
    monkeypatch.setattr(progress.time, "monotonic", fake_clock.monotonic)
    return fake_clock


def test_a_line_each_half_minute_and_one_at_the_end(clock, capsys):
    with progress.bar("teach", 4000, "rows") as bar:
        for seconds in (10, 20, 30, 40):
            clock.now = seconds
            bar.advance(1000, f"loss {seconds}")
    assert capsys.readouterr().err.splitlines() == [
        "teach: 3,000 of 4,000 rows, 100 a second, 10 s left, loss 30",
        "teach: 4,000 of 4,000 rows, 100 a second, 40.0 s, loss 40",
    ]


def test_lines_come_as_often_as_the_environment_asks_for(clock, capsys, monkeypatch):
    monkeypatch.setenv(progress.SECONDS, "15")
    with progress.bar("teach", 4000, "rows") as bar:
        for seconds in (10, 20, 30, 40):
            clock.now = seconds
            bar.advance(1000)
    counts = [line.split()[1] for line in capsys.readouterr().err.splitlines()]
    assert counts == ["2,000", "4,000", "4,000"]


def test_nothing_to_do_is_no_division_by_zero(clock, capsys):
    with progress.bar("teach", 0, "rows"):
        pass
    assert "0 of 0 rows" in capsys.readouterr().err


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress.bar("teach", 10, "rows") as bar:
        bar.advance(10, "loss 1.0")
    assert "teach" in capsys.readouterr().err


def test_the_rate_leaves_out_what_was_done_earlier(clock, capsys):
    with progress.bar("teach", 4000, "rows", done=3000) as bar:
        clock.now = 30
        bar.advance(300)
    assert capsys.readouterr().err.splitlines()[0] == (
        "teach: 3,300 of 4,000 rows, 10 a second, 70 s left"
    )


@pytest.mark.parametrize("terminal", [False, True])
def test_quiet_shows_nothing(monkeypatch, capsys, terminal):
    monkeypatch.setenv(progress.QUIET, "1")
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    with progress.bar("teach", 10, "rows") as bar:
        bar.advance(10, "loss 1.0")
    progress.message("machine: cpu")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("value", ["", "0", None])
def test_it_is_quiet_only_where_asked(monkeypatch, capsys, value):
    monkeypatch.delenv(progress.QUIET, raising=False)
    if value is not None:
        monkeypatch.setenv(progress.QUIET, value)
    progress.message("machine: cpu")
    assert capsys.readouterr().err == "machine: cpu\n"


def test_silence_holds_for_processes_started_here(monkeypatch):
    monkeypatch.setenv(progress.QUIET, "0")
    progress.silence()
    code = "from pipeline.runtime import progress; print(progress.quiet())"
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert process.stdout == "True\n"
