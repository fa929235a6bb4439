"""Files of rows, and one task prepared from them with transfer rows."""

from __future__ import annotations

import pytest

from pipeline import paths
from pipeline.data import prepare as preparation
from pipeline.params.sections import Caps, TaskParams, Transfer
from tests.pipeline.conftest import put_source


def pairs(texts, label=b"\tentailment", columns=b"sentence1\tsentence2\tlabel"):
    """A file with a row for each first text; the second is always the same."""
    head = b"index\t" + (columns if label else columns.rpartition(b"\t")[0]) + b"\n"
    return head + b"".join(b"%d\t%s\tB.%s\n" % (i, t.encode(), label) for i, t in enumerate(texts))


@pytest.fixture
def prepare(tmp_path, monkeypatch, defaults):
    """`prepare(task, files, transfer, **caps)` prepares one task with transfer rows."""
    monkeypatch.chdir(tmp_path)

    def made(name, files, transfer, *, custom=None, texts=None, **of):
        caps = {part: of.get(part) for part in ("train", "dev", "test")}
        task = TaskParams(rows=Caps(**caps), custom=custom)
        settings = Transfer(**{"rows": None, **transfer})
        update = {"tasks": {name: task}, "transfer": {name: settings}}
        paths.TEXTS.mkdir(parents=True, exist_ok=True)
        for file, content in (texts or {}).items():
            (paths.TEXTS / file).write_bytes(content)
        folder = tmp_path / str(sum(1 for _ in tmp_path.iterdir()))
        put_source(folder, files, "custom" if custom else "tsv")
        return preparation.prepare(name, folder, defaults.model_copy(update=update))

    return made
