"""Run the project with other parameters, and put the workspace back as it was afterwards."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline import paths
from pipeline.errors import PipelineError
from pipeline.params import file
from pipeline.runtime import artifacts, process_lock, signals

KEPT = Path(".dvc/tmp/seeds")
"""While runs are made: the user's own files, and the digest of every params.yaml written."""
_FILES = (Path("dvc.lock"), paths.SUMMARY, paths.SCORES, paths.PARAMS)  # put back in this order
_DRIVER = "make-repro"  # lock that the driver holds, next to ours
_WRITTEN = KEPT / "written"


def params_text() -> str:
    """The user's params.yaml, though a run may have put another one in its place.

    Raises:
        ParamsError: it is missing or not UTF-8.
    """
    return file.read_text(KEPT / paths.PARAMS if _ours() else paths.PARAMS)


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Keep the user's files while the block runs, and put them back at its end.

    What a killed process has left is put back first. A params.yaml that the user has edited in the
    meantime stays as it is, and so does everything else.

    Raises:
        PipelineError: this is no DVC project, or another process does the same here, such as the
            driver of a killed one.
    """
    if not KEPT.parent.parent.is_dir():
        raise PipelineError("not the root of a DVC project", where=Path.cwd(), fix="go there")
    KEPT.parent.mkdir(exist_ok=True)
    try:
        with process_lock.hold(KEPT), _hang_up_interrupts():
            with process_lock.hold(KEPT.with_name(_DRIVER)):
                _put_back()
            _keep()
            try:
                yield
            finally:
                _put_back()
    except process_lock.LockedError as error:
        raise PipelineError(
            "another run of this project is under way",
            seen=f"process {error}",
            fix="wait for its end; `mtdnnkd seeds ... --show` shows what is finished",
        ) from None


def write_params(text: str) -> None:
    """Replace params.yaml, within `kept`."""
    with artifacts.new_file(paths.PARAMS) as staging:
        staging.write_text(text, encoding="utf-8")
        (_WRITTEN / artifacts.sha256(staging)).touch()


def call(*command: str) -> None:
    """Run a Python module with arguments, and wait for it to end well.

    It is a session of its own: Ctrl-C reaches us alone, who pass it on and wait for the end, so
    that nothing writes to the workspace when it is put back.

    Raises:
        PipelineError: it failed, and has said why.
    """
    process = subprocess.Popen([sys.executable, "-m", *command], start_new_session=True)
    try:
        code = process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
    if code:
        raise PipelineError(
            "a command failed, see above",
            seen=f"python -m {' '.join(command)}",
            fix="fix the fault, then run the same command again: what is finished is kept",
        )


@contextlib.contextmanager
def _hang_up_interrupts() -> Iterator[None]:
    """A closed terminal is as Ctrl-C, but for a process under nohup."""
    before = signal.getsignal(signal.SIGHUP)
    if before == signal.SIG_DFL:
        signal.signal(signal.SIGHUP, signals.interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def _keep() -> None:
    with artifacts.new_folder(KEPT) as staging:
        (staging / _WRITTEN.name).mkdir()
        for name in filter(Path.exists, _FILES):
            (staging / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(name, staging / name)


def _put_back() -> None:
    """Put the user's files back; outputs follow dvc.lock from DVC's cache."""
    if not KEPT.is_dir():
        return
    if _ours():
        for name in _FILES:
            if (KEPT / name).exists():
                with artifacts.new_file(name) as staging:
                    shutil.copyfile(KEPT / name, staging)
        _checkout()
    elif _digest(paths.PARAMS) != _digest(KEPT / paths.PARAMS):
        print(f"{paths.PARAMS} was edited while seeds were run: it stays as it is", flush=True)
    shutil.rmtree(KEPT)


def _checkout() -> None:
    """Put outputs back as far as DVC's cache has them: the driver has cached all it made."""
    checkout = ["dvc", "checkout", "--quiet", "--force", "--allow-missing"]
    subprocess.run([sys.executable, "-m", *checkout], check=False, start_new_session=True)


def _ours() -> bool:
    """Whether params.yaml is one that we wrote."""
    digest = _digest(paths.PARAMS)
    return digest is not None and (_WRITTEN / digest).exists()


def _digest(path: Path) -> str | None:
    return artifacts.sha256(path) if path.exists() else None
