"""What is gathered is what the experiments of the grid hold now, and what was run elsewhere.

Run with: python -m pytest tests/experiments/test_collect.py
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments import collect, settings
from pipeline.errors import DataError
from pipeline.replication import experiments


@pytest.fixture
def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of the experiments that are finished; their folders have their names."""
    names: set[str] = set()
    monkeypatch.setattr(
        experiments, "revision", lambda name, text=None: name if name in names else None
    )
    monkeypatch.setattr(experiments, "fetched", lambda name, _: tmp_path / name)
    return names


def test_what_was_not_run_is_left_out(finished: set[str], tmp_path: Path) -> None:
    finished.update({"half-1", "half-3"})
    assert collect._folders("half", [1, 2]) == {1: tmp_path / "half-1"}
    assert collect._folders("same", [1, 2]) == {}
    with pytest.raises(DataError, match="no experiment of the grid is finished"):
        collect.write(tmp_path / "evidence.json", settings.select(["same"]), [1, 2])


def test_a_setting_that_was_not_run_here_stays_as_it_was(
    finished: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`half` was run elsewhere, `paper` is run anew, `gone` is no setting any more."""
    target = tmp_path / "evidence.json"
    before = {"half": {"kept": 0.5}, "paper": {"kept": 0.1}, "gone": {"kept": 0.2}}
    target.write_text(json.dumps(before))
    finished.add("paper-1")
    monkeypatch.setattr(collect.figures, "gather", lambda *_: {"kept": 0.3})
    monkeypatch.setattr(experiments, "commits", lambda names: [f"at {name}" for name in names])
    collect.write(target, settings.select(["half", "paper"]), [1])
    now = {"half": {"kept": 0.5}, "paper": {"kept": 0.3, "commits": ["at paper-1"]}}
    assert json.loads(target.read_text()) == now


def test_what_a_setting_is_compared_with_is_fetched_with_it(
    finished: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished.update({"annealed-1", "paper-1", "half-1"})
    monkeypatch.setattr(collect, "_figures", lambda setting, folders: sorted(folders))
    compared = collect.write(tmp_path / "evidence.json", settings.select(["annealed"]), [1])
    assert compared == {"annealed": ["annealed", "paper"]}
