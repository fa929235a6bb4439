"""Fixtures of the sample source's tests."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from pipeline.data.sample.files import generate
from pipeline.data.sample.nouns import KINDS
from pipeline.data.sample.sentences import Event
from pipeline.data.sample.verbs import VERBS
from pipeline.params.sources.sample import Sample

Cells = list[list[str]]


@pytest.fixture(scope="session")
def settings() -> Sample:
    return Sample(seed=3, train=120, dev=60, test=40, label_noise=0.05)


@pytest.fixture(scope="session")
def files(settings: Sample) -> Callable[[str], dict[str, bytes]]:
    return functools.cache(lambda task: generate(task, settings))


@pytest.fixture(scope="session")
def cells() -> Callable[[bytes], Cells]:
    """Split a file as the layout says: by newline and tab, nothing else."""

    def split(contents: bytes) -> Cells:
        text = contents.decode().removesuffix("\n").removeprefix("\ufeff")
        return [line.split("\t") for line in text.split("\n")]

    return split


@pytest.fixture
def event() -> Event:
    """The violinist bought a car at the market on Monday."""
    return Event(
        agent=KINDS["musician"][0],
        verb=VERBS["buy"],
        patient=KINDS["vehicle"][0],
        place="at the market",
        time="on Monday",
    )
