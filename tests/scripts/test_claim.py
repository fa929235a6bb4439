"""A second run at the same time is told, and the first goes on unharmed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import PipelineError
from scripts import claim

# A stage that goes on once a file is there.
WAITING = "echo $$ > pid-$1; while test ! -e go; do sleep 0.2; done\n"
TOLD = "error: another run of this project is under way\n"


def test_a_claim_is_held_by_one_and_given_back(tmp_path: Path) -> None:
    with claim.held(tmp_path), pytest.raises(PipelineError, match="under way") as caught:
        claim.held(tmp_path).__enter__()
    assert caught.value.seen == f"make repro, process {os.getpid()}"
    with claim.held(tmp_path):
        pass


def test_only_a_dvc_that_runs_and_is_not_ours_counts(tmp_path: Path) -> None:
    assert claim.strangers(tmp_path, ()) == []
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    other, dvc = subprocess.Popen(command), subprocess.Popen([*command, "dvc", "repro"])
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    notes = {name: {"pid": it.pid, "cmd": name} for name, it in
             (("other", other), ("dvc repro", dvc), ("gone", gone))}  # fmt: skip
    noted = {"write": {"/a": notes["gone"]}, "read": {"/b": [notes["other"], notes["dvc repro"]]}}
    (tmp_path / "rwlock").write_text(json.dumps(noted))
    try:
        time.sleep(0.5)
        assert claim.strangers(tmp_path, ()) == [f"dvc repro, process {dvc.pid}"]
        assert claim.strangers(tmp_path, {dvc.pid}) == []
        with pytest.raises(PipelineError, match="under way") as caught:
            claim.held(tmp_path).__enter__()
        assert caught.value.seen == f"dvc repro, process {dvc.pid}"
        (tmp_path / "rwlock").write_text("{")
        assert claim.strangers(tmp_path, ()) == []
    finally:
        for process in (other, dvc):
            process.kill()
            process.wait()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_second_run_is_told_and_the_first_goes_on(toy: Any, jobs: str) -> None:
    (toy.folder / "hook.sh").write_text(WAITING)
    first = toy.start("--jobs", jobs)
    toy.wait_for("pid-*", int(jobs))
    assert toy.repro("--jobs", "2", code=2).startswith(TOLD)
    second = dvc(toy, "repro")
    assert second.returncode != 0
    assert "is busy" in second.stderr
    (toy.folder / "go").touch()
    output, _ = first.communicate(timeout=240)
    assert first.returncode == 0, output
    assert len(toy.runs()) == 4
    assert "no stage to run" in toy.repro()


def test_a_run_beside_somebody_s_dvc_is_told_or_waits(toy: Any) -> None:
    toy.repro("--until", "prepare")
    (toy.folder / "hook.sh").write_text(WAITING)
    command = [sys.executable, "-m", "dvc", "repro", "teach@rte-m1"]
    process = subprocess.Popen(command, cwd=toy.folder, stdout=subprocess.DEVNULL)
    toy.wait_for("pid-*", 1)
    told = toy.repro("--jobs", "2", code=2)
    assert told.startswith(TOLD)
    assert f" repro teach@rte-m1, process {process.pid}\n" in told
    (toy.folder / "go").touch()
    assert process.wait(120) == 0
    toy.repro("--jobs", "2")
    assert len(toy.runs()) == 4


def dvc(toy: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, cwd=toy.folder, capture_output=True, text=True, check=False)
