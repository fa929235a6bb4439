"""docs/reference/cli.md is what the commands say now.

Run with: python -m pytest tests/scripts/test_cli_reference.py
"""

from __future__ import annotations

from pathlib import Path

from scripts import cli_reference

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_up_to_date() -> None:
    written = (ROOT / cli_reference.PAGE).read_text("utf-8")
    assert written == cli_reference.page(), "run `make reference`"
