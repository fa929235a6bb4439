"""The small evaluated project of the tests of evaluation, and a Git repository with experiments."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.pipeline.evaluation.conftest import made, write_task  # noqa: F401  fixtures

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = (ROOT / "profiles/sample.yaml").read_text("utf-8")


def git(*arguments: str) -> str:
    """What Git prints."""
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    process = subprocess.run(["git", *who, *arguments], check=True, capture_output=True, text=True)
    return process.stdout.strip()


def save(name: str) -> str:
    """Commit the files as they lie as an experiment, off the branch as DVC does."""
    head = git("rev-parse", "HEAD")
    commit = git("stash", "create") or head
    git("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/{name}", commit)
    return commit


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the sample's params.yaml, and DVC's folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "params.yaml").write_text(SAMPLE, "utf-8")
    git("init", "-q", "-b", "main")
    git("add", "params.yaml")
    git("commit", "-qm", "base")
    return tmp_path
