"""The files that a source gave for one task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Layout = Literal["tsv", "zip", "msr", "parquet", "custom"]


@dataclass(frozen=True)
class Collected:
    """Files of one task, as they lie in its raw folder.

    Attributes:
        source: where they come from: a name of `data.source`.
        layout: their layout, which names the reader.
        licence: short licence note.
        origins: name of each file -> where it comes from.
        missing: splits that the source does not have.
    """

    source: str
    layout: Layout
    licence: str
    origins: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    def notes(self, task: str) -> Iterator[str]:
        """Lines for the user about what is missing."""
        if not self.origins:
            yield f"{task}: the {self.source} source has no files of this task; going on without it"
        elif self.missing:
            splits = ", ".join(self.missing)
            yield f"{task}: the {self.source} source has no {splits}; going on without"
