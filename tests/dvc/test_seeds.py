"""Seeds run by DVC in a small project: made once, resumed, run again when parameters change.

Run with: python -m pytest tests/dvc/test_seeds.py
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

TRAINED = {"distil", "baseline@epochs", "baseline@steps", "evaluate"}


def seeds(project: Any, *arguments: str, code: int = 0) -> str:
    output: str = project.python("-m", "stages.seeds", *arguments, code=code)
    return output


def params(root: Path) -> str:
    return (root / "params.yaml").read_text("utf-8")


def done(output: str) -> set[str]:
    return set(re.findall(r"^(\S+) +done in ", output, re.MULTILINE))


def rows(output: str) -> dict[tuple[str, str], list[str]]:
    """The cells of the printed table, by task and setting."""
    lines = [line.strip("| ").split(" | ") for line in output.splitlines() if line.startswith("|")]
    return {(task, setting): cells for task, setting, *cells in lines[2:]}


def test_two_seeds_are_run_once_and_again_when_parameters_change(as_committed: Any) -> None:
    root = as_committed.root
    before = as_committed.digests()
    own = params(root), as_committed.lock()

    first = seeds(as_committed, "1", "2", "--jobs", "2")
    assert done(first) == TRAINED  # teachers and soft labels are those of the workspace
    table = rows(first)
    tasks = ["RTE", "STS-B", "WNLI", "Tasks with teachers", "GLUE score"]
    assert [task for task, _ in table] == tasks
    assert {cells[0] for cells in table.values()} == {"2"}

    # Everything lies as it did.
    assert as_committed.git("status", "--short") == ""
    assert (params(root), as_committed.lock()) == own
    assert as_committed.digests() == before
    assert "up to date" in as_committed.dvc("status")

    # The table is of the experiments' own summaries.
    gaps = [summary(as_committed, f"base-{seed}")["glue"]["difference"] for seed in (1, 2)]
    figures = json.loads((root / "data/seeds/figures.json").read_text("utf-8"))
    glue = figures["base"]["difference_glue"]
    assert glue["mean"] == pytest.approx(sum(gaps) / 2, abs=0.011)
    assert glue["deviation"] == pytest.approx(abs(gaps[0] - gaps[1]) / 2**0.5, abs=0.011)

    # Resumed: nothing is run again, a third seed alone is.
    again = seeds(as_committed, "1", "2")
    assert done(again) == set()
    assert "base-1: finished before, not run again" in again
    assert rows(again) == table
    assert rows(seeds(as_committed, "1", "2", "--show")) == table

    # Other parameters, as a setting and in params.yaml.
    warm = ("--setting", "warm=distillation.temperature=2.0")
    shown = seeds(as_committed, "1", *warm)
    assert done(shown) == {"distil", "evaluate"} | (done(shown) & TRAINED)
    assert ("GLUE score", "warm") in rows(shown)
    as_committed.change(lambda sections: sections["student"].update(batch_size=8))
    refused = seeds(as_committed, "1", "--show", code=2)
    assert "no run with these parameters is finished" in refused
    changed = seeds(as_committed, "1")
    assert done(changed) >= TRAINED
    assert rows(changed) != rows(shown)


def summary(project: Any, experiment: str) -> Any:
    (ref,) = project.git(
        "for-each-ref", "--format=%(objectname)", f"refs/exps/*/*/{experiment}"
    ).split()
    return json.loads(project.git("show", f"{ref}:reports/summary.json"))


def test_seeds_of_all_train_teachers_of_their_own(as_committed: Any) -> None:
    output = seeds(as_committed, "4", "--of", "all", "--jobs", "2")
    teachers = {f"teach@{task}-{member}-all" for task in ("rte", "stsb") for member in ("m1", "m2")}
    assert teachers | TRAINED <= done(output)
    assert as_committed.git("status", "--short") == ""
    assert "finished before" in seeds(as_committed, "4", "--of", "all")


def test_an_interrupted_run_puts_everything_back(as_committed: Any) -> None:
    root = as_committed.root
    before = params(root), as_committed.lock()
    command = [sys.executable, "-m", "stages.seeds", "9"]
    process = subprocess.Popen(
        command,
        cwd=root,
        env=as_committed.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    driver = root / ".dvc/tmp/make-repro.pid"  # we hold this lock too, before anything is written
    while process.poll() is None and not (driver.exists() and "seed: 9" in params(root)):
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 130, printed
    assert "run the same command again to go on" in printed
    assert (params(root), as_committed.lock()) == before
    assert as_committed.git("status", "--short") == ""
    assert "up to date" in as_committed.dvc("status")
    assert not driver.exists()
    assert "no run with these parameters is finished" in seeds(as_committed, "9", "--show", code=2)
