"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

# Read by torch once, when it is imported: the tests run side by side and their models are tiny.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell's background jobs ignore Ctrl-C, and so would the processes that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest
from hypothesis import settings

from pipeline.params.file import check, read_yaml
from pipeline.params.sections import Params

ROOT = Path(__file__).resolve().parent.parent
# Absolute from the start: tests change the folder they work in.
GLUE = Path(os.environ["MTDNNKD_GLUE"]).resolve() if os.environ.get("MTDNNKD_GLUE") else None

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(scope="session")
def real_glue() -> Path:
    """Folder of real GLUE files in the official layout, as MTDNNKD_GLUE names it.

    Tests that need it are skipped without the variable, and fail where it names no folder.
    """
    if GLUE is None:
        pytest.skip("no real GLUE files; name them with MTDNNKD_GLUE=folder")
    if not GLUE.is_dir():
        pytest.fail(f"MTDNNKD_GLUE names no folder: {GLUE}")
    return GLUE


# Tests run side by side, and a slow moment of the machine is no fault. The usual lanes draw the
# same few examples in every run; `make test-all` takes --hypothesis-profile=all.
settings.register_profile("few", deadline=None, max_examples=25, derandomize=True)
settings.register_profile("all", deadline=None, max_examples=200)
settings.load_profile("few")


@pytest.fixture
def heeds_interrupts() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt in this process, whatever started it or ran in it before."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


TINY = {"source": "random", "seed": 0, "depth": 2, "hidden": 8, "attention_heads": 2}


@pytest.fixture
def tiny_params() -> Params:
    """The sample profile cut down: tiny random encoders, one epoch, two tasks, one member."""
    values = read_yaml(ROOT / "profiles" / "sample.yaml")
    values["tasks"] = {name: values["tasks"][name] for name in ("rte", "stsb")}
    short = {"epochs": 1, "batch_size": 8, "max_length": 32, "encoder": TINY}
    tasks, members = {"rte": {}, "stsb": {}}, {"m1": {"seed": 1}}
    values["teachers"] |= {**short, "tasks": tasks, "members": members}
    values["student"] |= short
    values["machine"] |= {"device": "cpu", "threads": 1}
    return check(values)
