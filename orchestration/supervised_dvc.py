"""DVC whose stage is interrupted when the process that started it closes a pipe or is killed.

Run as `python -m orchestration.supervised_dvc repro ...` with the reading end of a control pipe as
standard input. Nothing is ever written to that pipe. It ends when the other end is closed,
deliberately or because its process has died, which no signal reports on every system.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time

_POLL_SECONDS = 0.1


def main() -> int:
    """Run DVC with this process's arguments and return its exit code."""
    control = os.dup(0)  # not inherited by the stage
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    # A background shell's jobs ignore Ctrl-C, and so would DVC and the stage.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_watch, args=(control,), daemon=True).start()
    sys.argv[0] = "dvc"  # the name that DVC shows to another DVC that finds files busy
    from dvc.cli import main as dvc

    code: int = dvc(sys.argv[1:])
    return code


def _watch(control: int) -> None:
    """Wait until the control pipe is closed, then interrupt every stage until DVC has ended.

    DVC ignores Ctrl-C while a stage runs, so the stage is interrupted. DVC sees it fail
    and, without --keep-going, ends. Between stages DVC itself is interrupted.
    """
    while os.read(control, 1):
        pass
    interrupted: set[int] = set()
    while True:
        stage = _children()
        for pid in stage or {os.getpid()}:
            if pid not in interrupted:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGINT)
        interrupted |= stage
        time.sleep(_POLL_SECONDS)


def _children() -> set[int]:
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        return {child.pid for child in psutil.Process().children(recursive=True)}
    return set()


if __name__ == "__main__":
    sys.exit(main())
