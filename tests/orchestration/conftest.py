"""A toy pipeline of shell commands under DVC, for the scripts that drive it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent.parent

# A teacher fails while a file fail-<task>-<member> exists, and leaves a note of each run.
_PIPELINE = """\
stages:
  prepare:
    matrix: {task: "${tasks}"}
    cmd: >-
      mkdir -p data/prepared && test ! -e fail-${item.task} &&
      echo 1 > data/prepared/${item.task}
    params: ["tasks.${item.task}"]
    outs: ["data/prepared/${item.task}"]
  teach:
    matrix: {task: "${teachers.tasks}", member: "${teachers.members}"}
    cmd: >-
      echo ${item.task}-${item.member} $MTDNNKD_JOBS >> runs &&
      sh hook.sh ${item.task}-${item.member} &&
      mkdir -p data/teachers/${item.task} &&
      echo 1 > data/teachers/${item.task}/${item.member}
    deps: ["data/prepared/${item.task}"]
    params: ["teachers.members.${item.member}"]
    outs: ["data/teachers/${item.task}/${item.member}"]
  ensemble:
    matrix: {task: "${tasks}"}
    cmd: mkdir -p data/soft_labels && ls data/teachers/${item.task} > data/soft_labels/${item.task}
    deps: ["data/teachers/${item.task}"]
    params: [teachers.members]
    outs: ["data/soft_labels/${item.task}"]
  baseline:
    cmd: ls data/prepared > data/baseline
    deps: [data/prepared]
    outs: [data/baseline]
"""


def _hear_hang_ups() -> None:
    """Under nohup, which may have started the tests, the driver would rightly outlive one."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Toy:
    """The toy pipeline in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / ".dvc").mkdir(parents=True)
        (folder / ".dvc/config").write_text("[core]\n    analytics = false\n    no_scm = true\n")
        self.params("m1", "m2")
        (folder / "dvc.yaml").write_text(_PIPELINE)
        (folder / "hook.sh").write_text("test ! -e fail-$1\n")

    def start(
        self, *arguments: str, before: Sequence[str] = (), **env: str
    ) -> subprocess.Popen[str]:
        """Start the driver, or a command that is given it to run."""
        return subprocess.Popen(
            [*before, sys.executable, "-m", "orchestration.repro", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=_hear_hang_ups,
        )

    def repro(self, *arguments: str, code: int = 0, before: Sequence[str] = (), **env: str) -> str:
        process = self.start(*arguments, before=before, **env)
        output, _ = process.communicate(timeout=240)
        assert process.returncode == code, output
        return output

    def params(self, *members: str) -> None:
        """The committed params.yaml with two tasks, both with teachers, and these members."""
        values = YAML(typ="safe").load((ROOT / "params.yaml").read_text("utf-8"))
        values["tasks"] = {task: values["tasks"][task] for task in ("qqp", "rte")}
        values["teachers"]["tasks"] = {"qqp": {}, "rte": {}}
        values["teachers"]["members"] = {name: {"seed": int(name[1:])} for name in members}
        YAML(typ="safe").dump(values, self.folder / "params.yaml")

    def runs(self) -> list[str]:
        """Lines that the teachers left since the last call, sorted."""
        file = self.folder / "runs"
        lines = sorted(file.read_text().splitlines()) if file.exists() else []
        file.unlink(missing_ok=True)
        return lines

    def wait_for(self, pattern: str, count: int) -> list[int]:
        """Process ids in the files that match, once there are enough of them."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            texts = [file.read_text().strip() for file in self.folder.glob(pattern)]
            if len([text for text in texts if text]) >= count:
                return [int(text) for text in texts if text]
            time.sleep(0.1)
        raise AssertionError(f"fewer than {count} of {pattern}")


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(tmp_path / "a toy")
