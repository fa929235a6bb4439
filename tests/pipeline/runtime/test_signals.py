"""An interrupt in an import is raised after it; the first in a step is noted, the second raised.

Run with: python -m pytest tests/pipeline/runtime/test_signals.py
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import time

import pytest

from pipeline.runtime import signals

SIGNALS = [signal.SIGINT, signal.SIGTERM]
# A module that goes on where it cannot import another, whatever the reason.
CARELESS = """
import os, time

whole = False
try:
    os.kill(os.getpid(), {})
    time.sleep(0.3)
    whole = True
except BaseException:
    pass
"""


@pytest.fixture(params=[signal.default_int_handler, signals.interrupt])
def handler(request):
    """A handler that raises KeyboardInterrupt: Python's own, and that of every command."""
    return request.param


@pytest.fixture(autouse=True, params=SIGNALS)
def number(request, handler):
    """A signal that raises KeyboardInterrupt, as in every command."""
    before = signal.signal(request.param, handler)
    yield request.param
    signal.signal(request.param, before)


@pytest.fixture
def careless(number, tmp_path, monkeypatch):
    """The name of a module that gets a signal while it is imported."""
    signal.signal(number, signals.interrupt)
    (tmp_path / "careless.py").write_text(CARELESS.format(int(number)))
    monkeypatch.syspath_prepend(tmp_path)
    yield "careless"
    sys.modules.pop("careless", None)


@pytest.mark.parametrize("handler", [signals.interrupt], indirect=True)
def test_one_in_an_import_is_raised_after_it(careless):
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        assert importlib.import_module(careless).whole
        time.sleep(10)
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("handler", [signals.interrupt], indirect=True)
def test_one_in_an_import_is_noted_by_the_step_after_it(careless):
    with pytest.raises(KeyboardInterrupt):
        importlib.import_module(careless)
        with signals.defer_interrupts() as deferred:
            time.sleep(0.5)
            seen = deferred.seen
    assert seen


@pytest.mark.parametrize("handler", [signals.interrupt], indirect=True)
def test_one_in_an_import_can_be_withdrawn(careless):
    assert not signals.withdraw()
    importlib.import_module(careless)
    assert signals.withdraw()
    time.sleep(0.3)


def test_one_waits_for_the_check(number, handler, capsys):
    events = []
    with pytest.raises(KeyboardInterrupt), signals.defer_interrupts() as interrupt:
        interrupt.check()
        os.kill(os.getpid(), number)
        events.append("the step ends")
        assert interrupt.seen
        interrupt.check()
        events.append("never")
    assert events == ["the step ends"]
    assert signal.getsignal(number) is handler
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
