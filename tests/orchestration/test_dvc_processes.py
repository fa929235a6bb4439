"""No stage outlives the driver: interrupted, hung up or killed, or with its DVC killed."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = pytest.mark.medium

# A stage that says who it is and how it was interrupted. Its sleeps are short: a shell may hear of
# a signal only after one, and an orphaned one keeps the driver's output open.
SLEEPER = "trap 'echo told > told-$1; exit 1' INT; echo $$ > pid-$1; while :; do sleep 0.1; done\n"
DEAF = "trap '' INT; echo $$ > pid-$1; exec sleep 60\n"
# What a shell does to the jobs it starts in the background.
DEAF_TO_CTRL_C = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
# What nohup does, without its file of output.
DEAF_TO_HANG_UPS = ("sh", "-c", 'trap "" HUP; exec "$@"', "sh")


def runs(pid: int) -> bool:
    """Whether a process runs; a zombie that nobody collects does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def ended(pids: list[int]) -> bool:
    """Whether all processes end within a while."""
    end = time.monotonic() + 30
    while any(map(runs, pids)) and time.monotonic() < end:
        time.sleep(0.1)
    return not any(map(runs, pids))


@pytest.mark.parametrize(
    ("which", "jobs", "before"),
    [
        pytest.param(signal.SIGINT, 1, (), marks=pytest.mark.slow),
        (signal.SIGINT, 2, DEAF_TO_CTRL_C),
        pytest.param(signal.SIGTERM, 2, (), marks=pytest.mark.slow),
        (signal.SIGHUP, 1, ()),
    ],
)
def test_an_interruption_ends_every_stage_and_starts_no_other(
    toy: Any, which: signal.Signals, jobs: int, before: tuple[str, ...]
) -> None:
    (toy.folder / "hook.sh").write_text(SLEEPER)
    process = toy.start("--jobs", str(jobs), before=before)
    pids = toy.wait_for("pid-*", jobs)
    process.send_signal(which)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "interrupted" in output
    assert len(toy.runs()) == jobs
    assert len(list(toy.folder.glob("told-*"))) == jobs
    assert not any(map(runs, pids))
    (toy.folder / "hook.sh").write_text("")
    toy.repro("--jobs", "2")
    assert (toy.folder / "data/soft_labels/rte").read_text() == "m1\nm2\n"


@pytest.mark.parametrize(
    "which", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_under_nohup_a_hang_up_ends_nothing_and_an_interruption_every_stage(
    toy: Any, which: signal.Signals
) -> None:
    (toy.folder / "hook.sh").write_text(SLEEPER)
    process = toy.start("--jobs", "2", before=DEAF_TO_HANG_UPS)
    pids = toy.wait_for("pid-*", 2)
    process.send_signal(signal.SIGHUP)
    time.sleep(1)
    assert process.poll() is None
    assert all(map(runs, pids))
    assert not list(toy.folder.glob("told-*"))
    process.send_signal(which)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert len(list(toy.folder.glob("told-*"))) == 2
    assert not any(map(runs, pids))


def test_a_second_ctrl_c_kills_a_stage_that_does_not_hear_the_first(toy: Any) -> None:
    (toy.folder / "hook.sh").write_text(DEAF)
    process = toy.start("--jobs", "2")
    pids = toy.wait_for("pid-*", 2)
    process.send_signal(signal.SIGINT)
    time.sleep(1)
    assert process.poll() is None
    assert all(map(runs, pids))
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert ended(pids)


@pytest.mark.parametrize("jobs", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_killed_driver_leaves_no_stage_behind(toy: Any, jobs: int) -> None:
    (toy.folder / "hook.sh").write_text(SLEEPER)
    process = toy.start("--jobs", str(jobs))
    pids = toy.wait_for("pid-*", jobs)
    process.kill()
    process.wait()
    assert ended(pids)
    assert len(list(toy.folder.glob("told-*"))) == jobs


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_dvc_leaves_no_stage_behind_and_is_reported(toy: Any, jobs: int) -> None:
    (toy.folder / "hook.sh").write_text(SLEEPER)
    process = toy.start("--jobs", str(jobs))
    stages = toy.wait_for("pid-*", jobs)
    (toy.folder / "hook.sh").write_text("")
    os.kill(dvc_of(stages[0]), signal.SIGKILL)
    assert ended(stages[:1])
    before = ""
    if jobs == 2:  # the other stage is still running
        while "failed after" not in before:
            before += process.stdout.readline() or pytest.fail(f"no failure: {before}")
        process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=120)
    assert not any(map(runs, stages))
    assert process.returncode == (130 if jobs == 2 else 1), output
    assert "failed after" in before + output


def dvc_of(stage: int) -> int:
    """The DVC above a stage's shells."""
    above = psutil.Process(stage).parents()
    return next(one.pid for one in above if "orchestration.supervised_dvc" in one.cmdline())


def test_the_system_s_killer_is_named(toy: Any) -> None:
    (toy.folder / "hook.sh").write_text("test $1 = rte-m1 && kill -9 $PPID; true\n")
    output = toy.repro("--jobs", "2", code=1)
    assert re.search(r"teach@rte-m1 +failed after ", output)
    assert "  | the system killed it, most likely as memory ran out" in output
    assert "failed: teach@rte-m1\n" in output


def test_stages_get_nothing_to_read(toy: Any, tmp_path: Path) -> None:
    (toy.folder / "hook.sh").write_text('read line; echo "$?" >> read\n')
    toy.repro("--jobs", "2", "--until", "teach")
    assert (toy.folder / "read").read_text() == "1\n" * 4
