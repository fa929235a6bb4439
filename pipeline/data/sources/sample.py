"""The embedded sample: tasks like GLUE's, generated from a hand-made grammar."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.data.sample import files
from pipeline.data.sources.base import SOURCES
from pipeline.data.sources.checksums import Pin
from pipeline.data.sources.collected import Collected
from pipeline.params.sections import Params
from pipeline.tasks import Task


@SOURCES.register("sample")
def collect(
    task: Task, params: Params, folder: Path, *, pins: Mapping[str, Pin], downloads: Path
) -> Collected:
    """Generate one task's files."""
    generated = files.generate(task.name, params.data.sources.sample)
    for name, content in generated.items():
        (folder / name).write_bytes(content)
    licence = "generated sentences, free to use as this project is"
    return Collected("sample", "tsv", licence, dict.fromkeys(generated, "sample"))
