"""A stage's command line, run in the tests' own process: a new one imports for seconds.

Each stage is also started as a process of its own: its help by tests/stages/test_help.py, its work
by DVC in tests/dvc.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import signal
import subprocess
from pathlib import Path
from unittest.mock import patch

from stages import _cli


def run(
    stage: str, *arguments: str, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """What `python -m stages.<stage> <arguments>` gives in a folder; the current one for None."""
    app = importlib.import_module(f"stages.{stage}").app
    command, out, err = [f"stages/{stage}.py", *arguments], io.StringIO(), io.StringIO()
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with (
            patch("sys.argv", command),
            contextlib.chdir(folder or Path()),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            _cli.run(app)
    except SystemExit as end:
        code = int(end.code or 0)
    finally:  # what a process takes with it when it ends
        signal.signal(signal.SIGTERM, handler)
        gc.unfreeze()
    return subprocess.CompletedProcess(command, code, out.getvalue(), err.getvalue())
