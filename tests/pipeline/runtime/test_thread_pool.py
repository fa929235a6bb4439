"""Parts come back in their order, errors end the work, and no part is left running.

Run with: python -m pytest tests/pipeline/runtime/test_thread_pool.py
"""

from __future__ import annotations

import signal
import threading
import time

import pytest
import torch

from pipeline.runtime.thread_pool import ThreadPool

THREADS = [1, 2, 3]


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("parts", [[], [3], [0.02, 0.0, 0.01, 0.0]])
def test_results_stand_in_the_order_of_the_parts(threads, parts):
    def work(part):
        time.sleep(part if part < 1 else 0)
        return part, threading.get_ident()

    with ThreadPool(threads) as workers:
        results = workers.map(work, parts)
    assert [part for part, _ in results] == parts


def test_one_thread_is_the_callers():
    with ThreadPool(1) as workers:
        assert workers.map(lambda _: threading.get_ident(), [1, 2]) == [threading.get_ident()] * 2


def test_two_threads_work_side_by_side():
    meeting = threading.Barrier(2, timeout=10)
    with ThreadPool(2) as workers:
        assert len(workers.map(lambda _: meeting.wait(), [1, 2])) == 2


@pytest.mark.parametrize("threads", THREADS)
def test_the_first_exception_by_order_is_raised_and_nothing_runs_on(threads):
    """Part 2 fails before part 1 does, which is begun before it."""
    running = []

    def work(part):
        running.append(part)
        try:
            if part == 1:
                time.sleep(0.05)
            if part in (1, 2):
                raise ValueError(part)
        finally:
            running.remove(part)

    with ThreadPool(threads) as workers, pytest.raises(ValueError, match="1"):
        workers.map(work, range(4))
    assert not running


def test_after_an_exception_no_further_part_is_begun():
    begun = []

    def work(part):
        begun.append(part)
        if part == 0:
            raise ValueError("bad row")
        time.sleep(0.01)

    with ThreadPool(2) as workers, pytest.raises(ValueError, match="bad row"):
        workers.map(work, range(200))
    assert len(begun) < 20


def test_workers_go_on_after_an_exception():
    with ThreadPool(2) as workers:
        with pytest.raises(ZeroDivisionError):
            workers.map(lambda part: 1 // part, [0, 1])
        assert workers.map(lambda part: 1 // part, [1, 1]) == [1, 1]


def test_an_interrupt_ends_the_work_at_once(heeds_interrupts):
    """Of hundreds of parts only those are finished that were begun."""
    parts, main = [], threading.main_thread().ident

    def work(part):
        if part == 3:
            signal.pthread_kill(main, signal.SIGINT)
        time.sleep(0.02)
        parts.append(part)

    with pytest.raises(KeyboardInterrupt), ThreadPool(2) as workers:
        workers.map(work, range(300))
    number = len(parts)
    assert number < 20
    time.sleep(0.05)
    assert len(parts) == number


def test_gradient_mode_of_the_caller_is_not_the_workers():
    """Torch keeps it by thread; whoever scores rows has to say so inside a part."""
    with torch.no_grad(), ThreadPool(2) as workers:
        assert workers.map(lambda _: torch.is_grad_enabled(), [1, 2]) == [True, True]


def test_a_workers_operations_have_the_callers_number_of_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPool(2) as workers:
            assert workers.map(lambda _: torch.get_num_threads(), [1, 2]) == [1, 1]
    finally:
        torch.set_num_threads(before)
