"""`make repro`'s driver: what it runs and shows, what a failure stops, what a removal leaves."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestration import repro
from tests.orchestration.conftest import ROOT

pytestmark = pytest.mark.medium

TEACHERS = ["qqp-m1", "qqp-m2", "rte-m1", "rte-m2"]


@pytest.mark.parametrize("jobs", ["1", "9"])
def test_all_run_once_and_know_how_many_run_beside_them(toy: Any, jobs: str) -> None:
    toy.repro("--jobs", jobs)
    assert toy.runs() == [f"{name} {jobs}" for name in TEACHERS]
    assert (toy.folder / "data/soft_labels/qqp").read_text() == "m1\nm2\n"
    assert (toy.folder / "data/baseline").read_text() == "qqp\nrte\n"
    assert "no stage to run" in toy.repro("--jobs", jobs)
    assert toy.runs() == []


@pytest.mark.parametrize("jobs", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_it_stops_at_a_named_stage(toy: Any, jobs: str) -> None:
    toy.repro("--jobs", jobs, "--until", "teach")
    assert [line.split()[0] for line in toy.runs()] == TEACHERS
    assert not (toy.folder / "data/soft_labels").exists()
    assert not (toy.folder / "data/baseline").exists()
    assert "no stage to run" in toy.repro("--until", "teach")
    message = toy.repro("--until", "teech", code=2)
    assert message.startswith("error: no such stage\n  seen: teech\n")
    message = toy.repro("--until", "refine", code=2)
    assert message.startswith("error: no instance of refine: refinement.candidates is empty\n")


@pytest.mark.parametrize("jobs", ["two", "0", "-1", "1.5", "²", ""])
def test_a_wrong_number_of_jobs_is_told(
    jobs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(repro.app, [f"--jobs={jobs}"])
    assert result.exit_code == 2
    assert "Invalid value for '--jobs'" in result.output


@pytest.mark.parametrize("jobs", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_a_failure_stops_only_what_needs_it(toy: Any, jobs: str) -> None:
    fault = toy.folder / "fail-qqp-m2"
    fault.touch()
    output = toy.repro("--jobs", jobs, code=1)
    assert "failed: teach@qqp-m2\n" in output
    assert "not run, as they need a failed one: ensemble@qqp\n" in output
    assert (toy.folder / "data/soft_labels/rte").exists()
    assert (toy.folder / "data/baseline").exists()
    assert not (toy.folder / "data/soft_labels/qqp").exists()
    assert len(toy.runs()) == 4
    fault.unlink()
    toy.repro("--jobs", jobs)
    assert [line.split()[0] for line in toy.runs()] == ["qqp-m2"]
    assert (toy.folder / "data/soft_labels/qqp").read_text() == "m1\nm2\n"


def test_a_failed_light_stage_keeps_its_teachers_from_running(toy: Any) -> None:
    (toy.folder / "fail-qqp").touch()
    output = toy.repro("--jobs", "2", code=1)
    assert "failed: prepare@qqp\n" in output
    assert [line.split()[0] for line in toy.runs()] == ["rte-m1", "rte-m2"]
    assert (toy.folder / "data/soft_labels/rte").exists()


def test_a_removed_member_leaves_no_ghost(toy: Any) -> None:
    toy.repro()
    toy.runs()
    toy.params("m2")
    output = toy.repro()
    assert f"removed: {Path('data/teachers/qqp/m1')}" in output
    assert (toy.folder / "data/soft_labels/qqp").read_text() == "m2\n"
    assert toy.runs() == []


def test_what_no_stage_made_is_named_and_kept(toy: Any) -> None:
    toy.repro()
    stray = toy.folder / "data/teachers/qqp/mine"
    stray.write_text("notes")
    output = toy.repro(code=2)
    assert output.startswith("error: ")
    assert "data/teachers/qqp/mine" in output
    assert stray.read_text() == "notes"
    assert (toy.folder / "data/soft_labels/qqp").read_text() == "m1\nm2\n"


def test_outside_a_project_it_says_what_to_do(tmp_path: Path, toy: Any) -> None:
    toy.folder = tmp_path
    assert toy.repro(code=2).startswith("error: no such file\n  where: params.yaml\n")
    toy.params("m1")
    output = toy.repro(code=2)
    assert output.startswith("error: DVC cannot work here\n")
    assert "git init" in output
    assert "Traceback" not in output


def test_a_line_a_stage_is_shown_and_the_rest_is_in_its_log(toy: Any) -> None:
    (toy.folder / "hook.sh").write_text("echo missing: $1/test; echo a detail; test ! -e fail-$1\n")
    (toy.folder / "fail-rte-m2").touch()
    lines = toy.repro("--jobs", "2", code=1).splitlines()
    stage_lines = [
        line.split()[0] for line in lines if re.search(r"  done in 0:00:\d\d  \(\d of 9\)$", line)
    ]
    assert sorted(stage_lines) == [
        *("baseline", "ensemble@qqp", "prepare@qqp", "prepare@rte"),
        *(f"teach@{name}" for name in TEACHERS[:3]),
    ]
    assert sorted(line for line in lines if line.startswith("missing: ")) == [
        f"missing: {name}/test" for name in TEACHERS
    ]
    failed = next(
        n for n, line in enumerate(lines) if line.startswith("teach@rte-m2  failed after ")
    )
    assert lines[failed + 1 : failed + 5] == [
        "  | missing: rte-m2/test",
        "  | a detail",
        "  | exited with 1",
        "  all its lines: scratch/logs/teach@rte-m2.txt",
    ]
    assert "a detail" in (toy.folder / "scratch/logs/teach@qqp-m1.txt").read_text().splitlines()
    assert not [line for line in lines if "Running stage" in line or "dvc push" in line]


def test_what_a_stage_reads_and_is_not_there_is_named(toy: Any) -> None:
    toy.repro("--until", "prepare")
    text = (toy.folder / "dvc.yaml").read_text()
    text = text.replace("deps: [data/prepared]", "deps: [data/gone]")
    (toy.folder / "dvc.yaml").write_text(text)
    output = toy.repro("--until", "baseline", code=1)
    assert re.search(r"baseline +failed after .*\n  \| ERROR: failed to reproduce", output)


def on_a_terminal(toy: Any, *command: str) -> tuple[int, str]:
    """Exit code and output of a module's command line on a terminal of 80 columns, colours off."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=toy.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "NO_COLOR": "1"},
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    output = b""
    with contextlib.suppress(OSError):  # Linux ends a terminal that nobody has open so
        while part := os.read(ours, 65536):
            output += part
    return process.wait(), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.decode())


def test_on_a_terminal_running_stages_have_a_row_each(toy: Any) -> None:
    line = "teach: 1,200 of 4,000 rows, 100 a second, 28 s left, loss 0.5"
    (toy.folder / "hook.sh").write_text(f"echo {line} {'and more ' * 20}; sleep 2; exit 0\n")
    command = ("orchestration.repro", "--jobs", "2", "--until", "teach")
    code, text = on_a_terminal(toy, *command)
    assert code == 0
    rows = [line for line in re.split(r"[\r\n]+", text) if "1,200 of 4,000 rows" in line]
    assert {row.split()[0] for row in rows} == {f"teach@{name}" for name in TEACHERS}
    live = re.compile(r" 0:00:\d\d 1,200 of 4,000 rows, 100 a second, 28 s left")
    assert all(live.search(row) for row in rows)
    assert max(map(len, rows)) <= 80
    assert len(re.findall(r"  done in .* of 6\)", text)) == 6


def test_quiet_a_terminal_gets_failures_and_the_last_lines(toy: Any) -> None:
    (toy.folder / "fail-rte-m2").touch()
    code, output = on_a_terminal(toy, "mtdnnkd", "--quiet", "repro", "--jobs", "2")
    assert code == 1
    assert [re.sub(r"0:00:\d\d|\d of", "N", line) for line in output.splitlines()] == [
        "teach@rte-m2  failed after N  (N 9)",
        "  | exited with 1",
        "  all its lines: scratch/logs/teach@rte-m2.txt",
        "7 stages done in N",
        "",
        "failed: teach@rte-m2",
        "not run, as they need a failed one: ensemble@rte",
        "What finished is kept; fix the fault and run the same command again.",
    ]
