"""The files of one task as collected from a source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Layout = Literal["tsv", "zip", "msr", "parquet", "custom"]


@dataclass(frozen=True)
class Collected:
    """Files of one task in its raw folder.

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
        """Messages for the user about missing splits."""
        if not self.origins:
            yield f"{task}: the {self.source} source has no files of this task; going on without it"
        elif self.missing:
            splits = ", ".join(self.missing)
            yield f"{task}: the {self.source} source has no {splits}; going on without"
