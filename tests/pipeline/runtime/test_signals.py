"""The first interrupt is noted, the second ends the work at once.

Run with: python -m pytest tests/pipeline/runtime/test_signals.py
"""

from __future__ import annotations

import os
import signal
import threading

import pytest

from pipeline.runtime import signals


@pytest.fixture(autouse=True, params=[signal.SIGINT, signal.SIGTERM])
def number(request):
    """A signal that raises KeyboardInterrupt, as in every command."""
    before = signal.signal(request.param, signal.default_int_handler)
    yield request.param
    signal.signal(request.param, before)


def test_one_waits_for_the_check(number, capsys):
    events = []
    with pytest.raises(KeyboardInterrupt), signals.defer_interrupts() as interrupt:
        interrupt.check()
        os.kill(os.getpid(), number)
        events.append("the step ends")
        assert interrupt.seen
        interrupt.check()
        events.append("never")
    assert events == ["the step ends"]
    assert signal.getsignal(number) is signal.default_int_handler
    assert "again to end at once" in capsys.readouterr().err


def test_a_second_one_does_not_wait(number):
    with pytest.raises(KeyboardInterrupt), signals.defer_interrupts():
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        raise AssertionError("not reached")


def test_one_that_nobody_has_checked_for_is_raised_at_the_end(number):
    events = []
    with pytest.raises(KeyboardInterrupt), signals.defer_interrupts():
        os.kill(os.getpid(), number)
        events.append("all")
    assert events == ["all"]


def test_handlers_of_others_are_left_alone(number):
    signal.signal(number, signal.SIG_IGN)
    with signals.defer_interrupts() as interrupt:
        os.kill(os.getpid(), number)
    assert not interrupt.seen


def test_in_another_thread_it_does_nothing(number):
    states = []

    def work():
        with signals.defer_interrupts() as interrupt:
            states.append(interrupt.seen)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert states == [False]
