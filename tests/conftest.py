"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GLUE = Path(os.environ.get("MTDNNKD_GLUE", ROOT.parent / "shared" / "glue"))

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(scope="session")
def real_glue() -> Path:
    """Folder of real GLUE files in the official layout; tests that need it skip without it."""
    if not GLUE.is_dir():
        pytest.skip(f"no real GLUE files at {GLUE}; name them with MTDNNKD_GLUE=folder")
    return GLUE
