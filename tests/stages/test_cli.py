"""A user's mistake ends with exit code 2 and one clear message; Ctrl-C with 130.

Run with: python -m pytest tests/stages/test_cli.py
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import typer

from pipeline import paths
from pipeline.errors import DataError
from pipeline.runtime import code_digest
from stages import _cli

ENOSPC = OSError(errno.ENOSPC, "No space left on device", "data/x")


@pytest.mark.parametrize(
    ("raised", "code", "text"),
    [
        (DataError("too short", seen=3, where="a.tsv:7", fix="fix it"), 2, "seen: 3"),
        (KeyboardInterrupt(), 130, "run the same command again"),
        (ENOSPC, 2, "the disk is full"),
        (PermissionError(errno.EACCES, "no", "x"), 2, "no permission"),
        (OSError(errno.EROFS, "no", "x"), 2, "read-only"),
        (FileNotFoundError(errno.ENOENT, "no", "x"), 2, "dvc repro"),
        (FileExistsError(errno.EEXIST, "no", "x"), 2, "something else has this name\n  where: x\n"),
        (IsADirectoryError(errno.EISDIR, "no", "x"), 2, "a folder is where a file should be"),
        (NotADirectoryError(errno.ENOTDIR, "no", "x"), 2, "a file is where a folder should be"),
        (MemoryError(), 2, "out of memory"),
        (torch.OutOfMemoryError("CUDA out of memory"), 2, "out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 2, "out of memory"),
        (typer.Exit(3), 3, ""),
    ],
)
def test_exit_codes_and_messages(monkeypatch, capsys, raised, code, text):
    app = _cli.application("Try.")

    @app.command()
    def main() -> None:
        raise raised

    monkeypatch.setattr("sys.argv", ["try"])
    with pytest.raises(SystemExit) as error:
        _cli.run(app)
    message = capsys.readouterr().err
    assert error.value.code == code
    assert text in message
    assert "Traceback" not in message


# A library that goes on where it cannot import another, interrupted just then.
CARELESS = """
import os, time

try:
    os.kill(os.getpid(), {})
    time.sleep(0.3)
except BaseException:
    pass
"""
COMMAND = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job would ignore it
from stages import _cli

app = _cli.application("Try.")

@app.command()
def main() -> None:
    import careless
    time.sleep({})

_cli.run(app)
"""


def interrupted(folder, number, command):
    """The end of a process that runs this code and is interrupted by its import of `careless`."""
    (folder / "careless.py").write_text(CARELESS.format(int(number)))
    path = os.pathsep.join([str(folder), str(Path(__file__).resolve().parents[2])])
    return subprocess.run(
        [sys.executable, "-c", command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("seconds", [0, 100])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupt_in_an_import_is_not_lost(tmp_path, number, seconds):
    process = interrupted(tmp_path, number, COMMAND.format(seconds))
    assert process.returncode == 130, process.stderr
    assert process.stderr.startswith("error: interrupted; what is done is kept")
    assert process.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupt_before_the_command_is_not_lost(tmp_path, number):
    command = COMMAND.replace("app =", "import careless; time.sleep(100); app =").format(0)
    assert interrupted(tmp_path, number, command).returncode == -number


def test_an_interrupt_while_the_code_is_checked(monkeypatch, capsys):
    monkeypatch.setattr(_cli, "_check_code", raise_interrupt)
    with pytest.raises(SystemExit) as error:
        _cli.run(_cli.application("Try."))
    assert error.value.code == 130
    assert capsys.readouterr().err.startswith("error: interrupted; ")


def raise_interrupt():
    raise KeyboardInterrupt


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch):
    app = _cli.application("Try.")

    @app.command()
    def main() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("sys.argv", ["try"])
    with pytest.raises(ZeroDivisionError):
        _cli.run(app)


def test_success_exits_with_0_and_bad_usage_with_2(monkeypatch, capsys):
    app = _cli.application("Try.")

    @app.command()
    def main(task: str = typer.Option(...)) -> None:
        print(task)

    for argv, code in ((["try", "--task", "rte"], 0), (["try", "--tsk", "rte"], 2)):
        monkeypatch.setattr("sys.argv", argv)
        with pytest.raises(SystemExit) as error:
            _cli.run(app)
        assert error.value.code == code
    assert "--tsk" in capsys.readouterr().err


def write(path, text):
    path.parent.mkdir(parents=True)
    path.write_text(f"{text}\n")


def run_under_dvc(monkeypatch, tmp_path, stage):
    """Run a command that does nothing as DVC would run a stage; exit code."""
    app = _cli.application("Try.")

    @app.command()
    def main() -> None:
        pass

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("DVC_STAGE", stage)
    monkeypatch.setattr("sys.argv", ["try"])
    with pytest.raises(SystemExit) as error:
        _cli.run(app)
    return error.value.code


@pytest.mark.parametrize("noted", [None, "0" * 64])
def test_under_dvc_a_digest_of_other_code_is_refused(monkeypatch, tmp_path, capsys, noted):
    if noted is not None:
        write(tmp_path / paths.code("teach"), noted)
    assert run_under_dvc(monkeypatch, tmp_path, "teach@rte-m1-all") == 2
    message = capsys.readouterr().err
    assert "the code of this stage" in message
    assert "where: data/code/teach\n  fix: dvc repro code," in message


@pytest.mark.parametrize("stage", ["teach@rte-m1-all", "code", "of_another_project"])
def test_under_dvc_the_digest_of_this_code_is_accepted(monkeypatch, tmp_path, stage):
    if stage.startswith("teach"):
        write(tmp_path / paths.code("teach"), code_digest.digest("stages.teach"))
    assert run_under_dvc(monkeypatch, tmp_path, stage) == 0


def test_a_cost_that_cannot_be_noted_does_not_fail_the_stage(monkeypatch, tmp_path):
    (tmp_path / "scratch").write_text("a file where the folder should be")
    assert run_under_dvc(monkeypatch, tmp_path, "code") == 0
