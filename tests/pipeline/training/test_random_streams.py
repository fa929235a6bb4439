"""Streams of different purposes differ, also where numpy would read their seeds alike.

Run with: python -m pytest tests/pipeline/training/test_random_streams.py
"""

from __future__ import annotations

from itertools import product

import numpy as np

from pipeline.training.random_streams import Purpose, stream


def test_no_two_streams_of_a_run_are_alike():
    """Numpy seeds [1, 2] and [1, 2, 0] alike: zeros at the end do not count."""
    places = list(product(Purpose, range(3), range(3)))
    first = {int(stream(7, *place).integers(2**62)) for place in places}
    assert len(first) == len(places) == 54


def test_the_same_arguments_give_the_same_numbers():
    first, again = (stream(7, Purpose.TASKS, 1, 2).random(5) for _ in range(2))
    assert (first == again).all()
    assert (first != stream(8, Purpose.TASKS, 1, 2).random(5)).any()


def test_batches_are_drawn_as_they_were_before_there_were_other_purposes():
    expected = np.random.default_rng([7, 3, 1]).random(5)
    assert (stream(7, Purpose.BATCHES, 3, 1).random(5) == expected).all()
