"""Generate the files of the sample source, in the layout of the official downloads."""

from __future__ import annotations

from pipeline.data.sample import layouts, splits
from pipeline.errors import DataError
from pipeline.params.sources.sample import Sample
from pipeline.tasks import GLUE


def generate(task: str, settings: Sample) -> dict[str, bytes]:
    """Generate the files of one of GLUE's tasks.

    Args:
        task: key of `pipeline.tasks.GLUE`.
        settings: seed, rows of each split and share of wrong labels in train.

    Returns:
        Base name -> contents, the splits in the order of `Task.rows`. The same settings
        give the same bytes.

    Raises:
        DataError: the task is none of GLUE's, or too many rows are asked for.
    """
    if task not in GLUE:
        raise DataError(
            "the sample source has no such task",
            seen=task,
            where="tasks in params.yaml",
            fix=f"data.source: local reads tasks of your own; sample has {', '.join(GLUE)}",
        )
    drawn = splits.draw(GLUE[task], settings)
    return {
        layouts.file_name(split): layouts.table(task, split, examples).encode()
        for split, examples in drawn.items()
    }
