"""The frame around every command line: a user's mistake exits with 2 and no traceback."""

from __future__ import annotations

import contextlib
import errno
import gc
import signal
import sys
from collections.abc import Callable, Collection
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from pipeline.errors import ParamsError, PipelineError
from pipeline.runtime import resource_usage

USER_ERROR = 2
INTERRUPTED = 130
_OUT_OF_THE_WAY = "move it away or name another path, then run the command again"


def application(help_text: str | None = None, cls: type[TyperGroup] | None = None) -> typer.Typer:
    """Make a typer application with plain tracebacks and no shell-completion options.

    Args:
        help_text: what several commands have in common; a single one's docstring says it all.
        cls: how several commands are looked up; None takes typer's own way.
    """
    return typer.Typer(
        help=help_text, cls=cls, add_completion=False, pretty_exceptions_enable=False
    )


def one_of(name: str, known: Collection[str], where: str) -> None:
    """Check a name given on the command line against the names in params.yaml.

    Raises:
        ParamsError: the name is not there.
    """
    if name not in known:
        raise ParamsError(
            f"no such name under {where}; there are: {', '.join(known) or 'none'}",
            seen=name,
            where="params.yaml",
        )


def run(app: Callable[..., Any]) -> None:
    """Run a typer application and turn the errors a user can fix into exit code 2."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    try:
        app()
    except SystemExit as end:  # typer has turned Ctrl-C into 130 already, without a word
        if end.code == INTERRUPTED:
            again = "what is done is kept: run the same command again to go on"
            print(f"error: interrupted; {again}", file=sys.stderr)
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
        gc.freeze()  # the process ends here: nothing is worth a last collection of everything


def fault(error: OSError) -> PipelineError:
    """The system's error as one that the user can fix; one that is ours is raised again.

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
