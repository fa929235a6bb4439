"""The race on a GPU, tried on a CPU: turns, time, faults, and what is on disk.

Run with: python -m pytest tests/benchmarks/test_gpu.py
"""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
import torch

from benchmarks import gpu, rounds
from benchmarks.rounds import Reading
from pipeline.errors import PipelineError

ONE = Reading(2.0, 4.0, 100, "rows", "weights", "mkl", {"gpu_bytes": 3 * 2**30})


def test_contestants_of_a_model_train_the_same_rows_and_label_more() -> None:
    found = dict(gpu.jobs(["base", "large"], "cuda", 640))
    assert len(found) == 2 * (len(gpu.TRAINERS) + len(gpu.TOKENS))
    assert {job.precision for job in found.values()} == {"bfloat16"}
    trained = {job.rows for label, job in found.items() if "training" in label}
    labelled = {job.rows for label, job in found.items() if "labelling" in label}
    assert (trained, labelled) == ({640}, {8 * 640})
    assert found["base, training, ours"].warmup == 20
    assert found["large, labelling, 16,384 tokens a pass"].labelling_tokens == 16384


def test_a_row_has_medians_and_the_highest_peak() -> None:
    """100 rows in 4 and 2 seconds: 25 and 50 a second; the CPU works 1/2 and 1 of the time."""
    runs = [ONE, replace(ONE, wall_seconds=2.0, details={"gpu_bytes": 5 * 2**30})]
    assert "| ours | 2 | 37.5 | 0.75 | 5.0 |" in gpu.table({"ours": runs}).splitlines()
    without = gpu.table({"ours": [replace(ONE, details={})]})
    assert "| ours | 1 | 25.0 | 0.50 | - |" in without.splitlines()


def test_turns_end_with_the_time_and_faults_end_a_contestant(job, monkeypatch) -> None:
    """In the third round the first run would end after the time, as each takes a second."""
    clock, seen = [0.0], []

    def run(job, seconds):
        clock[0] += 1.0
        if job.contestant == "b":
            raise PipelineError("b failed")
        return ONE

    monkeypatch.setattr(rounds, "run", run)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    jobs = {name: replace(job, contestant=name) for name in ("a", "b", "c")}
    rounds.race_for(jobs, 9, 5.5, lambda label, reading, fault: seen.append((label, fault[:8])))
    assert seen == [("a", ""), ("b", "b failed"), ("c", ""), ("a", ""), ("c", "")]


def test_a_contestant_that_is_not_done_in_time_is_a_fault(job) -> None:
    with pytest.raises(PipelineError, match="not done in time"):
        rounds.run(job, 0.01)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_without_a_gpu_it_says_so(tmp_path) -> None:
    with pytest.raises(PipelineError, match="no GPU"):
        gpu.measure(tmp_path, 1, 1)


@pytest.mark.slow
def test_every_contestant_runs_on_a_cpu_and_is_on_disk(tmp_path, monkeypatch) -> None:
    """Those of Trainer fail where accelerate is not installed, and are named as failed."""
    monkeypatch.setattr(gpu, "TOKENS", (512, 1024))
    quick = {label: name for label, name in gpu.TRAINERS.items() if "compiled" not in label}
    monkeypatch.setattr(gpu, "TRAINERS", quick)
    found = gpu.measure(tmp_path, 10, 1, ["speck"], "cpu", rows=64)
    assert json.loads((tmp_path / "gpu.json").read_text()) == found
    assert set(found["readings"]) | set(found["failures"]) == set(
        dict(gpu.jobs(["speck"], "cpu", 64))
    )
    assert {label for label in found["failures"] if "Trainer" not in label} == set()
    assert "speck, training, ours" in (tmp_path / "gpu.md").read_text()
