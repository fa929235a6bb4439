"""What the settings of every data source have."""

from __future__ import annotations

from typing import ClassVar

from pipeline.params.fields import Section
from pipeline.tasks import Task


class SourceSettings(Section):
    """Settings of a data source: base of all; a source without settings has no keys."""

    generated: ClassVar[bool] = False
    """Whether the rows are generated: figures on them say nothing about GLUE."""

    def rows(self, task: Task, split: str) -> int:
        """Rows of a split as the source has them, for the plan; GLUE's official number."""
        return task.rows[split] or 0
