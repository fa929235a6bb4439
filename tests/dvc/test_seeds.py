"""Seeds run by DVC in a small project: made once, resumed, run again when parameters change.

Run with: python -m pytest tests/dvc/test_seeds.py
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

pytestmark = pytest.mark.slow

TRAINED = {"distil", "baseline@epochs", "baseline@steps", "evaluate"}


def seeds(project: Any, *arguments: str, code: int = 0) -> str:
    output: str = project.python("-m", "stages.seeds", *arguments, code=code)
    return output


def done(output: str) -> set[str]:
    return set(re.findall(r"^(\S+) +done in ", output, re.MULTILINE))


def rows(output: str) -> dict[tuple[str, str], list[str]]:
    """The cells of the printed table, by task and setting."""
    lines = [line.strip("| ").split(" | ") for line in output.splitlines() if line.startswith("|")]
    return {(task, setting): cells for task, setting, *cells in lines[2:]}


def test_two_seeds_are_run_once_and_again_when_parameters_change(as_committed: Any) -> None:
    root = as_committed.root
    before = as_committed.digests()
    params, lock = (root / "params.yaml").read_text("utf-8"), as_committed.lock()

    first = seeds(as_committed, "1", "2", "--jobs", "2")
    assert done(first) == TRAINED  # teachers and soft labels are those of the workspace
    table = rows(first)
    tasks = ["RTE", "STS-B", "WNLI", "Tasks with teachers", "GLUE score"]
    assert [task for task, _ in table] == tasks
    assert {cells[0] for cells in table.values()} == {"2"}

    # Everything lies as it did.
    assert as_committed.git("status", "--short") == ""
    assert (root / "params.yaml").read_text("utf-8") == params
    assert as_committed.lock() == lock
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
