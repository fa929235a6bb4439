"""The base of the settings of all data sources."""

from __future__ import annotations

from typing import ClassVar

from pipeline.params.fields import Section
from pipeline.tasks import Task


class SourceSettings(Section):
    """Settings of a data source: base of all; a source without settings has no keys."""

    generated: ClassVar[bool] = False
    """Whether the rows are generated: figures on them are no results on GLUE."""

    def rows(self, task: Task, split: str) -> int:
        """Rows of a split in the source, for the plan; GLUE's official number."""
        return task.rows[split] or 0
