"""Out of memory is told with the size asked for, the batch under way and what lowers it.

Run with: python -m pytest tests/stages/test_out_of_memory.py
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.params import file, profiles
from pipeline.runtime import current_batch
from stages import _out_of_memory

ROOT = Path(__file__).resolve().parents[2]
TEACH = ["stages/teach.py", "--task", "rte", "--member=m1", "--fold", "all"]
CUDA = torch.OutOfMemoryError(
    "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 23.69 GiB of "
    "which 5.75 MiB is free."
)
CPU = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you "
    "tried to allocate 4000000000000 bytes. Error code 12 (Cannot allocate memory)"
)
# A stage that cannot have more than 3 GiB and asks for 4 TB in the middle of a batch.
STAGE = """
import resource
import torch
from pipeline.runtime import current_batch
from stages import _cli

app = _cli.application()

@app.command()
def main(task: str = "rte") -> None:
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    current_batch.start("training", task, 32, 128)
    torch.empty(10**12)

_cli.run(app)
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the sample profile's params.yaml, and nothing under way."""
    monkeypatch.chdir(tmp_path)
    write()
    yield tmp_path
    current_batch.clear()


def write(*overrides: str) -> None:
    text = profiles.text("sample", overrides, ROOT / "profiles")
    Path("params.yaml").write_text(text, encoding="utf-8")
    file.load()


@pytest.mark.parametrize(
    ("message", "size"),
    [
        (str(CUDA), "20.00 MiB"),
        (str(CPU), "3.638 TiB"),
        ("you tried to allocate 4294967296 bytes.", "4 GiB"),
        ("MPS backend out of memory. Tried to allocate 256 bytes on private pool", "256 bytes"),
        ("Unable to allocate 7.28 TiB for an array with shape (3, 3) and data type f", "7.28 TiB"),
        ("malloc of size 1536 failed", "1.5 KiB"),
        ("", ""),
    ],
)
def test_the_size_asked_for_is_read_from_the_message(message: str, size: str) -> None:
    assert _out_of_memory.asked(message) == size


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (CUDA, True),
        (CPU, True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("shapes cannot be multiplied"), False),
        (ValueError("bad"), False),
    ],
)
def test_other_errors_are_not_taken_for_it(error: Exception, expected: bool) -> None:
    assert _out_of_memory.is_one(error) is expected


@pytest.mark.parametrize(
    ("arguments", "overrides", "flags"),
    [
        (["stages/distil.py"], [], "-S student.batch_size=16 -S student.accumulation=2"),
        (["stages/baseline.py"], ["student.batch_size=7"], "-S student.batch_size=3"),
        (["stages/distil.py"], ["student.batch_size=1"], "-S student.max_length=64"),
        (TEACH, [], "-S teachers.batch_size=16 -S teachers.accumulation=2"),
        (
            TEACH,
            ["teachers.tasks.rte.batch_size=8"],
            "-S teachers.tasks.rte.batch_size=4 -S +teachers.tasks.rte.accumulation=2",
        ),
        (
            TEACH,
            ["teachers.tasks.rte.batch_size=8", "teachers.members.m1.batch_size=64"],
            "-S teachers.members.m1.batch_size=32 -S +teachers.members.m1.accumulation=2",
        ),
        (
            TEACH,
            ["teachers.members.m1.accumulation=3"],
            "-S teachers.batch_size=16 -S teachers.members.m1.accumulation=6",
        ),
        (
            ["stages/tune.py", "--task=rte"],
            ["tuning.tasks={rte: {batch_size: 12}}"],
            "-S tuning.tasks.rte.batch_size=6 -S +tuning.tasks.rte.accumulation=2",
        ),
        (
            ["stages/refine.py", "--candidate", "c1"],
            ["refinement.candidates={c1: {seed: 1}}", "selection.top=1"],
            "-S refinement.batch_size=16 -S refinement.accumulation=2",
        ),
    ],
)
def test_training_names_what_halves_the_batch_and_keeps_the_step(
    arguments: list[str], overrides: list[str], flags: str
) -> None:
    write(*overrides)
    current_batch.start("training", "rte", 32, 128)
    error = _out_of_memory.fault(CUDA, arguments)
    assert error.fix == f"dvc exp run {flags}, or if other stages run beside it: make repro JOBS=1"
    assert (
        error.where
        == f"{' '.join([Path(arguments[0]).stem, *arguments[1:]])}; training rte, "
        + ("a batch of 32 rows of 128 tokens")
    )
    assert error.what == "out of memory, 20.00 MiB more asked for"


@pytest.mark.parametrize(
    ("rows", "tokens", "flag"),
    [
        (32, 128, "-S machine.labelling_tokens=2048"),
        (3, 100, "-S machine.labelling_tokens=150"),
        (1, 128, "-S teachers.max_length=64"),
    ],
)
def test_scoring_names_the_tokens_of_a_pass(rows: int, tokens: int, flag: str) -> None:
    current_batch.start("scoring", "rte", rows, tokens)
    error = _out_of_memory.fault(CPU, TEACH)
    assert str(error.fix).startswith(f"dvc exp run {flag}, or")


def test_scoring_with_tokens_of_its_own_choice_names_half_of_what_a_pass_held() -> None:
    write("machine.labelling_tokens=auto")
    current_batch.start("scoring", "rte", 512, 128)
    told = _out_of_memory.fault(CUDA, TEACH)
    assert str(told.fix).startswith("dvc exp run -S machine.labelling_tokens=32768, or")


def test_outside_of_a_batch_no_batch_size_is_blamed() -> None:
    current_batch.start("training", "rte", 32, 128)
    current_batch.clear()
    error = _out_of_memory.fault(MemoryError(), ["stages/distil.py"])
    assert error.what == "out of memory"
    assert error.seen == "MemoryError"
    assert error.where == "distil; no batch under way"
    assert str(error.fix).startswith("a smaller student.encoder, or")


def test_flags_are_accepted_by_the_parameters(tmp_path: Path) -> None:
    write("teachers.tasks.rte.batch_size=8")
    current_batch.start("training", "rte", 8, 128)
    fix = str(_out_of_memory.fault(CUDA, TEACH).fix).partition(", or")[0]
    changes = [word.lstrip("+") for word in fix.split() if "=" in word]
    write("teachers.tasks.rte.batch_size=8", *changes)
    settings = file.load().teachers.training("rte", "m1")
    assert (settings.batch_size, settings.accumulation) == (4, 2)


@pytest.mark.medium
def test_a_stage_that_really_runs_out_says_so_and_exits_with_2(project: Path) -> None:
    script: Any = project / "distil.py"
    script.write_text(STAGE)
    process = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
    )
    assert process.returncode == 2, process.stderr
    assert "Traceback" not in process.stderr
    assert process.stderr.startswith("error: out of memory, 3.638 TiB more asked for\n")
    assert "training rte, a batch of 32 rows of 128 tokens" in process.stderr
    assert "dvc exp run -S student.batch_size=16 -S student.accumulation=2" in process.stderr
