"""The shared entry point of all command lines: exit codes, errors, the check of the code."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from pipeline import paths, stage_registry
from pipeline.errors import PipelineError
from pipeline.runtime import code_digest, resource_usage, signals

USER_ERROR = 2
INTERRUPTED = 130
_STOPPED = "interrupted; what is done is kept: run the same command again to go on"
_OUT_OF_THE_WAY = "move it away or name another path, then run the command again"


def application(help_text: str | None = None, cls: type[TyperGroup] | None = None) -> typer.Typer:
    """Make a typer application with plain tracebacks and no shell-completion options.

    Args:
        help_text: help of a group of commands; a single command's help is its docstring.
        cls: how several commands are looked up; None for typer's own way.
    """
    return typer.Typer(
        help=help_text, cls=cls, add_completion=False, pretty_exceptions_enable=False
    )


def run(app: Callable[..., Any]) -> None:
    """Run a typer application and turn the errors a user can fix into exit code 2."""
    signal.signal(signal.SIGTERM, signals.interrupt)  # as Ctrl-C
    try:
        _check_code()
        app()
    except KeyboardInterrupt:
        _fail(_STOPPED, INTERRUPTED)
    except SystemExit as end:  # typer has turned Ctrl-C into 130 already, without a word
        if signals.withdraw() or end.code == INTERRUPTED:
            _fail(_STOPPED, INTERRUPTED)
        raise
    except PipelineError as error:
        _fail(str(error), USER_ERROR)
    except (MemoryError, RuntimeError) as error:
        from stages import _out_of_memory

        if not _out_of_memory.is_one(error):
            raise
        _fail(str(_out_of_memory.fault(error, sys.argv)), USER_ERROR)
    except OSError as error:
        _fail(str(fault(error)), USER_ERROR)
    finally:
        with contextlib.suppress(OSError):  # a note for people; the stage itself is done
            resource_usage.record()
        gc.freeze()  # the process ends here: a last garbage collection would be wasted


def _check_code() -> None:
    """Check, under DVC, that the digest DVC records for this run is that of this code.

    Raises:
        PipelineError: it is not, as `dvc repro --single-item` runs no stage that this one needs.
    """
    stage = os.environ.get("DVC_STAGE", "").rpartition(":")[2].partition("@")[0]
    if stage in stage_registry.STAGES and stage != stage_registry.CODE:
        file = paths.code(stage)
        noted = file.read_text(encoding="utf-8").strip() if file.exists() else "no digest"
        digest = code_digest.digest(f"stages.{stage}")
        if noted != digest:
            raise PipelineError(
                "the code of this stage is not the one that DVC would note for its result",
                seen=f"{noted}, the code's is {digest}",
                where=file,
                fix=f"{stage_registry.remake(file)}, then run the same command again",
            )


def fault(error: OSError) -> PipelineError:
    """The system's error as one that the user can fix; a bug of ours is raised again.

    Disk full, no permission, missing files, and a file or folder in the way are the user's.
    """
    known = {
        errno.ENOSPC: ("the disk is full", "free some space, then run the command again"),
        errno.EDQUOT: ("the disk quota is used up", "free some space, then run the command again"),
        errno.EACCES: ("no permission", "make the path readable and writable for this user"),
        errno.EROFS: ("the file system is read-only", "run in a folder that can be written"),
        errno.EEXIST: ("something else has this name", _OUT_OF_THE_WAY),
        errno.EISDIR: ("a folder is where a file should be", _OUT_OF_THE_WAY),
        errno.ENOTDIR: ("a file is where a folder should be", _OUT_OF_THE_WAY),
        errno.ENOENT: ("a file is missing", "run `dvc repro`, which makes what is missing"),
    }
    if error.errno not in known:
        raise error
    what, fix = known[error.errno]
    return PipelineError(what, where=error.filename, fix=fix)


def _fail(message: str, code: int) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)
