"""Commands of the pages that need results, run as the pages have them.

Run with: python -m pytest tests/dvc/test_pages.py
"""

from __future__ import annotations

import itertools
import shlex
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.docs.pages import ROOT, commands

pytestmark = pytest.mark.slow

PAGES = YAML(typ="safe").load(ROOT / "tests/docs/runs.yaml")["in_a_project"]


@pytest.mark.parametrize("page", PAGES)
def test_a_pages_commands_run_in_their_order(as_committed: Any, page: str) -> None:
    runs = [command for on, command in commands() if on == page and command in PAGES[page]]
    assert list(dict.fromkeys(runs)) == PAGES[page]
    for command in runs:
        run(as_committed, command)
    for name in made(runs):
        assert (as_committed.root / name).stat().st_size > 0, name


def run(project: Any, command: str) -> None:
    # The installed `mtdnnkd` is that of the checkout under test; here the project's copy is meant.
    own = 'mtdnnkd() { python -m mtdnnkd "$@"; }'
    project.run("bash", "-ec", f"{own}\n{command}")


def made(runs: list[str]) -> list[str]:
    """Files that the commands write: behind a `>` and after --out."""
    words = [word for command in runs for word in ["", *shlex.split(command)]]
    return [name for flag, name in itertools.pairwise(words) if flag in (">", "--out")]
