"""Without a terminal, progress is plain lines with count, rate and time left.

Run with: python -m pytest tests/pipeline/runtime/test_progress.py
"""

from __future__ import annotations

import pytest

from pipeline.runtime import progress


class Clock:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(progress.time, "monotonic", made.monotonic)
    return made


def test_a_line_each_half_minute_and_one_at_the_end(clock, capsys):
    with progress.bar("teach", 4000, "rows") as bar:
        for seconds in (10, 20, 30, 40):
            clock.now = seconds
            bar.advance(1000, f"loss {seconds}")
    assert capsys.readouterr().err.splitlines() == [
        "teach: 3,000 of 4,000 rows, 100 a second, 10 s left, loss 30",
        "teach: 4,000 of 4,000 rows, 100 a second, 40.0 s, loss 40",
    ]


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
