"""The frame around every command line: a user's mistake exits with 2 and no traceback."""

from __future__ import annotations

import contextlib
import errno
import gc
import sys
from collections.abc import Callable, Collection, Iterator
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

import typer

from pipeline import usage
from pipeline.errors import ParamsError, PipelineError

USER_ERROR = 2
INTERRUPTED = 130


def application(help_text: str | None = None) -> typer.Typer:
    """A typer application with plain tracebacks and no shell-completion options.

    Args:
        help_text: what several commands have in common; a single one's docstring says it all.
    """
    return typer.Typer(
        help=help_text, add_completion=False, pretty_exceptions_enable=False, no_args_is_help=False
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
    """Run a typer application and turn the errors a user can mend into exit code 2."""
    try:
        with _without_pandas():
            app()
    except SystemExit as end:  # typer has turned Ctrl-C into 130 already, without a word
        if end.code == INTERRUPTED:
            print("error: interrupted; earlier results are untouched", file=sys.stderr)
        raise
    except PipelineError as error:
        _fail(str(error), USER_ERROR)
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        mend = "lower batch_size, max_length or machine.labelling_tokens in params.yaml"
        _fail(str(PipelineError("out of memory", seen=error, mend=mend)), USER_ERROR)
    except OSError as error:
        _fail(_os_error(error), USER_ERROR)
    finally:
        with contextlib.suppress(OSError):  # a note for people; the stage itself is done
            usage.record()
        gc.freeze()  # the process ends here: nothing is worth a last collection of everything


@contextlib.contextmanager
def _without_pandas() -> Iterator[None]:
    """Keep pyarrow from importing pandas, where it is installed, to see that a list is no Series.

    Nothing here uses pandas, and it would be the largest part of what a light stage takes.
    """
    refusing = _NoPandas()
    sys.meta_path.insert(0, refusing)
    try:
        yield
    finally:
        sys.meta_path.remove(refusing)


class _NoPandas(MetaPathFinder, Loader):
    """Finds pandas, so that asking whether it is installed is no error, but does not load it."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname == "pandas" else None

    def exec_module(self, module: ModuleType) -> None:
        raise ImportError("no stage uses pandas", name=module.__name__)


def _is_out_of_memory(error: Exception) -> bool:
    """Whether it is Python's, or torch's for a GPU, or its bare RuntimeError for the CPU."""
    names = {kind.__name__ for kind in type(error).__mro__}
    own = names & {"MemoryError", "OutOfMemoryError"}
    return bool(own) or "can't allocate memory" in str(error)


def _os_error(error: OSError) -> str:
    """Disk full, no permission and missing files are the user's to mend; the rest is ours."""
    known = {
        errno.ENOSPC: ("the disk is full", "free some space, then run the command again"),
        errno.EDQUOT: ("the disk quota is used up", "free some space, then run the command again"),
        errno.EACCES: ("no permission", "make the path readable and writable for this user"),
        errno.EROFS: ("the file system is read-only", "run in a folder that can be written"),
        errno.ENOENT: ("a file is missing", "run `dvc repro`, which makes what is missing"),
    }
    if error.errno not in known:
        raise error
    what, mend = known[error.errno]
    return str(PipelineError(what, where=error.filename, mend=mend))


def _fail(message: str, code: int) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)
