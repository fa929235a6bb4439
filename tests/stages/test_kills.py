"""A stage killed at any moment and run again ends with the bytes of one that was not.

Most attempts are forked from a process that has imported everything, which is what takes long;
some are the real command line.

Run with: python -m pytest tests/stages/test_kills.py
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.stages import killed

pytestmark = pytest.mark.medium

ROOT = Path(__file__).resolve().parents[2]
TINY = {"source": "random", "seed": 0, "depth": 2, "hidden": 8, "attention_heads": 2}
TEACH = ["stages.teach", "--task", "rte", "--member", "m1", "--fold", "all"]
SIGNALS = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
KILLS = 20
TEACHER, LOGITS = "teachers/rte/m1/all", "logits/rte/m1/all/prepared"
OLD = {f"{TEACHER}/old": b"an earlier teacher", f"{LOGITS}/old": b"its logits"}


class Project:
    """A project with all that one teacher needs, and attempts to train it."""

    def __init__(self, root, context):
        self.root, self.errors, self._context = root, root / "errors", context
        self.data = root / "data"

    def start(self, arguments=TEACH, moment="", number=0):
        given = (self.root, arguments, self.errors, moment, number)
        process = self._context.Process(target=killed.run, args=given)
        process.start()
        return process

    def finish(self, arguments=TEACH):
        process = self.start(arguments)
        process.join(300)
        assert process.exitcode == 0, self.errors.read_text()

    def popen(self, **how):
        command = [sys.executable, "-m", *TEACH]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(command, cwd=self.root, env=env, stderr=subprocess.PIPE, **how)

    def made(self):
        """Bytes of every file of the teacher and of its logits, by path; nothing if none."""
        return {
            file.relative_to(self.data).as_posix(): file.read_bytes()
            for folder in (TEACHER, LOGITS)
            for file in (self.data / folder).rglob("*")
            if file.is_file()
        }

    def clear(self):
        """As DVC does before a stage: both outs go; what is kept for resuming stays."""
        for folder in (TEACHER, LOGITS):
            shutil.rmtree(self.data / folder, ignore_errors=True)

    def put(self, files):
        for path, content in files.items():
            (self.data / path).parent.mkdir(parents=True)
            (self.data / path).write_bytes(content)

    def wait_for_steps(self, steps, process):
        log = self.root / "scratch" / "logs" / "teachers-rte-m1-all.csv"
        end = time.monotonic() + 120
        while time.monotonic() < end and process.poll() is None:
            if log.exists() and log.read_bytes().count(b"\n") > steps:
                return
            time.sleep(0.02)
        raise AssertionError("training did not come that far")


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    """The project, and the bytes of a teacher that was never killed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.stages.killed"])
        project = Project(tmp_path_factory.mktemp("killed"), context)
        _write_params(project.root)
        for stage, *options in (("download", "rte"), ("prepare", "rte"), ("initialize", "m1")):
            name = "--member" if stage == "initialize" else "--task"
            project.finish([f"stages.{stage}", name, *options])
        begin = time.monotonic()
        project.finish()
        whole, seconds = project.made(), time.monotonic() - begin
        names = ("log.csv", "model.json", "heads.safetensors")
        assert set(whole) >= {*(f"{TEACHER}/{name}" for name in names), f"{LOGITS}/logits.parquet"}
        yield project, whole, seconds


def _write_params(root):
    yaml = YAML()
    params = yaml.load((ROOT / "profiles" / "sample.yaml").read_text(encoding="utf-8"))
    params["tasks"] = {"rte": params["tasks"]["rte"]}
    params["selection"]["tasks"] = ["rte"]
    params["data"]["sources"]["sample"].update({"train": 80, "dev": 20, "test": 20})
    params["teachers"].update({"epochs": 3, "batch_size": 8, "max_length": 32, "encoder": TINY})
    params["teachers"].update({"tasks": {"rte": {}}, "members": {"m1": {"seed": 1}}})
    params["machine"].update({"device": "cpu", "threads": 2, "shards": 2, "checkpoint_seconds": 0})
    with (root / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(params, file)


@pytest.fixture
def project(made_once):
    """The project without a teacher and without anything to resume from."""
    toy = made_once[0]
    toy.clear()
    shutil.rmtree(toy.root / "scratch", ignore_errors=True)
    toy.errors.write_text("")
    return toy


@pytest.fixture
def whole(made_once):
    return made_once[1]


@pytest.mark.slow
def test_at_twenty_random_moments(project, whole, made_once):
    chance, kills = random.Random(1904), 0
    while kills < KILLS:
        process = project.start()
        process.join(chance.uniform(0, made_once[2]))
        if process.exitcode is None:
            os.kill(process.pid, SIGNALS[kills % 3])
            process.join(300)
            kills += 1
        assert project.made() in ({}, whole)
        project.clear()
    project.finish()
    assert project.made() == whole
    assert project.errors.read_text().count("goes on from the checkpoint") >= 3


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS[:2])
def test_at_moments_of_writing_and_renaming(project, whole, number):
    for moment in killed.MOMENTS:
        if project.made() not in (OLD, whole):
            project.clear()
            project.put(OLD)
        before = project.made()
        process = project.start(moment=moment, number=number)
        process.join(300)
        stopped = -number if number == signal.SIGKILL else 130
        assert process.exitcode == stopped, (moment, project.errors.read_text())
        between = _between_renames(moment, before, whole) if number == signal.SIGKILL else None
        assert project.made() in ([OLD, whole] if between is None else [between]), moment
    project.finish()
    assert project.made() == whole
    assert "goes on from the checkpoint" in project.errors.read_text()
    assert not any(path.is_dir() for path in (project.root / "data" / ".staging").iterdir())
    assert not any((project.root / "scratch" / "training").iterdir())


def _between_renames(moment, before, whole):
    """What is left there: the run is not done, and the next one makes both; None elsewhere.

    Logits name the weights that they are of, so that they say nothing false of another teacher.
    """
    left = {
        "the old teacher is away": before,
        "the old logits are away": {},
        "the new logits are there": whole,
    }
    if moment not in left:
        return None
    return {path: content for path, content in left[moment].items() if path.startswith(LOGITS)}


@pytest.mark.parametrize("signals", [SIGNALS[:1], pytest.param(SIGNALS, marks=pytest.mark.slow)])
def test_the_real_command_line(project, whole, signals):
    for steps, number in zip((3, 8, 13), signals, strict=False):
        process = project.popen()
        project.wait_for_steps(steps, process)
        process.send_signal(number)
        message = process.communicate(timeout=300)[1].decode()
        assert process.returncode == (-number if number == signal.SIGKILL else 130), message
        assert "Traceback" not in message
        assert number == signal.SIGKILL or "run the same command again to go on" in message
        assert project.made() == {}
    process = project.popen()
    message = process.communicate(timeout=300)[1].decode()
    assert process.returncode == 0, message
    assert "goes on from the checkpoint" in message
    assert project.made() == whole


@pytest.mark.slow
def test_a_stage_that_outlives_its_dvc_keeps_others_out(project, whole):
    """DVC is killed, its child trains on; the next DVC starts the stage a second time."""
    command = f"import subprocess; subprocess.run({[sys.executable, '-m', *TEACH]!r})"
    parent = subprocess.Popen(
        [sys.executable, "-c", command],
        cwd=project.root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    )
    project.wait_for_steps(1, parent)
    holder = project.root / "data" / ".staging" / "teachers-rte-m1-all.pid"
    child = int(holder.read_text())
    assert child != parent.pid
    os.kill(child, signal.SIGSTOP)  # so that it does not end before the second one has begun
    parent.kill()
    second = project.start()
    second.join(300)
    assert second.exitcode == 2
    message = project.errors.read_text()
    assert "another process trains this model already" in message
    assert f"process {child}" in message
    assert "Traceback" not in message
    os.kill(child, signal.SIGCONT)
    parent.communicate(timeout=300)  # ends when the child, which has the pipe too, ends
    assert project.made() == whole
