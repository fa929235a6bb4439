"""A user's own files: a change of them is noticed wherever they lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

HEADER = "text\tkind\n"
DEFINITION = {
    "title": "Kinds",
    "labels": ["plant", "animal"],
    "sentence1": "text",
    "label": "kind",
    "metrics": ["accuracy"],
}
STAGES = {"download@kinds", "prepare@kinds"}


def write(folder: Path, first: str) -> None:
    (folder / "kinds").mkdir(parents=True, exist_ok=True)
    for split in ("train", "dev", "test"):
        text = f"{HEADER}{first} {split}\tanimal\nAn oak {split}\tplant\n"
        (folder / "kinds" / f"{split}.tsv").write_text(text)


@pytest.mark.parametrize("where", ["inside", "relative", "absolute"])
def test_a_changed_file_is_noticed(as_committed: Any, tmp_path: Path, where: str) -> None:
    root = as_committed.root
    name = {"inside": "data/local", "relative": "../other", "absolute": str(tmp_path / "my own")}
    rows = {"train": None, "dev": None, "test": None}

    def edit(params: Any) -> None:
        params["data"]["folder"] = name[where]
        params["tasks"]["kinds"] = {"rows": rows, "custom": DEFINITION}

    as_committed.change(edit)
    folder = root / name[where]
    # Texts of each case's own: the run cache knows the files of the case before.
    cat, dog = f"A cat {where}", f"A dog {where}"
    write(folder, cat)
    executed = as_committed.ran
    assert executed(as_committed.dvc("repro", "prepare@kinds")) == STAGES
    assert executed(as_committed.dvc("exp", "run", "prepare@kinds")) == set()
    write(folder, dog)
    assert executed(as_committed.dvc("exp", "run", "prepare@kinds")) == STAGES
    assert dog in (root / "data/raw/kinds/train.tsv").read_text()
    write(folder, cat)
    assert executed(as_committed.dvc("repro", "prepare@kinds")) == set()
    assert cat in (root / "data/raw/kinds/train.tsv").read_text()
