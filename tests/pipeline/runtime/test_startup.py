"""What a stage's process sets for itself; what the user has set stays.

Run with: python -m pytest tests/pipeline/runtime/test_startup.py
"""

from __future__ import annotations

import gc
import os
import signal
import threading

import pytest

from pipeline.runtime import signals, startup


@pytest.fixture(autouse=True)
def process_restored():
    threshold, handler = gc.get_threshold(), signal.getsignal(signal.SIGINT)
    yield
    gc.set_threshold(*threshold)
    signal.signal(signal.SIGINT, handler)


@pytest.mark.parametrize(("before", "after"), [(None, "passive"), ("active", "active")])
def test_idle_threads_sleep_unless_the_user_wants_them_awake(monkeypatch, before, after) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", before or "")
    if before is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    startup.prepare()
    assert os.environ["OMP_WAIT_POLICY"] == after


@pytest.mark.parametrize("name", ["LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"])
@pytest.mark.parametrize(("before", "after"), [(None, "32"), ("5", "5")])
def test_onednn_keeps_few_kernels_unless_the_user_wants_more(
    monkeypatch, name, before, after
) -> None:
    monkeypatch.setenv(name, before or "")
    if before is None:
        monkeypatch.delenv(name)
    startup.prepare()
    assert os.environ[name] == after


def test_the_collector_runs_seldom() -> None:
    gc.set_threshold(700, 10, 10)
    startup.prepare()
    assert gc.get_threshold() == (50_000, 20, 20)


@pytest.mark.parametrize(
    ("before", "after"),
    [(signal.default_int_handler, signals.interrupt), (signal.SIG_IGN, signal.SIG_IGN)],
)
def test_ctrl_c_waits_for_imports_unless_it_is_ignored(before, after) -> None:
    signal.signal(signal.SIGINT, before)
    startup.prepare()
    assert signal.getsignal(signal.SIGINT) is after


def test_another_thread_sets_no_handler() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=startup.prepare)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
