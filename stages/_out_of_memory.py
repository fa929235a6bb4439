"""Report out of memory: the batch, the size of the allocation, the parameter that lowers it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from pipeline import stage_registry
from pipeline.errors import ParamsError, PipelineError
from pipeline.params import file
from pipeline.paths import PARAMS
from pipeline.runtime import current_batch

_KINDS = {"MemoryError", "OutOfMemoryError"}
_SIGNS = (  # of errors that torch raises as a bare RuntimeError
    "can't allocate memory",
    "backend out of memory",
    "CUDA error: out of memory",
    "ALLOC_FAILED",
    "bad_alloc",
)
_SIZE = re.compile(
    r"(?:tried to allocate|unable to allocate|of size) ([\d.]+)(?: ([KMGTPE]iB|bytes))?",
    re.IGNORECASE,
)
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


class _Setting(NamedTuple):
    """A value in params.yaml, and its section."""

    section: str
    name: str
    value: int

    def to(self, value: int) -> str:
        return f"-S {self.section}.{self.name}={value}"


def is_one(error: BaseException) -> bool:
    """Whether memory ran out: Python's, numpy's or torch's for a GPU, or its bare RuntimeError."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & _KINDS) or any(sign in str(error) for sign in _SIGNS)


def fault(error: BaseException, arguments: Sequence[str]) -> PipelineError:
    """The error as one that the user can fix.

    Args:
        error: one of which `is_one` is true.
        arguments: the stage's command line, its module first, as in `sys.argv`.
    """
    stage = Path(arguments[0]).stem
    batch = current_batch.current()
    size = asked(str(error))
    where = [" ".join([stage, *arguments[1:]]), str(batch or "no batch under way")]
    return PipelineError(
        f"out of memory, {size} more asked for" if size else "out of memory",
        seen=str(error).partition("\n")[0] or type(error).__name__,
        where="; ".join(where),
        fix=", or ".join(_fixes(stage, _options(arguments), batch)),
    )


def asked(message: str) -> str:
    """Size of the failed allocation, such as 3.6 GiB; "" if the message has none."""
    match = _SIZE.search(message)
    if match is None:
        return ""
    number, unit = match.groups()
    if unit not in (None, "bytes"):
        return f"{number} {unit}"
    size, place = float(number), 0
    while size >= 1024 and place + 1 < len(_UNITS):
        size, place = size / 1024, place + 1
    return f"{size:.4g} {_UNITS[place]}"


def _fixes(
    stage: str, options: Mapping[str, str], batch: current_batch.CurrentBatch | None
) -> Iterator[str]:
    try:
        values = file.read_yaml(PARAMS)
    except (OSError, ParamsError, MemoryError):
        values = {}
    if batch is not None:
        places = [place.format_map(options) for place in _sections(stage)]
        if flags := list(_lower(batch, places, values)):
            yield f"dvc exp run {' '.join(flags)}"
    elif sections := _sections(stage):
        yield f"a smaller {sections[-1]}.encoder"
    yield "if other stages run beside it: make repro JOBS=1"


def _sections(stage: str) -> tuple[str, ...]:
    """Paths of a stage's batch size, the one that takes precedence first."""
    row = stage_registry.STAGES.get(stage)
    return () if row is None else row.batch


def _lower(
    batch: current_batch.CurrentBatch, sections: Sequence[str], values: Mapping[str, Any]
) -> Iterator[str]:
    """Flags that halve what a batch holds, and keep the rows of a step where it is training."""
    length = _find("max_length", sections, values)
    if batch.doing == "scoring":
        held = batch.rows * batch.tokens
        tokens = _find("labelling_tokens", ["machine"], values, auto=held)
        if batch.rows > 1 and tokens is not None:
            yield tokens.to(max(1, min(tokens.value, held) // 2))
        elif length is not None:
            yield length.to(max(8, length.value // 2))
        return
    size = _find("batch_size", sections, values)
    count = _find("accumulation", sections, values)
    if size is not None and size.value > 1:
        yield size.to(size.value // 2)
        if count is not None and size.value % 2 == 0:
            yield _twice(size, count, sections)
    elif length is not None:
        yield length.to(max(8, length.value // 2))


def _twice(size: _Setting, count: _Setting, sections: Sequence[str]) -> str:
    """Double the batches per step, in the section that takes precedence and affects nothing else.

    Where the batch size is set for one task and the number for all, the task gets its own key,
    which takes a plus.
    """
    if sections.index(count.section) <= sections.index(size.section):
        return count.to(2 * count.value)
    return f"-S +{size.section}.{count.name}={2 * count.value}"


def _find(
    name: str, sections: Sequence[str], values: Mapping[str, Any], auto: int | None = None
) -> _Setting | None:
    """The setting in force: that of the first section which has it; `auto` stands for auto."""
    for section in sections:
        value: Any = values
        for key in (*section.split("."), name):
            value = value.get(key) if isinstance(value, Mapping) else None
        value = auto if value == "auto" else value
        if isinstance(value, int):
            return _Setting(section, name, value)
    return None


def _options(arguments: Sequence[str]) -> dict[str, str]:
    """Values of --name value and --name=value."""
    words = [part for word in arguments[1:] for part in word.split("=", 1)]
    return {name[2:]: value for name, value in pairwise(words) if name.startswith("--")}
